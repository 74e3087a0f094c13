//! Processes of the machine.

pub(crate) mod command;
pub(crate) mod identity;
pub(crate) mod launch;
pub(crate) mod supervisor;
