//! Policies as pure data: change sets, digests, application and decisions, without I/O.
