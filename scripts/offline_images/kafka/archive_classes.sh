#!/usr/bin/env bash
# Start and stop a broker once, so that later starts find its classes in an archive:
# 3.3 s of processor time to the first answer instead of 6.0, as measured.
set -euo pipefail
export KAFKA_NODE_ID=1 KAFKA_PROCESS_ROLES=broker,controller KAFKA_LOG_DIRS=/tmp/archive
export KAFKA_LISTENERS=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093 KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092
export KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
export KAFKA_CONTROLLER_QUORUM_VOTERS=1@localhost:9093 KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1
export KAFKA_HEAP_OPTS=-Xmx512m CLUSTER_ID=5L6g3nShT-eMCtK--X86sw

KAFKA_JVM_PERFORMANCE_OPTS="-Xlog:disable -XX:ArchiveClassesAtExit=/opt/kafka/storage.jsa" /opt/kafka/bin/kafka-run-class.sh \
    kafka.docker.KafkaDockerWrapper setup \
    --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config
KAFKA_LOG4J_FILE=/opt/kafka/config/log4j2.yaml KAFKA_JVM_PERFORMANCE_OPTS="-Xlog:disable -XX:ArchiveClassesAtExit=/opt/kafka/kafka.jsa" \
    /opt/kafka/bin/kafka-run-class.sh kafka.Kafka /opt/kafka/config/server.properties &
broker=$!
KAFKA_JVM_PERFORMANCE_OPTS="" /opt/kafka/bin/kafka-topics.sh --bootstrap-server localhost:9092 --create --topic archive
kill -TERM "$broker"
wait "$broker" || [ $? = 143 ]
rm -rf /tmp/archive /opt/kafka/config/* /opt/kafka/logs/*
