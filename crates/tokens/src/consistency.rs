//! Consistency tokens: `v1.<base64url payload>.<base64url HMAC-SHA256>`. Several are joined
//! by commas, also with event tokens.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;
use writ_contract::{ChainId, OrganizationId, Revision};

use crate::event::EventToken;
use crate::payload;
use crate::seal::SealingKey;

const VERSION: &str = "v1";
/// Keeps a signature made here from meaning anything where the same key signs something else.
const DOMAIN: &[u8] = b"writ consistency token v1\0";
/// The same for keys derived from it.
const SEALING_DOMAIN: &[u8] = b"writ sealing key v1\0";
/// Minimum length of a key, in bytes.
const MIN_KEY: usize = 32;
/// Maximum number of tokens joined in one request.
const MAX_JOINED: usize = 16;

/// The revision of a chain that a client has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeenRevision {
    /// The chain.
    pub chain: ChainId,
    /// The newest revision seen.
    pub revision: Revision,
}

/// What a client has seen of one organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConsistencyToken {
    /// The organization.
    pub organization: OrganizationId,
    /// One for each of the organization's chains.
    pub seen: Vec<SeenRevision>,
}

/// What a read has to wait for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// At least the state that a client has seen.
    State(ConsistencyToken),
    /// At least the state in which this event is applied or rejected.
    Event(EventToken),
}

/// Why a text is not a consistency token for the one who sends it. Never says what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// Of another form, of an unknown version, or too many of them.
    #[error("the consistency token is malformed")]
    Malformed,
    /// Not of the form of an event token.
    #[error("the event token is not of the form event;<region>;<producer>;<ce_id> with each part percent-encoded")]
    MalformedEvent,
    /// Not issued by this platform.
    #[error("the consistency token is not authentic")]
    Forged,
    /// Of another organization than the one who asks.
    #[error("the consistency token belongs to another organization")]
    Foreign,
}

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not hexadecimal digits in pairs.
    #[error("not hexadecimal")]
    NotHexadecimal,
    /// Fewer than 32 bytes.
    #[error("shorter than 32 bytes (64 hexadecimal digits)")]
    TooShort,
}

/// The key that all regions share to authenticate consistency tokens. Written as hexadecimal
/// text of 32 bytes or more.
#[derive(Clone)]
pub struct ConsistencyKey(Hmac<Sha256>);

impl FromStr for ConsistencyKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = SecretSlice::from(hex::decode(text).map_err(|_| KeyError::NotHexadecimal)?);
        if bytes.expose_secret().len() < MIN_KEY {
            return Err(KeyError::TooShort);
        }
        // HMAC takes a key of any length, so this maps an error that never comes.
        let mac = Hmac::new_from_slice(bytes.expose_secret()).map_err(|_| KeyError::TooShort)?;
        Ok(Self(mac))
    }
}

impl ConsistencyKey {
    /// The text a client keeps and sends back.
    pub fn issue(&self, token: &ConsistencyToken) -> String {
        let payload = payload::write(token);
        let tag = self.mac(&payload).finalize().into_bytes();
        let payload = BASE64_URL_SAFE_NO_PAD.encode(payload);
        let tag = BASE64_URL_SAFE_NO_PAD.encode(tag);
        format!("{VERSION}.{payload}.{tag}")
    }

    /// Reads one text that [`ConsistencyKey::issue`] has written in any region.
    ///
    /// # Errors
    /// When it is malformed or was not issued with this key.
    pub fn parse(&self, text: &str) -> Result<ConsistencyToken, ConsistencyError> {
        let parts: Vec<&str> = text.split('.').collect();
        let [VERSION, payload, tag] = parts[..] else {
            return Err(ConsistencyError::Malformed);
        };
        let (payload, tag) = (bytes_of(payload)?, bytes_of(tag)?);
        self.mac(&payload).verify_slice(&tag).map_err(|_| ConsistencyError::Forged)?;
        payload::read(&payload).ok_or(ConsistencyError::Malformed)
    }

    /// Reads all that a client of `organization` sends, joined by commas.
    ///
    /// # Errors
    /// When one of them is malformed, not issued with this key, or of another organization.
    pub fn parse_joined(&self, text: &str, organization: OrganizationId) -> Result<Vec<Wanted>, ConsistencyError> {
        if text.split(',').count() > MAX_JOINED {
            return Err(ConsistencyError::Malformed);
        }
        text.split(',').map(|part| self.wanted(part.trim(), organization)).collect()
    }

    fn wanted(&self, text: &str, organization: OrganizationId) -> Result<Wanted, ConsistencyError> {
        if text.starts_with("event;") {
            let event = EventToken::parse(text).ok_or(ConsistencyError::MalformedEvent)?;
            return Ok(Wanted::Event(event));
        }
        let token = self.parse(text)?;
        if token.organization != organization {
            return Err(ConsistencyError::Foreign);
        }
        Ok(Wanted::State(token))
    }

    /// A key of its own for what `context` names, derived from this one.
    pub fn sealing_key(&self, context: &[u8]) -> SealingKey {
        SealingKey::new(self.mac_in(SEALING_DOMAIN, context).finalize().into_bytes().into())
    }

    fn mac(&self, payload: &[u8]) -> Hmac<Sha256> {
        self.mac_in(DOMAIN, payload)
    }

    fn mac_in(&self, domain: &[u8], payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(domain);
        mac.update(payload);
        mac
    }
}

impl fmt::Debug for ConsistencyKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ConsistencyKey(…)")
    }
}

fn bytes_of(part: &str) -> Result<Vec<u8>, ConsistencyError> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| ConsistencyError::Malformed)
}

#[cfg(test)]
mod tests;
