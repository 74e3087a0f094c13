//! Class-data archives: with them a JVM starts in half the time. They are made once, by running
//! a broker and a mirror on a cluster of their own until both have done what they do later.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use secrecy::SecretString;
use uuid::Uuid;
use writ_kafka::access::rules::ADMINISTRATOR;
use writ_kafka::{Connection, Login};

use writ_provision::certificates::Authority;
use writ_provision::create_folder;

use crate::cluster::LocalRegion;
use crate::error::{Error, Result};
use crate::jvm::{Jvm, Program};
use crate::kafka::{self, BrokerSecurity};
use crate::mirror::{self, Alias, Flow};
use crate::ports::Ports;
use crate::process::ProcessId;
use crate::progress::{Progress, Step};
use crate::readiness::Ready;
use crate::supervisor::{Ending, GLANCE, end};
use crate::temporary::free_port;

/// How long a broker or a mirror may take to do its work once.
const PATIENCE: Duration = Duration::from_secs(180);
/// Writing an archive takes its time after the signal.
const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(90) };

/// Makes the archives, if one is missing. The processes belong to `home`: should this command be killed,
/// they end with that cluster.
pub(crate) async fn ensure(jvm: &Jvm, home: &Path, progress: &Progress) -> Result<()> {
    if jvm.archive(Program::Broker).is_file() && jvm.archive(Program::Mirror).is_file() {
        return Ok(());
    }
    let step = progress.step("class-data archive");
    step.long("made once, so that Kafka starts fast");
    let folder = jvm.folder().join("training");
    create_folder(&folder)?;
    let made =
        Trainer { jvm, home, folder: &folder, password: Uuid::new_v4().to_string().into(), step: &step }.train().await;
    std::fs::remove_dir_all(&folder).map_err(Error::at(&folder))?;
    made?;
    step.done("made");
    Ok(())
}

struct Trainer<'a> {
    jvm: &'a Jvm,
    home: &'a Path,
    folder: &'a Path,
    password: SecretString,
    step: &'a Step,
}

impl Trainer<'_> {
    async fn train(&self) -> Result<()> {
        let region = region()?;
        self.step.note("running a broker, to see which classes it loads");
        let settings = kafka::settings_of(self.folder, &region, Some(self.security(&region)?));
        let file = kafka::write_settings(self.folder, &settings)?;
        kafka::format(self.jvm, self.folder, &settings, &file).await?;
        let broker = self.start(Program::Broker, &file, &[])?;
        let mirrored = self.train_mirror(&region).await;
        self.step.note("writing the broker's archive");
        end(&broker.process, ENDING).await;
        mirrored?;
        broker.keep(self.jvm)
    }

    async fn train_mirror(&self, region: &LocalRegion) -> Result<()> {
        let kafka = self.kafka(region);
        within("the training broker", Ready::Kafka(kafka.clone())).await?;
        writ_kafka::topics::ensure(&kafka, &[]).await.map_err(writ_provision::Error::from)?;
        self.step.note("running a mirror, to see which classes it loads");
        // From the broker to itself, under two names.
        let alias = |name: &str| Alias { name: name.to_owned(), kafka: kafka.clone() };
        let settings = mirror::write_settings(self.folder, &[alias("from"), alias("to")])?;
        let mirror = self.start(Program::Mirror, &settings, &["--clusters", "to"])?;
        let moved = within("the training mirror", Ready::Mirror(vec![Flow::new("from", kafka.clone())])).await;
        self.step.note("writing the mirror's archive");
        end(&mirror.process, ENDING).await;
        moved?;
        mirror.keep(self.jvm)
    }

    /// As secure as the brokers to come: the archive is to hold what that takes.
    fn security(&self, region: &LocalRegion) -> Result<BrokerSecurity> {
        let hosts = ["127.0.0.1".to_owned()];
        let code = region.code.as_str();
        Authority::open(&self.folder.join("tls"))?.certify_broker(code, &hosts, self.folder)?;
        Ok(BrokerSecurity { region: code.to_owned(), tls: self.folder.to_path_buf(), password: self.password.clone() })
    }

    fn kafka(&self, region: &LocalRegion) -> Connection {
        let (username, ca) = (ADMINISTRATOR.to_owned(), self.folder.join("ca.pem"));
        Connection::new(region.brokers(), Login { username, password: self.password.clone(), ca })
    }

    fn start(&self, program: Program, settings: &Path, args: &[&str]) -> Result<Training> {
        let fresh = self.jvm.archive(program).with_extension("new");
        let log = self.jvm.folder().join("training.log");
        let launch = self.jvm.training(program, settings, &fresh)?.args(args);
        let process = launch.spawn("training", self.home, &log)?;
        Ok(Training { process, program, fresh })
    }
}

/// A program that writes its archive when it ends.
struct Training {
    process: ProcessId,
    program: Program,
    fresh: PathBuf,
}

impl Training {
    fn keep(&self, jvm: &Jvm) -> Result<()> {
        std::fs::rename(&self.fresh, jvm.archive(self.program)).map_err(Error::at(&self.fresh))
    }
}

async fn within(name: &str, ready: Ready<'_>) -> Result<()> {
    let began = Instant::now();
    while let Err(last) = ready.look().await {
        if began.elapsed() > PATIENCE {
            return Err(Error::Deadline { name: name.to_owned(), waited: PATIENCE, last });
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

/// A region on two ports that are free now.
fn region() -> Result<LocalRegion> {
    let ports = Ports { kafka: free_port()?, controller: free_port()?, ..Ports::of(1, 0)? };
    let code = "training".parse().map_err(|_| Error::Settings("training is not a region".to_owned()))?;
    Ok(LocalRegion { code, ports, inside: false })
}
