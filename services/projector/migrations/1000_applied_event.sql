-- Entity events whose outcome is applied here, for readers that wait for one by its producer and id.
CREATE TABLE applied_event (
    organization uuid NOT NULL,
    origin       text NOT NULL,
    producer     text NOT NULL,
    id           text NOT NULL,
    epoch        bigint NOT NULL,
    revision     bigint NOT NULL,
    rejected     text,
    PRIMARY KEY (organization, origin, producer, id)
);
