#!/usr/bin/env bash
# One of Kafka's command-line tools, by the name it is called by; in the official image each has a script of its own.
set -euo pipefail
declare -A tools=(
    [kafka-topics.sh]=org.apache.kafka.tools.TopicCommand
    [kafka-console-consumer.sh]=org.apache.kafka.tools.consumer.ConsoleConsumer
    [kafka-console-producer.sh]=org.apache.kafka.tools.ConsoleProducer
    [kafka-consumer-groups.sh]=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand
    [kafka-get-offsets.sh]=org.apache.kafka.tools.GetOffsetShell
    [kafka-configs.sh]=kafka.admin.ConfigCommand
    [kafka-storage.sh]=kafka.tools.StorageTool
    [kafka-broker-api-versions.sh]=org.apache.kafka.tools.BrokerApiVersionsCommand
)
exec /opt/kafka/bin/kafka-run-class.sh "${tools[$(basename "$0")]}" "$@"
