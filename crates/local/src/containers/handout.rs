//! Settings and secrets of the containers of `docker-compose.yml`: a folder for each, readable only by its user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use writ_kafka::access::rules::ADMINISTRATOR;
use writ_kafka::{Connection, Login, MECHANISM};
use writ_provision::certificates::Authority;
use writ_provision::{RegionSettings, Service, create_folder, write_private};

use crate::cluster::{Cluster, settings};
use crate::error::{Error, Result};
use crate::parts::kafka::{BrokerSecurity, BrokerSettings};
use crate::parts::mirror::{self, Alias};
use crate::parts::services::ProgramSettings;
use crate::region::{KAFKA_INSIDE, LOOPBACK, LocalRegion, Part};

/// Folder of the region, as seen by its containers.
const MOUNT: &str = "/run/writ";
/// Data folder of a broker in a container.
const KAFKA_DATA: &str = "/var/lib/kafka/data";
/// Port of the controller, on the loopback address of the container.
const CONTROLLER_PORT: u16 = 9093;
/// User of the official image of Kafka.
const KAFKA_USER: u32 = 1000;
/// User of the official image of PostgreSQL.
const POSTGRES_USER: u32 = 999;
/// File with what the entity producers may speak for.
const SCOPES: &str = "producers.toml";
/// Name of the containers that provision a region, and of their folders.
const PROVISION: &str = "provision";
/// User of these containers.
const PROVISIONER: u32 = 10_000;

