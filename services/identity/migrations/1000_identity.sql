-- The system of record of the organizations homed in this region.
-- Personal data (names, e-mail addresses, labels, descriptions) is in this database and nowhere else.

-- An organization, its latest revision and the digest of that revision's event. The platform itself is the nil id.
CREATE TABLE organization (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,
    owner_id     uuid,
    state        text NOT NULL CHECK (state IN ('active', 'suspended', 'deleted')),
    epoch        bigint NOT NULL DEFAULT 1,
    revision     bigint NOT NULL,
    digest       bytea NOT NULL,
    committed_at timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);

-- A principal can hold roles. Deleting it deletes everything that refers to it.
CREATE TABLE principal (
    organization uuid NOT NULL REFERENCES organization,
    id           uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('user', 'team', 'system_account')),
    active       boolean NOT NULL,
    PRIMARY KEY (organization, id)
);

-- The folded columns have the form in which texts are compared (domain/fold.rs). The service makes it: the database's
-- locale plays no part.
CREATE TABLE user_account (
    organization     uuid NOT NULL,
    id               uuid NOT NULL,
    email            text NOT NULL,
    email_folded     text NOT NULL,
    full_name        text,
    full_name_folded text,
    preferred_name   text,
    inferred_region  text,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, id) REFERENCES principal ON DELETE CASCADE
);
CREATE UNIQUE INDEX user_account_email ON user_account (organization, email_folded);

CREATE TABLE team (
    organization uuid NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL,
    name_folded  text NOT NULL,
    description  text,
    system_team  boolean NOT NULL,
    labels       jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, id) REFERENCES principal ON DELETE CASCADE
);

-- A user or system account is in a team; null bounds mean always.
CREATE TABLE membership (
    organization uuid NOT NULL,
    team         uuid NOT NULL,
    member       uuid NOT NULL,
    valid_from   timestamptz,
    valid_until  timestamptz,
    PRIMARY KEY (organization, team, member),
    FOREIGN KEY (organization, team) REFERENCES principal ON DELETE CASCADE,
    FOREIGN KEY (organization, member) REFERENCES principal ON DELETE CASCADE
);
CREATE INDEX membership_member ON membership (organization, member);

-- A principal has a role. A null entity_id means every entity, a null region every region.
CREATE TABLE role_assignment (
    organization uuid NOT NULL,
    id           uuid NOT NULL,
    principal    uuid NOT NULL,
    role         text NOT NULL,
    entity_type  text NOT NULL,
    entity_id    text,
    region       text,
    valid_from   timestamptz,
    valid_until  timestamptz,
    condition    uuid,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, principal) REFERENCES principal ON DELETE CASCADE
);
CREATE UNIQUE INDEX role_assignment_once ON role_assignment
    (organization, principal, role, entity_type, entity_id, region, condition) NULLS NOT DISTINCT;

-- A bearer token, known by the SHA-256 of its text.
CREATE TABLE token (
    organization uuid NOT NULL,
    id           uuid NOT NULL,
    principal    uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('personal', 'system_account', 'invite')),
    name         text NOT NULL,
    hash         bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    revoked_by   uuid,
    PRIMARY KEY (organization, id),
    FOREIGN KEY (organization, principal) REFERENCES principal ON DELETE CASCADE
);
CREATE INDEX token_principal ON token (organization, principal);
-- Retention: a token is deleted a week after it has expired, by the background task of jobs.rs.
CREATE INDEX token_expiry ON token (expires_at);

CREATE INDEX role_assignment_administrator ON role_assignment (organization) WHERE role = 'identity.admin';

-- Holders of Identity · Admin at the time of the statement, directly or through a team. A transaction may have waited
-- for a lock since it began, so now() would be too early.
CREATE VIEW administrator AS
SELECT a.organization, a.principal AS id
  FROM role_assignment a
 WHERE a.role = 'identity.admin' AND a.entity_id IS NULL AND a.region IS NULL AND a.condition IS NULL
   AND coalesce(a.valid_from <= statement_timestamp(), true) AND coalesce(a.valid_until > statement_timestamp(), true)
UNION
SELECT a.organization, m.member AS id
  FROM role_assignment a
  JOIN membership m ON m.organization = a.organization AND m.team = a.principal
 WHERE a.role = 'identity.admin' AND a.entity_id IS NULL AND a.region IS NULL AND a.condition IS NULL
   AND coalesce(a.valid_from <= statement_timestamp(), true) AND coalesce(a.valid_until > statement_timestamp(), true)
   AND coalesce(m.valid_from <= statement_timestamp(), true) AND coalesce(m.valid_until > statement_timestamp(), true);

-- The tokens with which an administrator can come in: of active users who are administrators, valid at the time of the
-- statement.
CREATE VIEW administrator_token AS
SELECT a.organization, a.id AS administrator, t.id, t.expires_at
  FROM administrator a
  JOIN principal p ON p.organization = a.organization AND p.id = a.id AND p.kind = 'user' AND p.active
  JOIN token t ON t.organization = a.organization AND t.principal = a.id
 WHERE t.kind = 'personal' AND t.revoked_at IS NULL AND t.expires_at > statement_timestamp();

-- Answers to requests with an Idempotency-Key, for a repetition of the request. An answer is sealed with a key that is not
-- in the database, because it may hold a token, and goes with its principal.
-- Retention: 24 hours, by the background task of jobs.rs.
CREATE TABLE kept_answer (
    id           bytea PRIMARY KEY,
    organization uuid NOT NULL,
    principal    uuid NOT NULL,
    request      bytea NOT NULL,
    answer       bytea NOT NULL,
    kept_at      timestamptz NOT NULL,
    FOREIGN KEY (organization, principal) REFERENCES principal ON DELETE CASCADE
);
CREATE INDEX kept_answer_principal ON kept_answer (organization, principal);
CREATE INDEX kept_answer_age ON kept_answer (kept_at);

-- Digest of the catalogue published last.
CREATE TABLE published_catalogue (
    organization uuid PRIMARY KEY REFERENCES organization,
    digest       bytea NOT NULL
);
