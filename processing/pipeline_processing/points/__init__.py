"""What flows through a graph: frames of points, batches of them, and the keys by which they are grouped."""
