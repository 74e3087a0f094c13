-- Who may publish and consume. A take-over raises the fence. Renewal needs no write: the holder keeps
-- a session open that holds an advisory lock.
-- The second unique key makes raising the fence conflict with FOR KEY SHARE, the lock of every check.
CREATE TABLE lease (
    name        text PRIMARY KEY,
    fence       bigint NOT NULL,
    holder      uuid NOT NULL,
    acquired_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, fence)
);

-- The last record whose effects are in this database, by the lease its consumer runs under.
-- anchor names the record at that offset: if another one stands there, the log is not the one we read.
CREATE TABLE position (
    consumer      text NOT NULL,
    topic         text NOT NULL,
    partition     integer NOT NULL,
    record_offset bigint NOT NULL,
    anchor        text NOT NULL,
    fence         bigint NOT NULL,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, topic, partition)
);

-- Records committed but not yet acknowledged by Kafka. Rows live for milliseconds.
CREATE TABLE outbox (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic         text NOT NULL,
    partition     integer,
    key           bytea,
    headers       bytea NOT NULL,
    value         bytea,
    measured_from bigint,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- Records of an organization that this build cannot process, kept until one can.
CREATE TABLE parked_record (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization  uuid NOT NULL,
    reason        text NOT NULL,
    topic         text NOT NULL,
    partition     integer NOT NULL,
    record_offset bigint NOT NULL,
    appended_at   bigint NOT NULL,
    key           bytea,
    headers       bytea NOT NULL,
    value         bytea,
    parked_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX parked_record_organization ON parked_record (organization, id);
