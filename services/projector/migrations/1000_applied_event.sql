-- Entity events whose outcome is applied here, for readers that wait for one by its producer's name.
CREATE TABLE applied_event (
    organization uuid NOT NULL,
    origin       text NOT NULL,
    source       text NOT NULL,
    id           text NOT NULL,
    epoch        bigint NOT NULL,
    revision     bigint NOT NULL,
    rejected     text,
    PRIMARY KEY (organization, origin, source, id)
);
