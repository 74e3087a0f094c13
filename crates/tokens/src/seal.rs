//! Sealing of what is stored for a client and may hold a secret, so that it cannot be read from the database alone.

use std::fmt;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use rand::RngCore;

/// A key that seals texts (AES-256-GCM). It is derived for one purpose and stored nowhere.
#[derive(Clone)]
pub struct SealingKey([u8; 32]);

/// A text cannot be sealed, or was not sealed with this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not sealed with this key")]
pub struct SealError;

impl SealingKey {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The text with its secrecy and integrity protected: a nonce, the encrypted text, a tag.
    ///
    /// # Errors
    /// When the text is longer than the cipher allows (64 GiB).
    pub fn seal(&self, text: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        rand::rng().fill_bytes(&mut nonce);
        let mut sealed = text.to_vec();
        let key = self.cipher()?;
        let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed);
        let tag = tag.map_err(|_| SealError)?;
        Ok([nonce.as_slice(), &sealed, tag.as_ref()].concat())
    }

    /// What [`SealingKey::seal`] has sealed.
    ///
    /// # Errors
    /// When it was sealed with another key, or changed since.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(SealError)?;
        let mut text = text.to_vec();
        let opened = self.cipher()?.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut text);
        let length = opened.map_err(|_| SealError)?.len();
        text.truncate(length);
        Ok(text)
    }

    fn cipher(&self) -> Result<LessSafeKey, SealError> {
        UnboundKey::new(&AES_256_GCM, &self.0).map(LessSafeKey::new).map_err(|_| SealError)
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_what_is_whole() {
        let (key, other) = (SealingKey::new([1; 32]), SealingKey::new([2; 32]));
        let sealed = key.seal(b"kpat_us_secret").unwrap();
        assert_eq!(key.open(&sealed).unwrap(), b"kpat_us_secret");
        assert_ne!(key.seal(b"kpat_us_secret").unwrap(), sealed, "with another nonce each time");
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(other.open(&sealed), Err(SealError));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(&changed), Err(SealError), "byte {at}");
        }
        assert_eq!(key.open(&sealed[..5]), Err(SealError));
    }
}
