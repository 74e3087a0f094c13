//! The bytes a row is hashed as: every field in order, nothing that could be read two ways.

use std::collections::BTreeSet;

use writ_contract::row::{Effect, EntityKey, Grant, OrganizationState, PrincipalKind, TokenKind, Validity};
use writ_contract::{ConditionId, Hash, Timestamp};

use crate::row::Row;

impl Row {
    /// The bytes the row is hashed as: equal for equal rows, different for different ones.
    pub fn canonical(&self) -> Vec<u8> {
        self.fields().into_bytes()
    }

    /// SHA-256 of [`canonical`](Self::canonical): what the row adds to the state digest.
    pub fn hash(&self) -> Hash {
        Hash::of(&[&self.canonical()])
    }

    fn fields(&self) -> Canonical {
        match self {
            Self::Organization(state) => Canonical::of_kind(1).byte(organization_state(*state)),
            Self::Principal(row) => {
                Canonical::of_kind(2).fixed(row.id.as_bytes()).byte(principal_kind(row.kind)).byte(u8::from(row.active))
            }
            Self::Membership(row) => {
                let named = Canonical::of_kind(3).fixed(row.team.as_bytes()).fixed(row.member.as_bytes());
                validity(named, row.validity)
            }
            Self::Role(row) => Canonical::of_kind(4)
                .text(row.key.as_str())
                .text(row.entity_type.as_str())
                .texts(&row.actions)
                .texts(&row.covers_children),
            Self::Grant(row) => grant(row),
            Self::Token(row) => Canonical::of_kind(6)
                .fixed(row.id.as_bytes())
                .fixed(&row.hash.0)
                .fixed(row.principal.as_bytes())
                .byte(token_kind(row.kind))
                .time(row.expires_at),
            Self::Condition(row) => {
                Canonical::of_kind(7).fixed(row.id.as_bytes()).byte(effect(row.effect)).text(row.cedar_json.as_str())
            }
            Self::Entity(row) => entity_key(Canonical::of_kind(8), &row.key).option(row.parent.as_ref(), entity_key),
            Self::Tombstone(key) => entity_key(Canonical::of_kind(9), key),
        }
    }
}

fn grant(row: &Grant) -> Canonical {
    let named = Canonical::of_kind(5)
        .fixed(row.id.as_bytes())
        .fixed(row.principal.as_bytes())
        .text(row.role.as_str())
        .text(row.entity_type.as_str())
        .option(row.entity_id.as_ref(), |bytes, id| bytes.text(id.as_str()))
        .option(row.region, |bytes, region| bytes.text(region.as_str()));
    let condition = |bytes: Canonical, id: ConditionId| bytes.fixed(id.as_bytes());
    validity(named, row.validity).option(row.condition, condition)
}

fn validity(bytes: Canonical, validity: Validity) -> Canonical {
    bytes.option(validity.from, Canonical::time).option(validity.until, Canonical::time)
}

fn entity_key(bytes: Canonical, key: &EntityKey) -> Canonical {
    bytes.text(key.entity_type.as_str()).text(key.entity_id.as_str())
}

fn organization_state(state: OrganizationState) -> u8 {
    match state {
        OrganizationState::Active => 1,
        OrganizationState::Suspended => 2,
        OrganizationState::Deleted => 3,
    }
}

fn principal_kind(kind: PrincipalKind) -> u8 {
    match kind {
        PrincipalKind::User => 1,
        PrincipalKind::Team => 2,
        PrincipalKind::SystemAccount => 3,
    }
}

fn token_kind(kind: TokenKind) -> u8 {
    match kind {
        TokenKind::Personal => 1,
        TokenKind::SystemAccount => 2,
        TokenKind::Invite => 3,
    }
}

fn effect(effect: Effect) -> u8 {
    match effect {
        Effect::Forbid => 1,
        Effect::When => 2,
    }
}

/// Grows when the bytes of a kind change, so that old and new never look alike.
const VERSION: u8 = 1;

/// Writes fields one after the other; texts and lists carry their length, options a mark.
struct Canonical(Vec<u8>);

impl Canonical {
    /// Begins a row of a kind.
    fn of_kind(kind: u8) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&[kind, VERSION]);
        Self(bytes)
    }

    fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    fn fixed(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn time(self, time: Timestamp) -> Self {
        self.fixed(&time.0.to_be_bytes())
    }

    fn text(self, text: &str) -> Self {
        self.length(text.len()).fixed(text.as_bytes())
    }

    fn texts<T: AsRef<str>>(self, texts: &BTreeSet<T>) -> Self {
        texts.iter().fold(self.length(texts.len()), |bytes, text| bytes.text(text.as_ref()))
    }

    fn option<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self.byte(1), value),
            None => self.byte(0),
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn length(self, length: usize) -> Self {
        self.fixed(&(length as u64).to_be_bytes())
    }
}

#[cfg(test)]
mod tests;
