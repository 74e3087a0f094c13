//! Prometheus, if there is one on the path: it reads the metrics of every region's services and judges them by the
//! rules of `infra/prometheus`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::cluster::{Cluster, LocalRegion};
use crate::error::{Error, Result};
use crate::launch::{self, Launch};
use crate::progress::Progress;
use crate::readiness::Ready;
use crate::services::Service;
use crate::supervisor::{Ending, Started};
use crate::up::Rising;

const SETTINGS: &str = include_str!("../../../infra/prometheus/prometheus.yml");
const RULES: [(&str, &str); 2] = [
    ("recording.yml", include_str!("../../../infra/prometheus/rules/recording.yml")),
    ("alerts.yml", include_str!("../../../infra/prometheus/rules/alerts.yml")),
];
/// Name of its process.
pub(crate) const NAME: &str = "prometheus";
/// How long samples are kept.
const RETENTION: &str = "6h";
const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(10) };

impl Cluster {
    /// Where Prometheus answers, if it runs.
    pub fn prometheus_url(&self) -> Option<String> {
        self.supervisor().running(NAME).map(|_| url(port(self.port_offset)))
    }

    /// Starts Prometheus. A cluster works without it, so what keeps it from starting is only shown: its port may
    /// belong to the Prometheus of this machine.
    pub(crate) async fn prometheus_up(&self, progress: &Progress) -> Result<()> {
        let Some(program) = launch::find(NAME) else { return Ok(()) };
        let port = port(self.port_offset);
        let step = progress.step(NAME);
        let launch = prepare(program, &self.home().root().join(NAME), &self.regions, port)?;
        let ready = Ready::Http(format!("{}/-/ready", url(port)));
        let rising = Rising { name: NAME.to_owned(), launch, ending: ENDING, ready };
        match self.raise(&rising, &step).await {
            Ok(Started::Found) => step.done("runs"),
            Ok(Started::Now) => step.done("started"),
            Err(error) => step.done(&format!("left out: {error}")),
        }
        Ok(())
    }
}

fn port(offset: u16) -> u16 {
    9_090_u16.saturating_add(offset)
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Writes the settings into `folder` and says how to start Prometheus on `port`.
fn prepare(program: PathBuf, folder: &Path, regions: &[LocalRegion], port: u16) -> Result<Launch> {
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

/// Every process with metrics, in the form of Prometheus' file discovery.
fn targets(regions: &[LocalRegion]) -> String {
    let services =
        |region| Service::ALL.map(|service| target(region, service.name(), LocalRegion::port(region, service)));
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
    use crate::ports::Ports;

    #[test]
    fn every_service_of_every_region_is_a_target_with_its_name() {
        let region = |number, code: &str| LocalRegion {
            code: code.parse().expect("a region"),
            ports: Ports::of(number, 500).expect("ports"),
            inside: false,
        };
        let text = targets(&[region(1, "us"), region(2, "eu")]);
        assert_eq!(text.matches("- targets:").count(), 2 * Service::ALL.len() + 2);
        let eu = "- targets: [\"127.0.0.1:28582\"]\n  labels: { region: eu, service: projector }\n";
        assert!(text.contains(eu), "{text}");
        assert!(text.contains("127.0.0.1:18585"), "{text}");
    }
}
