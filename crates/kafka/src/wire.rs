//! Kafka's protocol itself, for requests that librdkafka does not have (docs/decisions/0019). Blocking, with time limits.
//!
//! The protocol is described at <https://kafka.apache.org/protocol>.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rsasl::mechname::Mechname;
use rsasl::prelude::{SASLClient, SASLConfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, pem};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use secrecy::ExposeSecret;

use crate::{Connection, Login, MECHANISM};

/// Time limit for connecting, and for each reading and writing.
const PATIENCE: Duration = Duration::from_secs(20);
/// Largest answer that is read.
const MAX_ANSWER: usize = 1 << 20;
/// Most messages of a login.
const MAX_STEPS: usize = 8;
const SASL_HANDSHAKE: i16 = 17;
const SASL_AUTHENTICATE: i16 = 36;
/// Any number: only one request is on its way at a time.
const CORRELATION_ID: i32 = 7;

/// An authenticated connection to a broker.
#[derive(Debug)]
pub struct WireConnection(StreamOwned<ClientConnection, TcpStream>);

/// Why a broker could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The connection failed, or the broker did not answer in time.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// TLS could not be set up.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The certificate authorities could not be read.
    #[error("certificate authorities: {0}")]
    Authorities(#[from] pem::Error),
    /// The broker, or its proof of knowing the password, was not accepted, or ours was not.
    #[error("login: {0}")]
    Login(String),
    /// The listener is unauthenticated, or an address is not of the form `host:port`.
    #[error("{0} is not an address of a listener with TLS and SASL")]
    Address(String),
    /// The answer is shorter or longer than it can be.
    #[error("an answer of another form")]
    Malformed,
}

impl WireConnection {
    /// Connects to the first broker that accepts, and logs in.
    ///
    /// # Errors
    /// When no broker can be reached, or the login is refused.
    pub fn open(kafka: &Connection) -> Result<Self, WireError> {
        let login = kafka.login().ok_or_else(|| WireError::Address(kafka.brokers().to_owned()))?;
        let mut connection = connected(kafka.brokers(), login)?;
        authenticate(&mut connection, login)?;
        Ok(Self(connection))
    }

    /// The stream of bytes itself.
    pub fn stream(&mut self) -> &mut (impl Read + Write + use<>) {
        &mut self.0
    }

    /// Sends a request of a version without tagged fields, and returns the body of the answer.
    ///
    /// # Errors
    /// When the connection fails.
    pub fn call(&mut self, api: i16, version: i16, body: &[u8]) -> Result<Vec<u8>, WireError> {
        call(&mut self.0, api, version, body)
    }
}

/// As [`WireConnection::call`], over a connection that needs no login or has one already.
///
/// # Errors
/// When the connection fails.
pub fn call(connection: &mut (impl Read + Write), api: i16, version: i16, body: &[u8]) -> Result<Vec<u8>, WireError> {
    // Header version 1, without a client id.
    let mut request = [api, version].map(i16::to_be_bytes).concat();
    request.extend(CORRELATION_ID.to_be_bytes());
    request.extend((-1_i16).to_be_bytes());
    request.extend(body);
    connection.write_all(&prefixed(&request))?;
    connection.flush()?;
    let mut size = [0; 4];
    connection.read_exact(&mut size)?;
    let size = usize::try_from(u32::from_be_bytes(size)).unwrap_or(usize::MAX);
    if !(4..=MAX_ANSWER).contains(&size) {
        return Err(WireError::Malformed);
    }
    let mut answer = vec![0; size];
    connection.read_exact(&mut answer)?;
    Ok(answer.split_off(4))
}

/// A text as the protocol writes it.
pub fn string(text: &str) -> Vec<u8> {
    [&i16::try_from(text.len()).unwrap_or(i16::MAX).to_be_bytes(), text.as_bytes()].concat()
}

/// Bytes behind their length.
fn prefixed(bytes: &[u8]) -> Vec<u8> {
    [&i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes(), bytes].concat()
}

