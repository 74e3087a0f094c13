-- Entity events that were answered with a revision, so that a producer's retry gets no second one.
CREATE TABLE entity_event (
    producer     text NOT NULL,
    organization uuid NOT NULL,
    id           text NOT NULL,
    -- SHA-256: tells an event from another with the same id.
    content      bytea NOT NULL CHECK (octet_length(content) = 32),
    epoch        bigint NOT NULL,
    revision     bigint NOT NULL,
    rejected     text,
    seen_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (producer, organization, id)
);
CREATE INDEX entity_event_seen_at ON entity_event (seen_at);
