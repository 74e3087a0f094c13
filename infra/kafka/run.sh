#!/usr/bin/env bash
# Starts a region's broker in the official image; formats its data folder the first time. In docker-compose.yml.
set -euo pipefail

given=/run/writ/kafka
data=/var/lib/kafka/data
kafka=/opt/kafka

# Many JVMs share a small machine: the serial collector is the smallest, and the first compiler starts fastest. The
# image's archives of loaded classes halve the time to start.
frugal() {
  export KAFKA_JVM_PERFORMANCE_OPTS="-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xlog:disable -Xlog:all=error:stderr"
  [ ! -f "$1" ] || KAFKA_JVM_PERFORMANCE_OPTS+=" -XX:SharedArchiveFile=$1"
}

if [ ! -f $data/meta.properties ]; then
  frugal $kafka/storage.jsa
  # 16 random bytes, as Kafka writes a UUID.
  cluster=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '=')
  $kafka/bin/kafka-storage.sh format --ignore-formatted -t "$cluster" -c $given/server.properties \
    --add-scram "$(<$given/administrator)"
fi
frugal $kafka/kafka.jsa
exec $kafka/bin/kafka-server-start.sh $given/server.properties
