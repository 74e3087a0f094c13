//! What the containers of `docker-compose.yml` are given: settings and secrets, in a folder for each that only its own
//! user may read.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use writ_kafka::access::rules::ADMINISTRATOR;
use writ_kafka::{Connection, Login, MECHANISM};

use writ_provision::certificates::Authority;
use writ_provision::{RegionSettings, create_folder, write_private};

use crate::addresses::LOOPBACK;
use crate::cluster::{Cluster, LocalRegion};
use crate::error::{Error, Result};
use crate::kafka::{BrokerSecurity, BrokerSettings, INSIDE_PORT};
use crate::mirror::{self, Alias};
use crate::mirror_watch;
use crate::part::Part;
use crate::services::{self, Service};

/// Where a container finds the folder of its region.
const MOUNT: &str = "/run/writ";
/// Where a broker in a container keeps its records.
const KAFKA_DATA: &str = "/var/lib/kafka/data";
/// Port of its controller, for itself alone.
const CONTROLLER_PORT: u16 = 9093;
/// The user of the official image of Kafka.
const KAFKA_USER: u32 = 1000;
/// The user of the official image of PostgreSQL.
const POSTGRES_USER: u32 = 999;
/// Name of the containers that provision a region, and of their folders.
const PROVISION: &str = "provision";
/// The user of these containers.
const PROVISIONER: u32 = 10_000;

/// The user that a service's container runs as: nobody else's, so that none reads another's secrets.
fn user_of(service: Service) -> u32 {
    match service {
        Service::Identity => 10_001,
        Service::Authorization => 10_002,
        Service::Projector => 10_003,
        Service::Audit => 10_004,
    }
}

impl Cluster {
    /// Writes the settings and secrets of each container into a folder for each region under `out`, replacing earlier
    /// ones.
    ///
    /// # Errors
    /// When a folder cannot be written, or its owner cannot be changed, which takes root.
    pub fn hand_out(&self, out: &Path) -> Result<()> {
        for region in &self.regions {
            let folder = out.join(region.code.as_str());
            create_folder(&folder)?;
            self.hand_out_to(region, &folder)?;
        }
        Ok(())
    }

    /// Copies what an operator on the machine needs, to reach the cluster from outside, into `folder`, and gives it to
    /// whoever owns `landmark`.
    ///
    /// # Errors
    /// As [`Self::hand_out`].
    pub fn copy_for_operator(&self, folder: &Path, landmark: &Path) -> Result<()> {
        let owner = fs::metadata(landmark).map_err(Error::at(landmark))?;
        let tls = folder.join("tls");
        create_folder(&tls)?;
        fs::copy(self.ca(), tls.join("ca.pem")).map_err(Error::at(&tls))?;
        let file = self.home().cluster_file();
        write_private(&folder.join("cluster.json"), &fs::read_to_string(&file).map_err(Error::at(&file))?)?;
        give_to(folder, owner.uid(), owner.gid())?;
        // The folder above may have been made by the engine, as root, when it was mounted.
        let above = folder.parent().unwrap_or(folder);
        chown(above, Some(owner.uid()), Some(owner.gid())).map_err(Error::at(above))
    }

    fn hand_out_to(&self, region: &LocalRegion, folder: &Path) -> Result<()> {
        self.hand_out_broker(region, &folder.join(Part::Kafka.name()))?;
        self.hand_out_mirror(region, &folder.join(Part::Mirror.name()))?;
        let password = folder.join(Part::Postgres.name());
        create_folder(&password)?;
        write_private(&password.join("password"), &self.secrets.postgres_password)?;
        give(&password, POSTGRES_USER)?;
        // The watch over the mirror runs as the mirror's user, because they share a folder.
        let watch = mirror_watch::settings(self, region);
        self.hand_out_settings(&folder.join(Part::MirrorWatch.name()), watch, KAFKA_USER)?;
        self.hand_out_provisioning(region, &folder.join(PROVISION))?;
        Service::ALL.into_iter().try_for_each(|service| {
            let settings = services::settings(self, region, service);
            self.hand_out_settings(&folder.join(service.name()), settings, user_of(service))
        })
    }

    fn hand_out_broker(&self, region: &LocalRegion, folder: &Path) -> Result<()> {
        create_folder(folder)?;
        let (code, name) = (region.code.as_str(), region.process(Part::Kafka));
        let hosts = ["localhost".to_owned(), LOOPBACK.to_owned(), name.clone()];
        Authority::open(&self.tls_folder())?.certify_broker(code, &hosts, folder)?;
        let password = self.secrets.kafka_password(code, ADMINISTRATOR);
        let scram = format!("{MECHANISM}=[name={ADMINISTRATOR},password={}]", password.expose_secret());
        write_private(&folder.join("administrator"), &scram)?;
        let (client, host) = (format!("CLIENT://{name}:{INSIDE_PORT}"), region.ports.kafka);
        let settings = BrokerSettings {
            data: KAFKA_DATA.into(),
            controller_port: CONTROLLER_PORT,
            listeners: format!("CLIENT://:{INSIDE_PORT},HOST://:{host}"),
            advertised: format!("{client},HOST://{LOOPBACK}:{host}"),
            security: Some(BrokerSecurity { region: code.to_owned(), tls: mounted(Part::Kafka.name()), password }),
        };
        write_private(&folder.join("server.properties"), &settings.text())?;
        give(folder, KAFKA_USER)
    }

