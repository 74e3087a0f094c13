-- Entries are append-only: the role of the service may read and insert them, and nothing else. The trigger refuses changes
-- already, but its owner could drop it.
DO $$
DECLARE other text;
BEGIN
    FOR other IN
        SELECT DISTINCT rights.grantee::regrole::text
          FROM pg_class, aclexplode(relacl) AS rights
         WHERE oid = 'entry'::regclass AND rights.grantee NOT IN (0, relowner)
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON entry FROM %s', other);
    END LOOP;
END
$$;
