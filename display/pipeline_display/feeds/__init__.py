"""Feeds: what the pages show, read in threads and kept in rings."""
