//! The event log: envelopes, codec, producer, consumer, outbox, positions, leases.
