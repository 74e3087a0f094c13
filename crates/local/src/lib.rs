//! A local cluster of regions from real parts: Kafka, MirrorMaker 2, PostgreSQL, the services.
