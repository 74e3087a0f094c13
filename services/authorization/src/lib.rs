//! Turns what happened in this region into policy change sets, one for each event.

pub mod derive;
pub mod effects;
pub mod entities;
mod entity_events;
mod identity_events;
pub mod inbound;
pub mod meters;
pub mod outgoing;
pub mod policies;
pub mod store;

#[cfg(test)]
mod entities_model_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod testing;
