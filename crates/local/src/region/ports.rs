//! Ports of a region: region number *n* has `n8081` and so on. A service with an API has its operational routes ten ports
//! above it. An offset is added to all ports of a cluster, so that
//! several clusters can run side by side.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The highest region number whose ports fit below 65536.
const MAX_REGIONS: usize = 5;

/// The ports of one region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// Management API.
    pub identity: u16,
    /// Health, status and metrics of identity.
    pub identity_operations: u16,
    /// Regional read API.
    pub projector: u16,
    /// Health, status and metrics of the projector.
    pub projector_operations: u16,
    /// Health, status and metrics of audit.
    pub audit: u16,
    /// Health, status and metrics of authorization.
    pub authorization: u16,
    /// Health, status and metrics of mirror-watch.
    pub mirror_watch: u16,
    /// Kafka, for clients.
    pub kafka: u16,
    /// Kafka's controller, for Kafka itself.
    pub controller: u16,
    /// PostgreSQL.
    pub postgres: u16,
}

impl Ports {
    /// The ports of region `number` (1 for the first).
    ///
    /// # Errors
    /// If a port would be above 65535.
    pub fn of(number: usize, offset: u16) -> Result<Self> {
        let port = |base: u32| {
            let port = u32::try_from(number).unwrap_or(u32::MAX).saturating_mul(10_000) + base + u32::from(offset);
            u16::try_from(port).map_err(|_| too_high(number, offset))
        };
        Ok(Self {
            identity: port(8081)?,
            identity_operations: port(8091)?,
            projector: port(8082)?,
            projector_operations: port(8092)?,
            audit: port(8083)?,
            authorization: port(8084)?,
            mirror_watch: port(8085)?,
            kafka: port(9092)?,
            controller: port(9093)?,
            postgres: port(5432)?,
        })
    }
}

fn too_high(number: usize, offset: u16) -> Error {
    Error::Settings(format!(
        "region number {number} with port offset {offset} would have ports above 65535: \
         at most {MAX_REGIONS} regions run on one machine, and fewer with a high offset"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follow_the_number_of_the_region() {
        let us = Ports::of(1, 0).expect("fits");
        assert_eq!((us.identity, us.projector, us.kafka, us.postgres), (18081, 18082, 19092, 15432));
        assert_eq!((us.identity_operations, us.projector_operations), (18091, 18092));
        let eu = Ports::of(2, 100).expect("fits");
        assert_eq!((eu.identity, eu.authorization, eu.mirror_watch, eu.kafka), (28181, 28184, 28185, 29192));
    }

    #[test]
    fn never_wrap_around() {
        assert!(Ports::of(5, 0).is_ok());
        assert!(Ports::of(6, 0).is_err());
        assert!(Ports::of(5, 6_500).is_err());
    }
}
