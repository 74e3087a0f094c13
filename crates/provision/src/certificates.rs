//! A certificate authority, and the brokers' certificates.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use crate::error::{Error, Result};
use crate::files::{create_folder, write_private};

/// The authority's certificate, which clients trust.
const CERTIFICATE: &str = "ca.pem";
/// The authority's key, which stays in the folder.
const KEY: &str = "ca.key";
/// Validity of a broker's certificate, and the age at which it is renewed.
const VALIDITY: Duration = Duration::from_secs(2 * 365 * 86_400);
const RENEWAL: Duration = Duration::from_secs(365 * 86_400);
/// Validity of the authority's certificate.
const AUTHORITY_VALIDITY: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A certificate authority with a folder of its own.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Opens the authority of a folder, creating it on first use.
    ///
    /// # Errors
    /// If the folder cannot be used, or its key is invalid.
    pub fn open(folder: &Path) -> Result<Self> {
        create_folder(folder)?;
        let (key, certificate) = (folder.join(KEY), folder.join(CERTIFICATE));
        if !certificate.is_file() {
            create_authority(&key, &certificate)?;
        }
        let key = fs::read_to_string(&key).map_err(Error::at(&key))?;
        let issuer = Issuer::new(authority()?, KeyPair::from_pem(&key)?);
        Ok(Self { folder: folder.to_path_buf(), issuer })
    }

    /// File with the authority's certificate.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// Writes key and certificate of a region's broker, valid for all of `hosts`, to `broker.pem` in `folder`, and the
    /// authority's certificate next to it. A certificate that is still good is kept.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn certify_broker(&self, region: &str, hosts: &[String], folder: &Path) -> Result<()> {
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

/// Name of a region's broker at its controller, one of `super.users` in `infra/kafka/secure.properties`.
fn broker_name(region: &str) -> String {
    format!("kafka-{region}")
}

fn create_authority(key_file: &Path, certificate_file: &Path) -> Result<()> {
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

/// Starts a day ago, because another machine's clock may be behind.
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
    fn a_brokers_certificate_is_kept_until_the_authority_changes() {
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
