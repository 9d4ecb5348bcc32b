"""The collector: applications' events over HTTP, onto the queue."""
