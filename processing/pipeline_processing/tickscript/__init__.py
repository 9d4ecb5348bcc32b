"""TICKscript, Kapacitor's language: read, formatted, upgraded, and evaluated down to calls of nodes."""
