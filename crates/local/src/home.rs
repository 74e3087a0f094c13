//! The folders of a local cluster: one home with everything a cluster owns, one cache with what
//! all clusters of a project share (Kafka's jars and class-data archives).

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use writ_provision::create_folder;

use crate::error::{Error, Result};

/// Name of the default home folder, in the project's folder.
const HOME: &str = ".writ";
/// Name of the default cache folder, in the project's folder.
const CACHE: &str = ".writ-cache";
/// By this file the project's folder is known.
const LANDMARK: &str = "infra/topics.toml";

/// The home folder of one local cluster.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
    cache: PathBuf,
}

impl Home {
    /// Opens a home, creating its folders. Without `root` it is `.writ` in the project's folder, [within reach](within_reach)
    /// (found upwards from the current one); the cache is `WRIT_CACHE` or `.writ-cache` there.
    ///
    /// # Errors
    /// When a folder cannot be created.
    pub fn open(root: Option<&Path>) -> Result<Self> {
        let project = project()?;
        let root = absolute(root.map_or_else(|| within_reach(project.join(HOME)), Path::to_path_buf))?;
        let cache = std::env::var_os("WRIT_CACHE").map_or_else(|| project.join(CACHE), PathBuf::from);
        let home = Self { root, cache: absolute(cache)? };
        for folder in [home.root.clone(), home.run(), home.logs(), home.cache.clone()] {
            create_folder(&folder)?;
        }
        Ok(home)
    }

    /// The home folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What all clusters of the project share.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// One file a process that runs.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Where the processes' logs are.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The log of one process, such as `us-kafka`.
    pub fn log(&self, process: &str) -> PathBuf {
        self.logs().join(format!("{process}.log"))
    }

    /// Regions, ports and secrets.
    pub fn cluster_file(&self) -> PathBuf {
        self.root.join("cluster.json")
    }

    /// A region's folder, created.
    pub(crate) fn region(&self, region: &str) -> Result<PathBuf> {
        let folder = self.root.join(region);
        create_folder(&folder)?;
        Ok(folder)
    }
}

/// Where a home that is wanted at `wanted` can be: there, or under `/var/lib` when this is root, whose PostgreSQL runs
/// as another user, and that user may not pass through a folder above it (such as root's own).
pub fn within_reach(wanted: PathBuf) -> PathBuf {
    let closed = |folder: &Path| fs::metadata(folder).is_ok_and(|found| found.permissions().mode() & 0o001 == 0);
    if !nix::unistd::geteuid().is_root() || !wanted.ancestors().skip(1).any(closed) {
        return wanted;
    }
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    PathBuf::from(format!("/var/lib/writ-{:016x}", hasher.finish()))
}

fn project() -> Result<PathBuf> {
    let here = std::env::current_dir().map_err(Error::io("the current folder"))?;
    let found = here.ancestors().find(|folder| folder.join(LANDMARK).is_file());
    Ok(found.unwrap_or(&here).to_path_buf())
}

fn absolute(path: PathBuf) -> Result<PathBuf> {
    std::path::absolute(&path).map_err(Error::at(&path))
}
