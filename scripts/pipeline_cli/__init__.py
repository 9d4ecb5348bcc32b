"""The `pipeline` command: it stands above all stages and imports each only when asked for it."""
