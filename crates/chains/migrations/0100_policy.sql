-- Policy chains: where each stands, and its rows, one table a kind.
--
-- Every row belongs to one chain (organization, origin region, stream). Times are microseconds
-- since 1970, as on the log: what was hashed there can be hashed here again.

CREATE TABLE chain (
    organization   uuid   NOT NULL,
    origin         text   NOT NULL,
    stream         text   NOT NULL CHECK (stream IN ('identity', 'entities')),
    epoch          bigint NOT NULL,
    revision       bigint NOT NULL,
    digest         bytea  NOT NULL CHECK (octet_length(digest) = 32),
    state_digest   bytea  NOT NULL CHECK (octet_length(state_digest) = 32),
    state          text   NOT NULL CHECK (state IN ('live', 'stopped', 'parked', 'closed')),
    reason         text,
    committed_at   bigint NOT NULL,
    seen_epoch     bigint NOT NULL,
    seen_revision  bigint NOT NULL,
    history        bytea  NOT NULL,
    PRIMARY KEY (organization, origin, stream),
    CHECK ((reason IS NOT NULL) = (state IN ('stopped', 'parked')))
) WITH (fillfactor = 60);
COMMENT ON COLUMN chain.reason IS 'Why the chain is halted.';
COMMENT ON COLUMN chain.seen_revision IS 'The highest revision that arrived, applied or not.';
COMMENT ON COLUMN chain.history IS 'The first eight bytes of the last digests: tell a duplicate from a fork.';

CREATE TABLE organization (
    organization uuid NOT NULL,
    origin       text NOT NULL,
    stream       text NOT NULL,
    state        text NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
    PRIMARY KEY (organization, origin, stream)
);

CREATE TABLE principal (
    organization uuid    NOT NULL,
    origin       text    NOT NULL,
    stream       text    NOT NULL,
    id           uuid    NOT NULL,
    kind         text    NOT NULL CHECK (kind IN ('user', 'team', 'system_account')),
    active       boolean NOT NULL,
    PRIMARY KEY (organization, origin, stream, id)
);

CREATE TABLE membership (
    organization uuid NOT NULL,
    origin       text NOT NULL,
    stream       text NOT NULL,
    team         uuid NOT NULL,
    member       uuid NOT NULL,
    valid_from   bigint,
    valid_until  bigint,
    PRIMARY KEY (organization, origin, stream, team, member)
);
CREATE INDEX membership_member ON membership (organization, member);

CREATE TABLE role (
    organization    uuid   NOT NULL,
    origin          text   NOT NULL,
    stream          text   NOT NULL,
    key             text   NOT NULL,
    entity_type     text   NOT NULL,
    actions         jsonb  NOT NULL,
    covers_children jsonb  NOT NULL,
    PRIMARY KEY (organization, origin, stream, key)
);

CREATE TABLE "grant" (
    organization uuid NOT NULL,
    origin       text NOT NULL,
    stream       text NOT NULL,
    id           uuid NOT NULL,
    principal    uuid NOT NULL,
    role         text NOT NULL,
    entity_type  text NOT NULL,
    entity_id    text,
    region       text,
    valid_from   bigint,
    valid_until  bigint,
    condition    uuid,
    PRIMARY KEY (organization, origin, stream, id)
);
COMMENT ON COLUMN "grant".entity_id IS 'Null: every entity of the type.';
COMMENT ON COLUMN "grant".region IS 'Null: every region.';
CREATE INDEX grant_principal ON "grant" (organization, principal);
CREATE INDEX grant_entity ON "grant" (organization, entity_type, entity_id);

CREATE TABLE token (
    organization uuid   NOT NULL,
    origin       text   NOT NULL,
    stream       text   NOT NULL,
    id           uuid   NOT NULL,
    hash         bytea  NOT NULL CHECK (octet_length(hash) = 32),
    principal    uuid   NOT NULL,
    kind         text   NOT NULL CHECK (kind IN ('personal', 'system_account', 'invite')),
    expires_at   bigint NOT NULL,
    PRIMARY KEY (organization, origin, stream, id)
);

CREATE TABLE condition (
    organization uuid NOT NULL,
    origin       text NOT NULL,
    stream       text NOT NULL,
    id           uuid NOT NULL,
    effect       text NOT NULL CHECK (effect IN ('forbid', 'when')),
    cedar_json   text NOT NULL,
    PRIMARY KEY (organization, origin, stream, id)
);

CREATE TABLE entity (
    organization uuid    NOT NULL,
    origin       text    NOT NULL,
    stream       text    NOT NULL,
    entity_type  text    NOT NULL,
    entity_id    text    NOT NULL,
    parent_type  text,
    parent_id    text,
    deleted      boolean NOT NULL,
    PRIMARY KEY (organization, origin, stream, entity_type, entity_id)
);
COMMENT ON COLUMN entity.deleted IS 'A tombstone: the entity is never created again.';
CREATE INDEX entity_key ON entity (organization, entity_type, entity_id) WHERE NOT deleted;
CREATE INDEX entity_parent ON entity (organization, parent_type, parent_id) WHERE parent_id IS NOT NULL;

-- Change sets above what a stopped chain has applied.
CREATE TABLE staged_change_set (
    organization uuid   NOT NULL,
    origin       text   NOT NULL,
    stream       text   NOT NULL,
    epoch        bigint NOT NULL,
    revision     bigint NOT NULL,
    change_set   bytea  NOT NULL,
    PRIMARY KEY (organization, origin, stream, epoch, revision)
);
