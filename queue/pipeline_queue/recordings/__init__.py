"""Points in files: our own recordings, Kapacitor's, line protocol and lines of JSON, read into blocks in their order."""
