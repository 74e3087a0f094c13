//! What must be on the machine before a part can start: programs and Kafka's jars.

use std::path::Path;

use crate::error::{Error, Result};
use crate::lock;
use crate::parts::jvm::Jvm;
use crate::parts::postgres::Postgres;
use crate::parts::prerequisites;
use crate::progress::Progress;

/// Programs that parts are started with.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) jvm: Jvm,
    pub(crate) postgres: Postgres,
}

impl Tools {
    /// Finds the programs, and fetches Kafka's jars into the cache on first use.
    pub(crate) async fn find(cache: &Path, install: bool, progress: &Progress) -> Result<Self> {
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
        Ok(Self { jvm, postgres: Postgres::new(found.postgres)? })
    }
}
