-- One row for each decision, and for each other record of the log that this region has seen, in the order of each
-- organization. leaf covers the row's content; chain covers the leaf and all leaves before it, so that a changed, missing
-- or inserted row is found.
CREATE TABLE entry (
    organization  uuid NOT NULL,         -- nil: the platform's own
    sequence      bigint NOT NULL CHECK (sequence >= 1),
    leaf          bytea NOT NULL CHECK (length(leaf) = 32),
    chain         bytea NOT NULL CHECK (length(chain) = 32),
    -- Identifies the row whatever is delivered again: SHA-256 of origin, topic, source, id and the record's value.
    record_key    bytea NOT NULL UNIQUE CHECK (length(record_key) = 32),
    origin        text NOT NULL,
    topic         text NOT NULL,
    source        text NOT NULL,
    record_id     text NOT NULL,
    record_type   text NOT NULL,
    occurred_at   bigint NOT NULL,       -- microseconds since 1970
    actor_kind    text,
    actor_id      text,
    defect        text,                  -- why the record is unreadable, if it is
    key           bytea,
    headers       bytea NOT NULL,
    payload       bytea,
    payload_hash  bytea NOT NULL CHECK (length(payload_hash) = 32),
    recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (organization, sequence)
);

-- Entries are append-only. The trigger binds the owner and superusers, too.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit record is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE entry ENABLE ALWAYS TRIGGER append_only;
REVOKE UPDATE, DELETE, TRUNCATE ON entry FROM PUBLIC, CURRENT_USER;

-- Number of entries of each topic, kept because counting them would take too long.
CREATE TABLE topic_count (
    origin  text NOT NULL,
    topic   text NOT NULL,
    entries bigint NOT NULL,
    PRIMARY KEY (origin, topic)
);