fn connected(brokers: &str, login: &Login) -> Result<StreamOwned<ClientConnection, TcpStream>, WireError> {
    let config = trusting(login)?;
    let mut last = WireError::Address(brokers.to_owned());
    for broker in brokers.split(',') {
        let Some((host, _)) = broker.rsplit_once(':') else { continue };
        let Ok(name) = ServerName::try_from(host.to_owned()) else { continue };
        match broker.to_socket_addrs().and_then(|mut addresses| first_of(&mut addresses)) {
            Ok(socket) => return Ok(StreamOwned::new(ClientConnection::new(config, name)?, socket)),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

fn first_of(addresses: &mut impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(socket) => {
                socket.set_read_timeout(Some(PATIENCE))?;
                socket.set_write_timeout(Some(PATIENCE))?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn trusting(login: &Login) -> Result<Arc<ClientConfig>, WireError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&login.ca)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// SCRAM in Kafka's frames.
fn authenticate(connection: &mut (impl Read + Write), login: &Login) -> Result<(), WireError> {
    let refused = |error: &dyn std::fmt::Display| WireError::Login(error.to_string());
    let answer = call(connection, SASL_HANDSHAKE, 1, &string(MECHANISM))?;
    if !answer.starts_with(&[0, 0]) {
        return Err(refused(&"the mechanism is not offered"));
    }
    let (name, password) = (login.username.clone(), login.password.expose_secret().to_owned());
    let config = SASLConfig::with_credentials(None, name, password).map_err(|error| refused(&error))?;
    let mechanism = Mechname::parse(MECHANISM.as_bytes()).map_err(|error| refused(&error))?;
    let mut session = SASLClient::new(config).start_suggested(&[mechanism]).map_err(|error| refused(&error))?;
    let mut received = None;
    for _ in 0..MAX_STEPS {
        let mut message = Vec::new();
        let state = session.step(received.as_deref(), &mut message).map_err(|error| refused(&error))?;
        if !message.is_empty() {
            received = Some(exchange(connection, &message)?);
        }
        if !state.is_running() {
            return Ok(());
        }
    }
    Err(refused(&"it does not end"))
}

/// Sends a message of the login; the server's.
fn exchange(connection: &mut (impl Read + Write), message: &[u8]) -> Result<Vec<u8>, WireError> {
    let answer = call(connection, SASL_AUTHENTICATE, 0, &prefixed(message))?;
    let (code, rest) = answer.split_first_chunk().ok_or(WireError::Malformed)?;
    let (reason, rest) = nullable_string(rest)?;
    match i16::from_be_bytes(*code) {
        0 => rest.get(4..).map(<[u8]>::to_vec).ok_or(WireError::Malformed),
        code => Err(WireError::Login(reason.unwrap_or_else(|| format!("error {code}")))),
    }
}

/// A text that may be missing, and what comes behind it.
pub(crate) fn nullable_string(bytes: &[u8]) -> Result<(Option<String>, &[u8]), WireError> {
    let (length, rest) = bytes.split_first_chunk().ok_or(WireError::Malformed)?;
    let Ok(length) = usize::try_from(i16::from_be_bytes(*length)) else { return Ok((None, rest)) };
    let (text, rest) = rest.split_at_checked(length).ok_or(WireError::Malformed)?;
    Ok((Some(String::from_utf8_lossy(text).into_owned()), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a broker answers, and what it was asked.
    struct Peer {
        answer: io::Cursor<Vec<u8>>,
        asked: Vec<u8>,
    }

    impl Peer {
        fn answering(bytes: &[u8]) -> Self {
            Self { answer: io::Cursor::new(bytes.to_vec()), asked: Vec::new() }
        }
    }

    impl Read for Peer {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.answer.read(buffer)
        }
    }

    impl Write for Peer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.asked.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_request_and_its_answer_are_framed() {
        let mut peer = Peer::answering(&[0, 0, 0, 6, 0, 0, 0, 7, 1, 2]);
        assert_eq!(call(&mut peer, 49, 0, &string("a")).unwrap(), [1, 2]);
        assert_eq!(peer.asked, [0, 0, 0, 13, 0, 49, 0, 0, 0, 0, 0, 7, 0xFF, 0xFF, 0, 1, b'a']);
    }

    #[test]
    fn an_answer_that_cannot_be_is_not_read() {
        for bytes in [&[0xFF, 0xFF, 0xFF, 0xFF][..], &[0, 0, 0, 2, 0, 0], &[0, 0, 0, 9, 0], &[]] {
            assert!(call(&mut Peer::answering(bytes), 49, 0, &[]).is_err());
        }
        assert!(nullable_string(&[0]).is_err() && nullable_string(&[0, 2, b'a']).is_err());
        assert_eq!(nullable_string(&[0xFF, 0xFF, 9]).unwrap(), (None, &[9][..]));
    }

    #[test]
    fn a_broker_that_asks_for_no_login_gets_none() {
        assert!(matches!(WireConnection::open(&Connection::plaintext("us:9092")), Err(WireError::Address(_))));
    }
}
