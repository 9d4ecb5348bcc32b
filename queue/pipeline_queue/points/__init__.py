"""Points of measurements: line protocol in and out, and the Arrow blocks in which they travel."""
