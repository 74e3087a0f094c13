//! Ports kept until their process takes them. Those of the third region and up lie where the
//! system takes ports for outgoing connections from: without this, a connection of the first
//! region's services would now and then have one.

use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use crate::cluster::Cluster;
use crate::part::Part;
use crate::supervisor::Supervisor;

/// Ports that nobody else can take.
#[derive(Debug, Default)]
pub(crate) struct Reserved(Mutex<HashMap<u16, TcpListener>>);

impl Reserved {
    /// Gives ports free, for the process that starts next.
    pub(crate) fn release(&self, ports: &[u16]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ports.iter().for_each(|port| drop(kept.remove(port)));
    }

    async fn keep(&self, port: u16, supervisor: &Supervisor) {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
        let mut listener = bind();
        if listener.is_none() {
            supervisor.reclaim(port).await;
            listener = bind();
        }
        // What runs has its port itself; a stranger is reported when the port is wanted.
        if let Some(listener) = listener {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(port, listener);
        }
    }
}

impl Cluster {
    /// Keeps the ports of all parts that do not run.
    pub(crate) async fn reserve(&self) -> Reserved {
        let reserved = Reserved::default();
        for region in &self.regions {
            let ports = Part::all().filter_map(|part| region.port_of(part)).chain([region.ports.controller]);
            for port in ports {
                reserved.keep(port, &self.supervisor()).await;
            }
        }
        reserved
    }
}
