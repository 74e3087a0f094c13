//! The rows of policy chains in PostgreSQL.
