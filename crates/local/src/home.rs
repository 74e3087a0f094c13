//! Folders: one home for each cluster, with everything that it owns, and one cache for all clusters of a project, with
//! Kafka's jars.

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
/// A file that marks the folder of the project.
const LANDMARK: &str = "infra/topics.toml";

/// The home folder of one local cluster.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
    cache: PathBuf,
}

impl Home {
    /// Opens a home, creating its folders. Without `root` it is `.writ` in the folder of the project, which is searched
    /// upwards from the current one, or a folder [within reach](within_reach). The cache is `WRIT_CACHE`, or `.writ-cache`
    /// in the project.
    ///
    /// # Errors
    /// If a folder cannot be created.
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

    /// Files shared by all clusters of the project.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Records of running processes, a file for each.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Folder of the processes' logs.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The log of one process, such as `us-kafka`.
    pub fn log(&self, process: &str) -> PathBuf {
        self.logs().join(format!("{process}.log"))
    }

    /// The description of the cluster.
    pub fn cluster_file(&self) -> PathBuf {
        self.root.join("cluster.json")
    }

    /// Folder of a region, created if it is missing.
    pub(crate) fn region(&self, region: &str) -> Result<PathBuf> {
        let folder = self.root.join(region);
        create_folder(&folder)?;
        Ok(folder)
    }
}

/// `wanted`, or a folder under `/var/lib` if `wanted` cannot be used: PostgreSQL of root runs as another user, who must
/// be able to pass through all folders above.
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
