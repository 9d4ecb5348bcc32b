#!/usr/bin/env bash
# `nodetool COMMAND`, by JMX on this container's loopback.
set -euo pipefail
mapfile -t modules < <(grep -- '^--add-' /etc/cassandra/jvm.options)
exec java -Xmx128m -XX:TieredStopAtLevel=1 "${modules[@]}" -Dcassandra.storagedir=/tmp -Duser.home=/tmp \
    -Dlogback.configurationFile=/etc/cassandra/logback-tools.xml -cp '/opt/cassandra/lib/*' org.apache.cassandra.tools.NodeTool "$@"
