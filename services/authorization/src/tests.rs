//! Property tests: authorization against plain models of what organizations and producers do.

mod entities;
mod hostile;
mod identity;
