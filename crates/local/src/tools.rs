//! Everything that must be there before a process can start: programs, jars, archives.

use crate::archive;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use crate::jvm::Jvm;
use crate::lock;
use crate::postgres::Postgres;
use crate::prerequisites;
use crate::progress::Progress;
use crate::reserve::Reserved;

/// What processes are started with.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) jvm: Jvm,
    pub(crate) postgres: Postgres,
    /// Ports of the parts that are still to start.
    pub(crate) reserved: Reserved,
}

impl Cluster {
    /// Finds the programs, fetches Kafka's jars and makes the class-data archives: what is done
    /// once on a machine.
    pub(crate) async fn tools(&self, install: bool, progress: &Progress) -> Result<Tools> {
        let cache = self.home().cache();
        let _lock = lock::take(cache).await?;
        let need_maven = !Jvm::new("java".into(), cache).is_fetched();
        let found = prerequisites::find_all(need_maven, install, progress).await?;
        let jvm = Jvm::new(found.java, cache);
        if need_maven {
            let step = progress.step("kafka jars");
            step.long("Maven fetches them, once");
            let maven = found.maven.ok_or_else(|| Error::Missing("Maven is missing".to_owned()))?;
            jvm.fetch(&maven).await?;
            step.done("fetched");
        }
        archive::ensure(&jvm, self.home().root(), progress).await?;
        Ok(Tools { jvm, postgres: Postgres::new(found.postgres)?, reserved: Reserved::default() })
    }
}
