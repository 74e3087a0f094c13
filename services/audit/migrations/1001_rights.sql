-- What is recorded stays: who runs the service may read entries and add to them, no more. The trigger refuses anyhow;
-- but only the owner could take the trigger away.
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
