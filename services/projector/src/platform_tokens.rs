//! The tokens of platform services.

use writ_contract::Hash;
use writ_tokens::same_hash;

/// The tokens of platform services, which may ask about any organization.
#[derive(Debug, Clone, Default)]
pub struct PlatformTokens(Vec<Hash>);

impl PlatformTokens {
    /// Tokens by their SHA-256.
    pub fn new(hashes: Vec<Hash>) -> Self {
        Self(hashes)
    }

    /// Compares with every hash, so that the time it takes reveals nothing.
    pub(crate) fn contains(&self, hash: &Hash) -> bool {
        self.0.iter().fold(false, |found, known| same_hash(known, hash) | found)
    }
}
