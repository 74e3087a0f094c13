//! Process metrics, named as in all Prometheus clients. Left out where there is no `/proc`.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// `USER_HZ`, the unit of times in `/proc`: the same on every Linux.
const TICKS_PER_SECOND: u64 = 100;
/// Index of the user time in `/proc/self/stat`, counted after the program's name. The system time follows.
const USER_TIME: usize = 11;

/// Records the start time of the process.
pub(super) fn started() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    metrics::gauge!("process_start_time_seconds").set(now.as_secs_f64());
}

/// Reads memory, processor time and open files.
pub(crate) fn measure() {
    if let Some(bytes) = read("status").as_deref().and_then(resident_bytes) {
        metrics::gauge!("process_resident_memory_bytes").set(bytes as f64);
    }
    if let Some(seconds) = read("stat").as_deref().and_then(processor_seconds) {
        metrics::counter!("process_cpu_seconds_total").absolute(seconds);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        metrics::gauge!("process_open_fds").set(open.count() as f64);
    }
}

fn read(file: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/self/{file}")).ok()
}

fn resident_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn processor_seconds(stat: &str) -> Option<u64> {
    // The name may contain spaces and brackets; the fields after the last bracket do not.
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    let ticks: Vec<u64> = fields.skip(USER_TIME).take(2).map_while(|field| field.parse().ok()).collect();
    (ticks.len() == 2).then(|| ticks.iter().sum::<u64>() / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_processor_time_are_read_as_linux_writes_them() {
        assert_eq!(resident_bytes("Name:\twrit\nVmRSS:\t    2048 kB\nThreads:\t4\n"), Some(2_097_152));
        let stat = "42 (a ) name) S 1 42 42 0 -1 4194560 9 0 0 0 250 150 0 0 20 0 4 0 99 1 2";
        assert_eq!(processor_seconds(stat), Some(4));
        assert_eq!(processor_seconds("42 (cut) S 1"), None);
    }
}
