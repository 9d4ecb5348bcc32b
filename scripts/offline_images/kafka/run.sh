#!/usr/bin/env bash
# Start one broker as the official image does: KAFKA_* become properties, the storage is formatted if it is new, the broker runs.
#
# In:      KAFKA_* and CLUSTER_ID; property files in /mnt/shared/config; data in KAFKA_LOG_DIRS.
# Out:     a broker in the foreground. Writes to /opt/kafka/config, which may be a tmpfs.
set -euo pipefail

export CLUSTER_ID=${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}
if [ -z "${KAFKA_LISTENERS:-}" ] && [ -n "${KAFKA_ADVERTISED_LISTENERS:-}" ]; then
    KAFKA_LISTENERS=$(sed -e 's|://[^:]*:|://0.0.0.0:|g' <<<"$KAFKA_ADVERTISED_LISTENERS")
    export KAFKA_LISTENERS
fi

set_up() {
    KAFKA_HEAP_OPTS=-Xmx256m KAFKA_JVM_PERFORMANCE_OPTS="-XX:SharedArchiveFile=/opt/kafka/storage.jsa -XX:TieredStopAtLevel=1 -XX:+UseSerialGC" \
        /opt/kafka/bin/kafka-run-class.sh kafka.docker.KafkaDockerWrapper setup \
        --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config
}
said=$(set_up 2>&1) || grep -i "already formatted" <<<"$said" || {
    echo "$said" >&2
    exit 1
}

export KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G}
export KAFKA_JVM_PERFORMANCE_OPTS="${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC -XX:+ExplicitGCInvokesConcurrent} -XX:SharedArchiveFile=/opt/kafka/kafka.jsa"
export KAFKA_LOG4J_FILE=/opt/kafka/config/log4j2.yaml
exec /opt/kafka/bin/kafka-run-class.sh -Xlog:disable kafka.Kafka /opt/kafka/config/server.properties
