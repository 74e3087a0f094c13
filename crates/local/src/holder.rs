//! Who listens on a port.

use std::net::{Ipv4Addr, TcpListener};

use crate::process::command_of;

/// Whether nobody listens on this loopback port.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The process that listens on a port, as far as this user may see it.
pub(crate) fn listener(port: u16) -> Option<u32> {
    system::holder(port, true)
}

/// A process that has a connection from or at a port, as far as this user may see it: systems
/// give outgoing connections ports at random, from about 32768 up.
pub(crate) fn connection(port: u16) -> Option<u32> {
    system::holder(port, false)
}

/// Who listens on a loopback port, for people: `process 4711 (nginx -g …)`. None if nobody does.
pub fn holder_of(port: u16) -> Option<String> {
    (!is_free(port)).then(|| describe(port))
}

/// The holder of a port that is not free, for people.
pub(crate) fn describe(port: u16) -> String {
    let named = |pid| format!("process {pid} ({})", command_of(pid));
    match (listener(port), connection(port)) {
        (Some(pid), _) => named(pid),
        (None, Some(pid)) => format!("a connection of {}", named(pid)),
        (None, None) => "another user's process".to_owned(),
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::HashSet;
    use std::fs;
    use std::path::Path;

    /// State of a listening socket in `/proc/net/tcp`.
    const LISTEN: &str = "0A";

    pub(super) fn holder(port: u16, listening: bool) -> Option<u32> {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        let sockets: HashSet<String> = tables.iter().flat_map(|table| sockets(table, port, listening)).collect();
        let processes = fs::read_dir("/proc").ok()?;
        processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .find(|pid| has_open(*pid, &sockets))
    }

    /// The sockets of a table at a port, as file descriptors show them.
    fn sockets(table: &str, port: u16, listening: bool) -> Vec<String> {
        let text = fs::read_to_string(table).unwrap_or_default();
        let wanted = format!(":{port:04X}");
        let rows = text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        rows.filter(|row| row.len() > 9 && row[1].ends_with(&wanted) && (row[3] == LISTEN) == listening)
            .map(|row| format!("socket:[{}]", row[9]))
            .collect()
    }

    fn has_open(pid: u32, sockets: &HashSet<String>) -> bool {
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
        let mut targets = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        targets.any(|target: std::path::PathBuf| Path::to_str(&target).is_some_and(|name| sockets.contains(name)))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::process::Command;

    pub(super) fn holder(port: u16, listening: bool) -> Option<u32> {
        let filter = format!("-iTCP:{port}");
        let state = if listening { "-sTCP:LISTEN" } else { "-sTCP:^LISTEN" };
        let output = Command::new("lsof").args(["-nP", "-t", state, &filter]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).lines().next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn names_the_process_that_listens() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        assert!(!is_free(port));
        assert_eq!(super::listener(port), Some(std::process::id()));
        drop(listener);
        assert!(is_free(port));
    }

    /// Another process may have a connection from the same port to somewhere else: not each time.
    #[test]
    fn names_the_process_whose_connection_has_the_port() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let mut attempts = (0..10).map(|_| {
            let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
            let port = stream.local_addr().expect("connected").port();
            assert!(!is_free(port));
            assert!(describe(port).starts_with("a connection of process"));
            (super::listener(port), connection(port))
        });
        assert!(attempts.any(|found| found == (None, Some(std::process::id()))));
    }
}
