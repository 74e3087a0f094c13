//! Prometheus, if it is on the path: scrapes the services of every region and evaluates the rules in `infra/prometheus`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use writ_provision::Service;

use crate::error::{Error, Result};
use crate::process::launch::{self, Launch};
use crate::process::supervisor::Ending;
use crate::region::LocalRegion;

const SETTINGS: &str = include_str!("../../../../infra/prometheus/prometheus.yml");
const RULES: [(&str, &str); 2] = [
    ("recording.yml", include_str!("../../../../infra/prometheus/rules/recording.yml")),
    ("alerts.yml", include_str!("../../../../infra/prometheus/rules/alerts.yml")),
];
/// Name of the process.
pub(crate) const NAME: &str = "prometheus";
/// Retention of samples.
const RETENTION: &str = "6h";
pub(crate) const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(10) };

pub(crate) fn port(offset: u16) -> u16 {
    9_090_u16.saturating_add(offset)
}

pub(crate) fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

pub(crate) fn find() -> Option<PathBuf> {
    launch::find(NAME)
}

/// Writes the settings into `folder`.
pub(crate) fn prepare(program: PathBuf, folder: &Path, regions: &[LocalRegion], port: u16) -> Result<Launch> {
    let settings = folder.join("prometheus.yml");
    write(&settings, SETTINGS)?;
    write(&folder.join("targets/writ.yml"), &targets(regions))?;
    let rules = RULES.map(|(name, text)| (folder.join("rules").join(name), text));
    rules.iter().try_for_each(|(file, text)| write(file, text))?;
    let launch = Launch::new(program).settings(&settings).ports([port]);
    let launch = rules.iter().fold(launch, |launch, (file, _)| launch.settings(file));
    Ok(launch.args([
        format!("--config.file={}", settings.display()),
        format!("--storage.tsdb.path={}", folder.join("data").display()),
        format!("--storage.tsdb.retention.time={RETENTION}"),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--log.level=warn".to_owned(),
    ]))
}

fn write(file: &Path, text: &str) -> Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all).map_err(Error::at(file))?;
    fs::write(file, text).map_err(Error::at(file))
}

/// Every process with metrics, in the format of Prometheus' file discovery.
fn targets(regions: &[LocalRegion]) -> String {
    let services = |region| {
        Service::ALL.map(|service| target(region, service.name(), LocalRegion::operations_port(region, service)))
    };
    let mirrors = regions.iter().filter(|_| regions.len() > 1);
    let mirrors = mirrors.map(|region| target(region, "mirror-watch", region.ports.mirror_watch));
    regions.iter().flat_map(services).chain(mirrors).collect()
}

fn target(region: &LocalRegion, service: &str, port: u16) -> String {
    let labels = format!("{{ region: {}, service: {service} }}", region.code);
    format!("- targets: [\"127.0.0.1:{port}\"]\n  labels: {labels}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::ports::Ports;

    #[test]
    fn every_service_of_every_region_is_a_target_with_its_name() {
        let region = |number, code: &str| LocalRegion {
            code: code.parse().expect("a region"),
            ports: Ports::of(number, 500).expect("ports"),
            inside: false,
        };
        let text = targets(&[region(1, "us"), region(2, "eu")]);
        assert_eq!(text.matches("- targets:").count(), 2 * Service::ALL.len() + 2);
        let eu = "- targets: [\"127.0.0.1:28592\"]\n  labels: { region: eu, service: projector }\n";
        assert!(text.contains(eu), "{text}");
        assert!(text.contains("127.0.0.1:18585"), "{text}");
    }
}
