-- Who runs the service sees which migrations there were, and cannot say that there were others. A database with one role
-- for everything has nobody to take this from.
DO $$
DECLARE other text;
BEGIN
    FOR other IN
        SELECT DISTINCT rights.grantee::regrole::text
          FROM pg_class, aclexplode(relacl) AS rights
         WHERE oid = '_sqlx_migrations'::regclass AND rights.grantee NOT IN (0, relowner)
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON _sqlx_migrations FROM %s', other);
    END LOOP;
END
$$;
