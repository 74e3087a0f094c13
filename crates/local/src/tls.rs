//! The certificate authority of a cluster, made once, and the brokers' certificates.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::error::{Error, Result};
use crate::home::{create, write_private};

/// The authority's certificate, which clients check the brokers' with.
const CERTIFICATE: &str = "ca.pem";
/// The authority's key, which never leaves the folder.
const KEY: &str = "ca.key";
/// How long a broker's certificate is good for, and when it is made anew.
const VALIDITY: Duration = Duration::from_secs(2 * 365 * 86_400);
const RENEWAL: Duration = Duration::from_secs(365 * 86_400);
/// The authority's own.
const AUTHORITY_VALIDITY: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A certificate authority in a folder of its own.
#[derive(Debug)]
pub(crate) struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Opens the authority of a folder; makes it the first time.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        create(folder)?;
        let (key, certificate) = (folder.join(KEY), folder.join(CERTIFICATE));
        if !certificate.is_file() {
            make(&key, &certificate)?;
        }
        let key = fs::read_to_string(&key).map_err(Error::at(&key))?;
        let issuer = Issuer::new(authority()?, KeyPair::from_pem(&key)?);
        Ok(Self { folder: folder.to_path_buf(), issuer })
    }

    /// File with the authority's certificate.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// Writes key and certificate of a region's broker, reached as any of `hosts`, to `broker.pem` in `folder`, and the
    /// authority's certificate beside it. What is there already stays while it is good.
    pub(crate) fn certify_broker(&self, region: &str, hosts: &[String], folder: &Path) -> Result<()> {
        let (broker, ca) = (folder.join("broker.pem"), folder.join(CERTIFICATE));
        if is_fresh(&broker) && fs::read(&ca).ok() == fs::read(self.certificate()).ok() {
            return Ok(());
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(hosts)?;
        params.distinguished_name = named(&broker_name(region));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        valid_for(&mut params, VALIDITY);
        let certificate = params.signed_by(&key, &self.issuer)?;
        write_private(&broker, &format!("{}{}", key.serialize_pem(), certificate.pem()))?;
        fs::copy(self.certificate(), &ca).map(drop).map_err(Error::at(&ca))
    }
}

/// As whom a region's broker comes to its controller: `super.users` of `infra/kafka/secure.properties`.
fn broker_name(region: &str) -> String {
    format!("kafka-{region}")
}

fn make(key_file: &Path, certificate_file: &Path) -> Result<()> {
    let key = KeyPair::generate()?;
    let certificate = authority()?.self_signed(&key)?;
    write_private(key_file, &key.serialize_pem())?;
    fs::write(certificate_file, certificate.pem()).map_err(Error::at(certificate_file))
}

fn authority() -> Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = named("writ");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid_for(&mut params, AUTHORITY_VALIDITY);
    Ok(params)
}

fn named(name: &str) -> rcgen::DistinguishedName {
    let mut full = rcgen::DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}

/// A day ago already: another machine's clock may be behind.
fn valid_for(params: &mut CertificateParams, time: Duration) {
    let now = SystemTime::now();
    params.not_before = (now - Duration::from_secs(86_400)).into();
    params.not_after = (now + time).into();
}

fn is_fresh(file: &Path) -> bool {
    let made = fs::metadata(file).and_then(|found| found.modified()).ok();
    made.and_then(|made| made.elapsed().ok()).is_some_and(|age| age < RENEWAL)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_authority_is_made_once_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = fs::read(Authority::open(folder.path()).unwrap().certificate()).unwrap();
        let again = fs::read(Authority::open(folder.path()).unwrap().certificate()).unwrap();
        assert_eq!(first, again);
        let mode = fs::metadata(folder.path().join(KEY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_brokers_certificate_is_made_once_and_anew_for_another_authority() {
        let (one, two, broker) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let read = || fs::read_to_string(broker.path().join("broker.pem")).unwrap();
        let hosts = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let authority = Authority::open(one.path()).unwrap();
        authority.certify_broker("us", &hosts, broker.path()).unwrap();
        let first = read();
        assert!(first.contains("PRIVATE KEY") && first.contains("BEGIN CERTIFICATE"));
        authority.certify_broker("us", &hosts, broker.path()).unwrap();
        assert_eq!(read(), first);
        Authority::open(two.path()).unwrap().certify_broker("us", &hosts, broker.path()).unwrap();
        assert_ne!(read(), first);
    }
}
