//! The parts of a region: how each is prepared, started and checked.

pub(crate) mod jaeger;
pub(crate) mod jvm;
pub(crate) mod kafka;
pub(crate) mod mirror;
pub(crate) mod postgres;
pub mod prerequisites;
pub(crate) mod prometheus;
pub(crate) mod readiness;
pub(crate) mod services;
pub(crate) mod temporary;
pub(crate) mod tools;

use crate::process::supervisor::Ending;
use crate::region::Part;

/// How a part is stopped.
pub(crate) fn ending(part: Part) -> Ending {
    match part {
        Part::Postgres => postgres::ENDING,
        Part::Kafka => kafka::ENDING,
        Part::Mirror => mirror::ENDING,
        Part::MirrorWatch | Part::Service(_) => services::ENDING,
    }
}
