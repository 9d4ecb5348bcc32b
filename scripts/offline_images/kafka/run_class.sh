#!/usr/bin/env bash
# Run a class of Kafka's: `kafka-run-class.sh CLASS ARGUMENT...`. The JVM takes KAFKA_HEAP_OPTS, KAFKA_JVM_PERFORMANCE_OPTS and KAFKA_OPTS.
set -euo pipefail
# shellcheck disable=SC2086 # the options are lists of words
exec java ${KAFKA_HEAP_OPTS:--Xmx256m} ${KAFKA_JVM_PERFORMANCE_OPTS:-} ${KAFKA_OPTS:-} \
    -Dlog4j2.configurationFile="${KAFKA_LOG4J_FILE:-/etc/kafka/docker/tools-log4j2.yaml}" \
    -Djava.awt.headless=true -cp '/opt/kafka/libs/*' "$@"
