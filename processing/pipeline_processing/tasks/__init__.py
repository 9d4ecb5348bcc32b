"""Tasks as people handle them: definitions, what becomes of them, and the HTTP API that Kapacitor's clients speak."""
