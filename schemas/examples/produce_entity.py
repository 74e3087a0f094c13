#!/usr/bin/env python3
"""Announces one entity to Writ: an Avro record on the producer's topic, `entity-events-<producer>`, of the region's Kafka.

Works as it stands, and shows all that a producer needs: the key, the CloudEvents headers and
Avro single-object encoding.
"""
import argparse
import io
import json
import time
import uuid
from pathlib import Path

import fastavro
from confluent_kafka import Producer

SCHEMA_FILE = Path(__file__).parent.parent / "entity-event.avsc"


def single_object(schema: dict, record: dict) -> bytes:
    """`C3 01`, the schema's CRC-64-AVRO fingerprint (little-endian), the body."""
    canonical = fastavro.schema.to_parsing_canonical_form(schema)
    fingerprint = bytes.fromhex(fastavro.schema.fingerprint(canonical, "CRC-64-AVRO"))
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), record)
    return b"\xc3\x01" + fingerprint + body.getvalue()


def settings(file: Path) -> dict[str, str]:
    """Lines of `name=value`, as `writ producer add` writes them."""
    lines = (line.strip() for line in file.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def topic(config: dict[str, str]) -> str:
    """Each producer has a topic of its own. Its principal at Kafka is `producer-<producer>`."""
    return "entity-events-" + config["sasl.username"].removeprefix("producer-")


def entity_event(args: argparse.Namespace) -> dict:
    return {
        "kind": args.kind,
        "organization": uuid.UUID(args.organization).bytes,
        "entity_type": args.type,
        "entity_id": args.id,
        "parent_type": args.parent_type,
        "parent_id": args.parent_id,
        "occurred_at": int(time.time() * 1_000_000),
    }


def headers(args: argparse.Namespace) -> list[tuple[str, str]]:
    return [
        ("ce_specversion", "1.0"),
        ("ce_type", "writ.EntityEvent"),
        ("ce_source", args.source),
        ("ce_id", args.event_id),
        ("content-type", "application/avro"),
    ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, type=Path, help="Kafka of the entity's region, and our principal there: settings of librdkafka")
    parser.add_argument("--organization", required=True, help="the organization's id")
    parser.add_argument("--type", required=True, help="key of the catalogue, such as control_planes")
    parser.add_argument("--id", required=True, help="the entity's id")
    parser.add_argument("--kind", choices=["created", "deleted"], default="created")
    parser.add_argument("--parent-type")
    parser.add_argument("--parent-id")
    parser.add_argument("--source", default="urn:example:producer")
    parser.add_argument("--event-id", default=str(uuid.uuid4()), help="the same id again is the same event")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    schema = json.loads(SCHEMA_FILE.read_text())
    config = settings(args.config)
    failures = []
    producer = Producer({
        **config,
        "enable.idempotence": True,
        "partitioner": "murmur2_random",
        "allow.auto.create.topics": False,
    })
    producer.produce(
        topic(config),
        key=args.organization,
        value=single_object(schema, entity_event(args)),
        headers=headers(args),
        on_delivery=lambda error, _: failures.append(error) if error else None,
    )
    undelivered = producer.flush(30)
    if failures or undelivered:
        raise SystemExit(f"not delivered: {failures or 'no answer within 30 s'}")
    print(args.event_id)


if __name__ == "__main__":
    main()