/// User of a service's container. Each has its own, so that none can read the secrets of another.
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
    /// If a folder cannot be written, or its owner cannot be changed, which only root may do.
    pub fn write_container_files(&self, out: &Path) -> Result<()> {
        for region in &self.regions {
            let folder = out.join(region.code.as_str());
            create_folder(&folder)?;
            self.write_region(region, &folder)?;
        }
        Ok(())
    }

    /// Copies what an operator on the machine needs into `folder`, and makes the owner of `landmark` its owner.
    ///
    /// # Errors
    /// As [`Self::write_container_files`].
    pub fn copy_for_operator(&self, folder: &Path, landmark: &Path) -> Result<()> {
        let owner = fs::metadata(landmark).map_err(Error::at(landmark))?;
        let tls = folder.join("tls");
        create_folder(&tls)?;
        fs::copy(self.ca(), tls.join("ca.pem")).map_err(Error::at(&tls))?;
        let file = self.home().cluster_file();
        write_private(&folder.join("cluster.json"), &fs::read_to_string(&file).map_err(Error::at(&file))?)?;
        give_to(folder, owner.uid(), owner.gid())?;
        // The engine may have created the folder above, as root, to mount it.
        let above = folder.parent().unwrap_or(folder);
        chown(above, Some(owner.uid()), Some(owner.gid())).map_err(Error::at(above))
    }

    fn write_region(&self, region: &LocalRegion, folder: &Path) -> Result<()> {
        self.write_broker(region, &folder.join(Part::Kafka.name()))?;
        self.write_mirror(region, &folder.join(Part::Mirror.name()))?;
        let password = folder.join(Part::Postgres.name());
        create_folder(&password)?;
        write_private(&password.join("password"), &self.secrets.postgres_password)?;
        give(&password, POSTGRES_USER)?;
        // mirror-watch runs as the mirror's user, because they share a folder.
        let watch = settings::of_mirror_watch(self, region);
        self.write_settings(&folder.join(Part::MirrorWatch.name()), watch, KAFKA_USER)?;
        self.write_provisioning(region, &folder.join(PROVISION))?;
        Service::ALL.into_iter().try_for_each(|service| {
            let mut settings = settings::of_service(self, region, service);
            if service == Service::Authorization {
                let file = self.write_scopes(&folder.join(service.name()))?;
                settings.push(("entity_producers", file.display().to_string()));
            }
            self.write_settings(&folder.join(service.name()), settings, user_of(service))
        })
    }

    fn write_broker(&self, region: &LocalRegion, folder: &Path) -> Result<()> {
        create_folder(folder)?;
        let (code, name) = (region.code.as_str(), region.process(Part::Kafka));
        let hosts = ["localhost".to_owned(), LOOPBACK.to_owned(), name.clone()];
        Authority::open(&self.authority())?.certify_broker(code, &hosts, folder)?;
        let password = self.secrets.kafka_password(code, ADMINISTRATOR);
        let scram = format!("{MECHANISM}=[name={ADMINISTRATOR},password={}]", password.expose_secret());
        write_private(&folder.join("administrator"), &scram)?;
        let (client, host) = (format!("CLIENT://{name}:{KAFKA_INSIDE}"), region.ports.kafka);
        let settings = BrokerSettings {
            data: KAFKA_DATA.into(),
            controller_port: CONTROLLER_PORT,
            listeners: format!("CLIENT://:{KAFKA_INSIDE},HOST://:{host}"),
            advertised: format!("{client},HOST://{LOOPBACK}:{host}"),
            security: Some(BrokerSecurity { region: code.to_owned(), tls: mounted(Part::Kafka.name()), password }),
        };
        write_private(&folder.join("server.properties"), &settings.text())?;
        give(folder, KAFKA_USER)
    }

    fn write_mirror(&self, region: &LocalRegion, folder: &Path) -> Result<()> {
        self.write_authority(folder)?;
        let ca = mounted(Part::Mirror.name()).join("ca.pem");
        let moved = |alias: Alias| Alias { kafka: with_authority(&alias.kafka, ca.clone()), ..alias };
        let aliases: Vec<Alias> = self.aliases(region).into_iter().map(moved).collect();
        mirror::write_settings(folder, &aliases)?;
        give(folder, KAFKA_USER)
    }

    /// What the entity producers may speak for; returns the file as the container sees it.
    fn write_scopes(&self, folder: &Path) -> Result<PathBuf> {
        create_folder(folder)?;
        let text = self.scopes().to_text().map_err(|error| Error::Settings(error.to_string()))?;
        write_private(&folder.join(SCOPES), &text)?;
        Ok(mounted(Service::Authorization.name()).join(SCOPES))
    }

    /// Settings of `writ provision region`.
    fn write_provisioning(&self, region: &LocalRegion, folder: &Path) -> Result<()> {
        self.write_authority(folder)?;
        let settings = settings::of_region(self, region)?;
        let settings = RegionSettings { kafka_ca: Some(mounted(PROVISION).join("ca.pem")), ..settings };
        write_private(&folder.join("region.toml"), &settings.to_toml()?)?;
        give(folder, PROVISIONER)
    }

    /// Settings of a program and the certificate of the authority, readable by `user` alone.
    fn write_settings(&self, folder: &Path, settings: ProgramSettings, user: u32) -> Result<()> {
        self.write_authority(folder)?;
        let ca = Path::new(MOUNT).join(folder.file_name().unwrap_or_default()).join("ca.pem").display().to_string();
        let of = |(name, value): (&str, String)| (name.to_owned(), if name == "kafka_ca" { ca.clone() } else { value });
        let table: toml::Table = settings.into_iter().map(of).map(|(name, value)| (name, value.into())).collect();
        write_private(&folder.join("writ.toml"), &table.to_string())?;
        give(folder, user)
    }

    fn write_authority(&self, folder: &Path) -> Result<()> {
        create_folder(folder)?;
        let file = folder.join("ca.pem");
        fs::copy(Authority::open(&self.authority())?.certificate(), &file).map(drop).map_err(Error::at(&file))
    }
}

/// Folder of a container, as it sees it.
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

/// Changes the owner of a folder and everything in it, and closes it to others.
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

    /// Only root can change owners.
    #[test]
    fn a_services_settings_are_its_own_and_reach_the_region_by_name() {
        let (home, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let options = Options { home: Some(home.path().to_path_buf()), inside: true, ..Options::default() };
        let cluster = Cluster::open(options).unwrap();
        if !nix::unistd::geteuid().is_root() {
            eprintln!("skipped: only root can change owners");
            return;
        }
        cluster.write_container_files(out.path()).unwrap();
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
