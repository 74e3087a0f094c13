//! Bearer tokens: `<kind>_<region>_<base64url of organization, 32 random bytes, CRC-32>`.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rand::RngCore;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use writ_contract::row::TokenKind;
use writ_contract::{Hash, OrganizationId, Region};

const ORGANIZATION: usize = 16;
const RANDOM: usize = 32;
const CHECKSUM: usize = 4;
const BODY: usize = ORGANIZATION + RANDOM + CHECKSUM;

/// The first word of the text of tokens of a kind.
const fn prefix(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Personal => "kpat",
        TokenKind::SystemAccount => "spat",
        TokenKind::Invite => "kinv",
    }
}

fn kind_of(text: &str) -> Option<TokenKind> {
    TokenKind::ALL.iter().copied().find(|kind| prefix(*kind) == text)
}

/// Why a text is not a bearer token. Says nothing about the text itself, which is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// Not of the form `<kind>_<region>_<body>`, or the body has another length.
    #[error("the token is malformed")]
    Malformed,
    /// Well formed, but mistyped or cut and pasted badly.
    #[error("the token's checksum does not match")]
    Checksum,
}

/// A bearer token whose form and checksum are right. Whether it is valid is for the system of record or the read model
/// to say, by [`BearerToken::hash`].
pub struct BearerToken {
    kind: TokenKind,
    region: Region,
    organization: OrganizationId,
    text: SecretString,
}

impl BearerToken {
    /// Makes a new token from 256 random bits of the operating system's generator.
    pub fn generate(kind: TokenKind, region: Region, organization: OrganizationId) -> Self {
        let mut random = [0; RANDOM];
        rand::rng().fill_bytes(&mut random);
        let text = compose(kind, region, organization, &random);
        Self { kind, region, organization, text: text.into() }
    }

    /// Reads a token's text, without its `Bearer ` scheme.
    ///
    /// # Errors
    /// When the text is not of a token's form, or its checksum does not match.
    pub fn parse(text: &str) -> Result<Self, BearerError> {
        let (kind, rest) = text.split_once('_').ok_or(BearerError::Malformed)?;
        let (region, body) = rest.split_once('_').ok_or(BearerError::Malformed)?;
        let kind = kind_of(kind).ok_or(BearerError::Malformed)?;
        let region: Region = region.parse().map_err(|_| BearerError::Malformed)?;
        Ok(Self { kind, organization: organization_of(kind, region, body)?, region, text: text.into() })
    }

    /// What the token stands for.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The home region of the organization.
    pub fn region(&self) -> Region {
        self.region
    }

    /// The organization the token belongs to.
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// What is stored and mirrored in place of the token.
    pub fn hash(&self) -> Hash {
        hash_of(self.text.expose_secret())
    }

    /// The text, for the one answer that shows it to its owner.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BearerToken")
            .field("kind", &self.kind)
            .field("region", &self.region)
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}

/// SHA-256 of a token's text. Enough for 256-bit random tokens; a password would need more.
pub fn hash_of(text: &str) -> Hash {
    Hash::of(&[text.as_bytes()])
}

/// Compares two hashes in a time that does not depend on where they differ.
pub fn same_hash(left: &Hash, right: &Hash) -> bool {
    left.0.ct_eq(&right.0).into()
}

fn compose(kind: TokenKind, region: Region, organization: OrganizationId, random: &[u8; RANDOM]) -> String {
    let mut body = Vec::with_capacity(BODY);
    body.extend_from_slice(organization.as_bytes());
    body.extend_from_slice(random);
    body.extend_from_slice(&checksum(kind, region, &body));
    let body = BASE64_URL_SAFE_NO_PAD.encode(body);
    format!("{}_{region}_{body}", prefix(kind))
}

