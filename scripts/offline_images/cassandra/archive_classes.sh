#!/usr/bin/env bash
# Start and stop a server once, so that later starts find its classes in an archive.
set -euo pipefail
export CASSANDRA_ARCHIVE=-XX:ArchiveClassesAtExit=/opt/cassandra/cassandra.jsa
export JVM_EXTRA_OPTS="-Dcassandra.skip_wait_for_gossip_to_settle=0"
MAX_HEAP_SIZE=512M docker-entrypoint.sh cassandra -f &
server=$!
until (exec 3<>/dev/tcp/127.0.0.1/9042) 2>/dev/null; do
    kill -0 "$server"
    sleep 0.2
done
kill -TERM "$server"
wait "$server" || [ $? = 143 ]
rm -rf /var/lib/cassandra/*
