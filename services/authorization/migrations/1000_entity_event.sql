-- Entity events that were answered with a revision, so that a producer's retry gets no second one.
CREATE TABLE entity_event (
    organization uuid NOT NULL,
    source       text NOT NULL,
    id           text NOT NULL,
    revision     bigint NOT NULL,
    rejected     text,
    seen_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organization, source, id)
);
CREATE INDEX entity_event_seen_at ON entity_event (seen_at);
