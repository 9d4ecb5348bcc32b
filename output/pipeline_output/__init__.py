"""Where results are kept: the tables, and the stores that hold them."""
