//! Which cluster a command means: that of processes, or that of containers.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Result;
use crate::home::Home;
use crate::process::supervisor::Supervisor;
use crate::region::ports::Ports;

/// Folder, in the default home, with what an operator needs of the cluster of containers.
const CONTAINERS: &str = "compose";
/// Time-out of a connection to a port of this machine.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(300);

/// Finds the home, and whether its parts run in containers. Without `root` the cluster of containers is meant if it
/// answers and no process of the default home runs.
pub(crate) fn find_home(root: Option<&Path>, inside: bool) -> Result<(Home, bool)> {
    let home = Home::open(root)?;
    if home.root().file_name().is_some_and(|name| name == CONTAINERS) {
        return Ok((home, true));
    }
    let containers = operators_copy(home.root()).filter(|_| root.is_none() && !inside);
    match containers {
        Some(folder) if Supervisor::new(home.clone()).none_runs() && answers(Ports::of(1, 0)?.identity) => {
            Ok((Home::open(Some(&folder))?, true))
        }
        _ => Ok((home, false)),
    }
}

fn operators_copy(own: &Path) -> Option<PathBuf> {
    let folder = own.join(CONTAINERS);
    folder.join("cluster.json").is_file().then_some(folder)
}

fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), CONNECT_TIMEOUT).is_ok()
}
