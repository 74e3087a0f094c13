//! Class-data archives: with them a JVM starts in half the time. They are made once, by running
//! a broker and a mirror on a cluster of their own until both have done what they do later.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::cluster::LocalRegion;
use crate::error::{Error, Result};
use crate::home::create;
use crate::jvm::{Jvm, Program};
use crate::kafka;
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

/// Makes the archives that are missing.
pub(crate) async fn ensure(jvm: &Jvm, progress: &Progress) -> Result<()> {
    if jvm.archive(Program::Broker).is_file() && jvm.archive(Program::Mirror).is_file() {
        return Ok(());
    }
    let step = progress.step("class-data archive");
    step.long("made once, so that Kafka starts fast");
    let folder = jvm.folder().join("training");
    create(&folder)?;
    let made = train(jvm, &folder, &step).await;
    std::fs::remove_dir_all(&folder).map_err(Error::at(&folder))?;
    made?;
    step.done("made");
    Ok(())
}

async fn train(jvm: &Jvm, folder: &Path, step: &Step) -> Result<()> {
    let region = region()?;
    step.note("running a broker, to see which classes it loads");
    let settings = kafka::write_settings(folder, &region)?;
    kafka::format(jvm, folder, &settings).await?;
    let broker = start(jvm, Program::Broker, &settings, &[])?;
    let mirrored = train_mirror(jvm, folder, &region, step).await;
    step.note("writing the broker's archive");
    end(&broker.process, ENDING).await;
    mirrored?;
    broker.keep(jvm)
}

async fn train_mirror(jvm: &Jvm, folder: &Path, region: &LocalRegion, step: &Step) -> Result<()> {
    let brokers = region.brokers();
    within("the training broker", Ready::Kafka(brokers.clone())).await?;
    writ_log::topics::ensure(&brokers).await.map_err(|error| Error::Settings(error.to_string()))?;
    step.note("running a mirror, to see which classes it loads");
    // From the broker to itself, under two names.
    let alias = |name: &str| Alias { name: name.to_owned(), brokers: brokers.clone() };
    let settings = mirror::write_settings(folder, &[alias("from"), alias("to")])?;
    let mirror = start(jvm, Program::Mirror, &settings, &["--clusters", "to"])?;
    let moved = within("the training mirror", Ready::Mirror(vec![Flow::new("from", brokers)])).await;
    step.note("writing the mirror's archive");
    end(&mirror.process, ENDING).await;
    moved?;
    mirror.keep(jvm)
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

fn start(jvm: &Jvm, program: Program, settings: &Path, args: &[&str]) -> Result<Training> {
    let fresh = jvm.archive(program).with_extension("new");
    let log = jvm.folder().join("training.log");
    let launch = jvm.training(program, settings, &fresh)?.args(args);
    let process = launch.spawn("training", jvm.folder(), &log)?;
    Ok(Training { process, program, fresh })
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
    Ok(LocalRegion { code, ports })
}
