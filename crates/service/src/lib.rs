//! What every service has: configuration, telemetry, health, errors, shutdown, database.