    fn hand_out_mirror(&self, region: &LocalRegion, folder: &Path) -> Result<()> {
        self.hand_out_authority(folder)?;
        let ca = mounted(Part::Mirror.name()).join("ca.pem");
        let moved = |alias: Alias| Alias { kafka: with_authority(&alias.kafka, ca.clone()), ..alias };
        let aliases: Vec<Alias> = self.aliases(region).into_iter().map(moved).collect();
        mirror::write_settings(folder, &aliases)?;
        give(folder, KAFKA_USER)
    }

    /// Settings of `writ provision region`.
    fn hand_out_provisioning(&self, region: &LocalRegion, folder: &Path) -> Result<()> {
        self.hand_out_authority(folder)?;
        let settings = self.region_settings(region)?;
        let settings = RegionSettings { kafka_ca: Some(mounted(PROVISION).join("ca.pem")), ..settings };
        write_private(&folder.join("region.toml"), &settings.to_toml()?)?;
        give(folder, PROVISIONER)
    }

    /// Settings of a program of ours, and what it checks brokers' certificates with, for `user` alone.
    fn hand_out_settings(&self, folder: &Path, settings: Vec<(&'static str, String)>, user: u32) -> Result<()> {
        self.hand_out_authority(folder)?;
        let ca = Path::new(MOUNT).join(folder.file_name().unwrap_or_default()).join("ca.pem").display().to_string();
        let of = |(name, value): (&str, String)| (name.to_owned(), if name == "kafka_ca" { ca.clone() } else { value });
        let table: toml::Table = settings.into_iter().map(of).map(|(name, value)| (name, value.into())).collect();
        write_private(&folder.join("writ.toml"), &table.to_string())?;
        give(folder, user)
    }

    fn hand_out_authority(&self, folder: &Path) -> Result<()> {
        create_folder(folder)?;
        let file = folder.join("ca.pem");
        fs::copy(Authority::open(&self.tls_folder())?.certificate(), &file).map(drop).map_err(Error::at(&file))
    }
}

/// Where a container finds its own folder.
fn mounted(name: &str) -> PathBuf {
    Path::new(MOUNT).join(name)
}

fn with_authority(kafka: &Connection, ca: PathBuf) -> Connection {
    match kafka.login() {
        Some(login) => Connection::new(kafka.brokers(), Login { ca, ..login.clone() }),
        None => kafka.clone(),
    }
}

fn give(folder: &Path, user: u32) -> Result<()> {
    give_to(folder, user, user)
}

/// A folder and all in it are the user's, and nobody else may look inside.
fn give_to(path: &Path, user: u32, group: u32) -> Result<()> {
    chown(path, Some(user), Some(group)).map_err(Error::at(path))?;
    if !path.is_dir() {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(Error::at(path))?;
    let inside = fs::read_dir(path).map_err(Error::at(path))?;
    inside.flatten().try_for_each(|entry| give_to(&entry.path(), user, group))
}

#[cfg(test)]
mod tests {
    use crate::Options;

    use super::*;

    /// Owners are changed only where this runs as root; here it is who runs the tests.
    #[test]
    fn a_services_settings_are_its_own_and_reach_the_region_by_name() {
        let (home, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let options = Options { home: Some(home.path().to_path_buf()), inside: true, ..Options::default() };
        let cluster = Cluster::open(options).unwrap();
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: only root may give files away");
            return;
        }
        cluster.hand_out(out.path()).unwrap();
        let text = fs::read_to_string(out.path().join("eu/authorization/writ.toml")).unwrap();
        assert!(
            text.contains(r#"kafka_brokers = "eu-kafka:9092""#) && text.contains("@eu-postgres:5432/authorization")
        );
        assert!(!text.contains(&cluster.secrets.operator_token));
        let found = fs::metadata(out.path().join("eu/authorization")).unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (10_002, 0o700));
        let mirror = fs::read_to_string(out.path().join("eu/mirror/mm2.properties")).unwrap();
        assert!(mirror.contains("us.bootstrap.servers = us-kafka:9092") && mirror.contains("/run/writ/mirror/ca.pem"));
        let region = RegionSettings::read(&out.path().join("eu/provision/region.toml")).unwrap();
        assert_eq!(region.kafka().unwrap().unwrap().brokers(), "eu-kafka:9092");
        assert_eq!(region.kafka_ca.unwrap(), Path::new("/run/writ/provision/ca.pem"));
        let watch = fs::read_to_string(out.path().join("eu/mirror-watch/writ.toml")).unwrap();
        assert!(watch.contains(r#"kafka_username = "mirror""#) && watch.contains("/run/writ/mirror-watch/ca.pem"));
    }
}
