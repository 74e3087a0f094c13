#!/usr/bin/env bash
# produce_entity.sh CONFIG ORGANIZATION ENTITY_TYPE ENTITY_ID [created|deleted]
# Announces one entity to Writ: a JSON record on the producer's topic of the region's Kafka, with kcat.
# CONFIG has the settings with which kcat reaches that Kafka, as `writ producer add` writes them.
set -euo pipefail
[ $# -ge 4 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
config=$1 organization=$2 entity_type=$3 entity_id=$4 kind=${5:-created}
# Kafka 4 takes the SCRAM login of older versions of kcat's library for a wrong password.
library=$(kcat -V 2>&1 | grep -o 'librdkafka [0-9.]*' | cut -d' ' -f2)
if [ "$(printf '%s\n' 2.6.1 "$library" | sort -V | head -n 1)" != 2.6.1 ]; then
    echo "kcat has librdkafka $library; Kafka 4 wants 2.6.1 or newer (produce_entity.py brings its own)" >&2
    exit 1
fi
# Each producer has a topic of its own. Its principal at Kafka is producer-<producer>.
producer=$(sed -n 's/^sasl\.username=producer-//p' "$config")
event_id=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)
now=$(date -u +%Y-%m-%dT%H:%M:%SZ)

printf '{"kind":"%s","organization":"%s","entity_type":"%s","entity_id":"%s","occurred_at":"%s"}' \
    "$kind" "$organization" "$entity_type" "$entity_id" "$now" |
    kcat -P -F "$config" -t "entity-events-$producer" -k "$organization" \
        -X partitioner=murmur2_random -X enable.idempotence=true \
        -H ce_specversion=1.0 -H ce_type=writ.EntityEvent -H ce_source=urn:example:shell \
        -H "ce_id=$event_id" -H content-type=application/json
echo "$event_id"
