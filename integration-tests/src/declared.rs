//! The metrics that all services declare, as one list.

use writ_metrics::Metric;
use writ_service::telemetry::Program;

/// Every service, in the order of the documentation.
pub const PROGRAMS: [Program; 5] = [
    writ_identity::PROGRAM,
    writ_authorization::PROGRAM,
    writ_projector::PROGRAM,
    writ_audit::PROGRAM,
    writ_mirror_watch::PROGRAM,
];

/// A metric, and the services that export it.
pub struct Declared {
    /// The declaration.
    pub metric: &'static Metric,
    /// Names of the services.
    pub services: Vec<&'static str>,
}

/// What a service exports.
pub fn metrics_of(program: &Program) -> impl Iterator<Item = &'static Metric> {
    program.all_metrics().into_iter().flatten()
}

/// Every metric once, in the order in which the services declare them.
pub fn declared() -> Vec<Declared> {
    let mut all: Vec<Declared> = Vec::new();
    for program in &PROGRAMS {
        for metric in metrics_of(program) {
            match all.iter_mut().find(|known| known.metric == metric) {
                Some(known) => known.services.push(program.service()),
                None => all.push(Declared { metric, services: vec![program.service()] }),
            }
        }
    }
    all
}
