"""The pages: demos, the feeds behind them, and the server that sends both."""
