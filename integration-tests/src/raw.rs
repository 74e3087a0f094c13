//! A Kafka client of a few lines, for records that librdkafka cannot write.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha512};
use writ_kafka::{Connection, Login, MECHANISM};
use writ_log::hostile::{RawRecord, call, produce};

const PATIENCE: Duration = Duration::from_secs(20);
const SASL_HANDSHAKE: i16 = 17;
const SASL_AUTHENTICATE: i16 = 36;

/// A connection to the broker of a region, logged in as one of its principals.
pub struct RawProducer(StreamOwned<ClientConnection, TcpStream>);

impl RawProducer {
    /// Connects and logs in.
    ///
    /// # Errors
    /// When the broker cannot be reached or refuses.
    pub fn connect(kafka: &Connection) -> Result<Self> {
        let login = kafka.login().context("a login")?;
        let (host, _) = kafka.brokers().split_once(':').context("host:port")?;
        let socket = TcpStream::connect(kafka.brokers())?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from(host.to_owned())?;
        let mut producer = Self(StreamOwned::new(ClientConnection::new(trusting(login)?, name)?, socket));
        producer.log_in(login)?;
        Ok(producer)
    }

    /// Appends a record; the broker's error code, 0 for none.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn send(&mut self, topic: &str, partition: i32, record: &RawRecord<'_>) -> Result<i16> {
        Ok(produce(&mut self.0, topic, partition, record)?)
    }

    /// RFC 5802 and 7677, in Kafka's frames.
    fn log_in(&mut self, login: &Login) -> Result<()> {
        let answer = call(&mut self.0, SASL_HANDSHAKE, 1, &text(MECHANISM))?;
        ensure!(answer.starts_with(&[0, 0]), "the mechanism is refused");
        let first = format!("n={},r=writ", login.username);
        let server_first = self.authenticate(format!("n,,{first}").as_bytes())?;
        let field = |name: &str| server_first.split(',').find_map(|field| field.strip_prefix(name)).context("a field");
        let (nonce, salt) = (field("r=")?, BASE64_STANDARD.decode(field("s=")?)?);
        let salted = salted_password(login.password.expose_secret().as_bytes(), &salt, field("i=")?.parse()?)?;
        let without_proof = format!("c=biws,r={nonce}");
        let message = format!("{first},{server_first},{without_proof}");
        let client_key = signed(&salted, b"Client Key")?;
        let signature = signed(&Sha512::digest(&client_key), message.as_bytes())?;
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, signature)| key ^ signature).collect();
        self.authenticate(format!("{without_proof},p={}", BASE64_STANDARD.encode(proof)).as_bytes()).map(drop)
    }

    fn authenticate(&mut self, message: &[u8]) -> Result<String> {
        let answer = call(&mut self.0, SASL_AUTHENTICATE, 0, &bytes(message))?;
        let (code, rest) = answer.split_at_checked(2).context("an error code")?;
        if code != [0, 0] {
            bail!("the login is refused");
        }
        // A nullable text, the error's message, and then the bytes.
        let length = i16::from_be_bytes(rest.get(..2).context("a length")?.try_into()?).max(0);
        let token = rest.get(2 + usize::try_from(length)? + 4..).context("the server's message")?;
        Ok(String::from_utf8(token.to_vec())?)
    }
}

fn trusting(login: &Login) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&login.ca)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

fn salted_password(password: &[u8], salt: &[u8], iterations: u32) -> Result<Vec<u8>> {
    let mut last = signed(password, &[salt, &[0, 0, 0, 1]].concat())?;
    let mut all = last.clone();
    for _ in 1..iterations {
        last = signed(password, &last)?;
        all.iter_mut().zip(&last).for_each(|(all, last)| *all ^= last);
    }
    Ok(all)
}

fn signed(key: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key)?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().to_vec())
}

fn text(text: &str) -> Vec<u8> {
    [&i16::try_from(text.len()).unwrap_or(i16::MAX).to_be_bytes(), text.as_bytes()].concat()
}

fn bytes(bytes: &[u8]) -> Vec<u8> {
    [&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes(), bytes].concat()
}
