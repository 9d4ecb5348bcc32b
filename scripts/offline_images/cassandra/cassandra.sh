#!/usr/bin/env bash
# Run Cassandra in the foreground: `cassandra -f`. Takes MAX_HEAP_SIZE, HEAP_NEWSIZE (unused by G1, as in the official image) and JVM_EXTRA_OPTS.
set -euo pipefail
heap=${MAX_HEAP_SIZE:-1G}
# shellcheck disable=SC2086 # JVM_EXTRA_OPTS is a list of words
exec java "-Xms$heap" "-Xmx$heap" -javaagent:/opt/cassandra/lib/jamm.jar @/etc/cassandra/jvm.options \
    -Xlog:disable ${CASSANDRA_ARCHIVE:--XX:SharedArchiveFile=/opt/cassandra/cassandra.jsa} ${JVM_EXTRA_OPTS:-} \
    -cp '/opt/cassandra/lib/*' org.apache.cassandra.service.CassandraDaemon
