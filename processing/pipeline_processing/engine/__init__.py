"""Tasks that run: fed from the queue, snapshotted, resumed without a gap."""
