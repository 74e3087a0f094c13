//! Whole-system tests over real Kafka, MirrorMaker 2 and PostgreSQL.