fn organization_of(kind: TokenKind, region: Region, body: &str) -> Result<OrganizationId, BearerError> {
    let mut bytes = [0; BODY];
    let written = BASE64_URL_SAFE_NO_PAD.decode_slice(body, &mut bytes).map_err(|_| BearerError::Malformed)?;
    if written != BODY {
        return Err(BearerError::Malformed);
    }
    let (content, found) = bytes.split_at(BODY - CHECKSUM);
    if checksum(kind, region, content) != found {
        return Err(BearerError::Checksum);
    }
    let organization = Uuid::from_slice(&content[..ORGANIZATION]).map_err(|_| BearerError::Malformed)?;
    Ok(OrganizationId::from_uuid(organization))
}

/// CRC-32 over everything before it, so that a mistyped kind or region is noticed as well.
fn checksum(kind: TokenKind, region: Region, content: &[u8]) -> [u8; CHECKSUM] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(prefix(kind).as_bytes());
    crc.update(b"_");
    crc.update(region.as_str().as_bytes());
    crc.update(b"_");
    crc.update(content);
    crc.finalize().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use writ_contract::PLATFORM_ORGANIZATION;

    use super::*;

    fn organization(number: u128) -> OrganizationId {
        OrganizationId::from_uuid(Uuid::from_u128(number))
    }

    fn any_kind() -> impl Strategy<Value = TokenKind> {
        prop::sample::select(TokenKind::ALL)
    }

    fn any_token() -> impl Strategy<Value = BearerToken> {
        (any_kind(), "[a-z][a-z0-9]{1,7}", any::<u128>())
            .prop_map(|(kind, region, id)| BearerToken::generate(kind, region.parse().unwrap(), organization(id)))
    }

    proptest! {
        #[test]
        fn a_generated_token_parses_to_what_it_was_made_of(token in any_token()) {
            let parsed = BearerToken::parse(token.expose()).unwrap();
            prop_assert_eq!(parsed.kind(), token.kind());
            prop_assert_eq!(parsed.region(), token.region());
            prop_assert_eq!(parsed.organization(), token.organization());
            prop_assert_eq!(parsed.hash(), token.hash());
        }

        #[test]
        fn any_flipped_bit_is_rejected(token in any_token(), at in any::<prop::sample::Index>(), bit in 0..7u8) {
            let mut bytes = token.expose().as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(BearerToken::parse(&changed).is_err());
        }

        #[test]
        fn no_text_makes_parse_panic(text in "\\PC*") {
            let _ = BearerToken::parse(&text);
        }
    }

    #[test]
    fn a_token_is_cut_or_lengthened() {
        let token = BearerToken::generate(TokenKind::Personal, "us".parse().unwrap(), PLATFORM_ORGANIZATION);
        let text = token.expose();
        for wrong in [&text[..text.len() - 1], &format!("{text}A"), "kpat_us_", "", "operator"] {
            assert_eq!(BearerToken::parse(wrong).unwrap_err(), BearerError::Malformed);
        }
    }

    #[test]
    fn the_form_is_the_one_clients_know() {
        let token = BearerToken::generate(TokenKind::SystemAccount, "eu".parse().unwrap(), PLATFORM_ORGANIZATION);
        assert!(token.expose().starts_with("spat_eu_"));
        assert_eq!(token.expose().len(), "spat_eu_".len() + 70);
    }

    #[test]
    fn debug_never_prints_the_secret() {
        let token = BearerToken::generate(TokenKind::Personal, "us".parse().unwrap(), PLATFORM_ORGANIZATION);
        let body = token.expose().rsplit_once("us_").unwrap().1;
        assert!(!format!("{token:?}").contains(body));
    }

    #[test]
    fn two_tokens_differ() {
        let make = || BearerToken::generate(TokenKind::Personal, "us".parse().unwrap(), PLATFORM_ORGANIZATION);
        let (one, other) = (make(), make());
        assert!(!same_hash(&one.hash(), &other.hash()));
        assert!(same_hash(&one.hash(), &hash_of(one.expose())));
    }
}
