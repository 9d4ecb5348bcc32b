"""Where points come in: line protocol over HTTP, as InfluxDB and Kapacitor take it. Whoever serves HTTP mounts the door."""
