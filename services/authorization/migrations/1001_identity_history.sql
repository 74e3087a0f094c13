-- Digests of the identity events that became change sets, so that a repetition can be told from a second history.
CREATE TABLE identity_history (
    organization uuid PRIMARY KEY,
    digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
    -- The first eight bytes of each of the last 128 digests, the oldest first.
    recent       bytea NOT NULL CHECK (octet_length(recent) <= 1024)
);
