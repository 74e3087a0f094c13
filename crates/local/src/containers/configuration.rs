//! What the containers are configured with: files of the checkout, copied to a volume that every container may read. Mounted from
//! the checkout, they would have its modes, and a checkout made with `umask 077` is closed to the users of the containers.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::cluster::Cluster;
use crate::error::{Error, Result};

/// Folders of `infra` that containers read.
const FOLDERS: [&str; 6] = ["grafana", "jaeger", "kafka", "mirrormaker", "postgres", "prometheus"];
/// Folder of `infra` with the targets of Prometheus, a file for each region.
const TARGETS: &str = "compose/targets";
/// Suffix of a file that is being written.
const UNFINISHED: &str = ".new";

impl Cluster {
    /// Copies the configuration of the containers from `infra` into `out`, where anybody may read it, and deletes there what is
    /// not part of it. Prometheus gets the targets of the cluster's regions only.
    ///
    /// # Errors
    /// If a file cannot be read or written.
    pub fn copy_configuration(&self, infra: &Path, out: &Path) -> Result<()> {
        open_folder(out)?;
        FOLDERS.iter().try_for_each(|folder| copy_folder(&infra.join(folder), &out.join(folder)))?;
        let targets = out.join("prometheus/targets");
        open_folder(&targets)?;
        let names: BTreeSet<_> = self.regions.iter().map(|region| format!("{}.yml", region.code)).collect();
        names.iter().try_for_each(|name| copy_file(&infra.join(TARGETS).join(name), &targets.join(name)))?;
        keep_only(&targets, &names.into_iter().map(OsString::from).collect())
    }
}

/// Makes `to` a copy of `from`, readable by anybody.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    open_folder(to)?;
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(from).map_err(Error::at(from))? {
        let entry = entry.map_err(Error::at(from))?;
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_folder(&source, &copy)?
        } else {
            copy_file(&source, &copy)?
        }
        names.insert(entry.file_name());
    }
    // Targets come from elsewhere.
    names.insert("targets".into());
    keep_only(to, &names)
}

/// Whoever reads `to` finds all of it, before and after.
fn copy_file(from: &Path, to: &Path) -> Result<()> {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(UNFINISHED);
    let unfinished = to.with_file_name(name);
    fs::copy(from, &unfinished).map_err(Error::at(from))?;
    fs::set_permissions(&unfinished, Permissions::from_mode(0o644)).map_err(Error::at(&unfinished))?;
    fs::rename(&unfinished, to).map_err(Error::at(to))
}

fn open_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(Error::at(folder))?;
    fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(Error::at(folder))
}

/// Deletes what an earlier copy left.
fn keep_only(folder: &Path, names: &BTreeSet<OsString>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::at(folder))? {
        let entry = entry.map_err(Error::at(folder))?;
        let path = entry.path();
        if !names.contains(&entry.file_name()) {
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }.map_err(Error::at(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Options;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// Copies the folder, and takes every right of others away, as `umask 077` does.
    fn closed_checkout(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            let (source, copy) = (entry.path(), to.join(entry.file_name()));
            if source.is_dir() {
                closed_checkout(&source, &copy);
            } else {
                fs::copy(&source, &copy).unwrap();
                fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
            }
        }
        fs::set_permissions(to, Permissions::from_mode(0o700)).unwrap();
    }

    #[test]
    fn containers_can_read_what_the_checkout_closes_to_others() {
        let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra");
        let (home, checkout, out) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        closed_checkout(&infra, checkout.path());
        let options = Options { home: Some(home.path().to_path_buf()), inside: true, ..Options::default() };
        let cluster = Cluster::open(options).unwrap();
        cluster.copy_configuration(checkout.path(), out.path()).unwrap();
        // An earlier build's file, a region that was removed, and a copy that was cut off.
        for stale in ["kafka/old.sh", "prometheus/targets/zz.yml", "postgres/postgresql.conf.new"] {
            fs::write(out.path().join(stale), "stale").unwrap();
        }
        fs::write(out.path().join("kafka/run.sh"), "half").unwrap();
        cluster.copy_configuration(checkout.path(), out.path()).unwrap();

        for file in ["kafka/run.sh", "postgres/postgresql.conf", "prometheus/rules/alerts.yml"] {
            assert_eq!(fs::read(out.path().join(file)).unwrap(), fs::read(infra.join(file)).unwrap(), "{file}");
            assert_eq!(mode(&out.path().join(file)), 0o644, "{file}");
        }
        assert_eq!([mode(out.path()), mode(&out.path().join("grafana/dashboards"))], [0o755; 2]);
        let names = |folder: &str| {
            let entries = fs::read_dir(out.path().join(folder)).unwrap();
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<BTreeSet<_>>()
        };
        assert_eq!(names("prometheus/targets"), ["eu.yml", "us.yml"].map(str::to_owned).into());
        assert!(!names("kafka").contains("old.sh"));
        assert_eq!(names("postgres"), ["postgresql.conf".to_owned()].into());
    }
}
