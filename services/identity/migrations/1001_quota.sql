-- The process whose transaction made the organization's last change. Only what the same process committed before may be
-- handed to its publisher without a look at the table of the outbox.
ALTER TABLE organization ADD COLUMN writer uuid;

-- What is in a deleted organization is erased in the background.
CREATE INDEX organization_deleted ON organization (id) WHERE state = 'deleted';

-- The quotas of an organization (domain/quota.rs): how much of it is used, where that is counted here, and the maximum if the
-- operator has set one; null means the default. Changed under the organization's lock.
-- Retention: as long as the organization has something, or a limit of its own; a deleted organization has none.
CREATE TABLE quota (
    organization uuid NOT NULL REFERENCES organization,
    resource     text NOT NULL CHECK (resource IN (
                     'users', 'teams', 'memberships', 'tokens', 'roles_per_principal', 'requests_per_second')),
    used         bigint NOT NULL DEFAULT 0,
    maximum      bigint CHECK (maximum >= 0),
    PRIMARY KEY (organization, resource)
) WITH (fillfactor = 50);

-- Counts the rows that a statement deletes, by organization. The argument is the resource. Rows that are inserted are counted
-- by the statement that inserts them (store/quotas.rs).
CREATE FUNCTION count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE quota q SET used = q.used - gone.count
      FROM (SELECT organization, count(*) AS count FROM deleted GROUP BY organization) gone
     WHERE q.organization = gone.organization AND q.resource = TG_ARGV[0];
    RETURN NULL;
END $$;

CREATE TRIGGER count_deleted AFTER DELETE ON user_account REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION count_deleted('users');
CREATE TRIGGER count_deleted AFTER DELETE ON team REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION count_deleted('teams');
CREATE TRIGGER count_deleted AFTER DELETE ON membership REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION count_deleted('memberships');
CREATE TRIGGER count_deleted AFTER DELETE ON token REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION count_deleted('tokens');

INSERT INTO quota (organization, resource, used)
SELECT organization, 'users', count(*) FROM user_account GROUP BY organization
UNION ALL SELECT organization, 'teams', count(*) FROM team GROUP BY organization
UNION ALL SELECT organization, 'memberships', count(*) FROM membership GROUP BY organization
UNION ALL SELECT organization, 'tokens', count(*) FROM token GROUP BY organization;
