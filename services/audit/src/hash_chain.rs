//! How an organization's entries are bound to one another: a leaf hash of each entry, and a chain of the leaves. The
//! leaves are also those of a Merkle tree (RFC 6962: leaves begin with 0).

use std::collections::HashMap;

use writ_contract::{Hash, OrganizationId, Timestamp};

use crate::delimited::{Delimited, packed};
use crate::entry::Entry;

const LEAF: [u8; 1] = [0];
const LINK: [u8; 1] = [2];

/// Where an organization's entries end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastEntry {
    /// Number of the last entry; 0 before the first.
    pub sequence: i64,
    /// The chain up to it; zero before the first.
    pub chain: Hash,
}

/// An entry in its place.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// Its number in its organization, from 1.
    pub sequence: i64,
    /// Hash of the entry and its number.
    pub leaf: Hash,
    /// Hash of the chain before it and its leaf.
    pub chain: Hash,
}

/// Appends `entries`, in the given order, after the last entries of their organizations.
pub fn extend<'a>(
    mut last: HashMap<OrganizationId, LastEntry>,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Vec<Link<'a>> {
    let mut links = Vec::new();
    for entry in entries {
        let last = last.entry(entry.organization).or_default();
        let sequence = last.sequence + 1;
        let leaf = leaf(sequence, entry);
        let chain = Hash::of(&[&LINK, &last.chain.0, &leaf.0]);
        *last = LastEntry { sequence, chain };
        links.push(Link { entry, sequence, leaf, chain });
    }
    links
}

/// Identifies an entry, however often and from wherever its record is delivered. The record's value is part of it, so
/// that a second record under a used id is not lost.
pub fn record_key(entry: &Entry) -> Hash {
    let Entry { origin, topic, source, id, .. } = entry;
    let mut content = Delimited::default();
    [origin.as_str(), topic, source, id].into_iter().for_each(|text| content.text(text));
    content.bytes(&entry.record_hash.0);
    Hash::of(&[&content.into_bytes()])
}

/// The leaf of an entry.
pub fn leaf(sequence: i64, entry: &Entry) -> Hash {
    let mut content = Delimited::default();
    content.bytes(entry.organization.as_bytes());
    content.bytes(&sequence.to_be_bytes());
    let Entry { origin, topic, source, id, record_type, .. } = entry;
    [origin.as_str(), topic, source, id, record_type].into_iter().for_each(|text| content.text(text));
    let Timestamp(micros) = entry.occurred_at;
    content.bytes(&micros.to_be_bytes());
    content.optional(entry.actor.as_ref().map(|actor| actor.kind.as_str().as_bytes()));
    content.optional(entry.actor.as_ref().map(|actor| actor.id.as_str().as_bytes()));
    content.optional(entry.key.as_deref());
    content.bytes(&packed(&entry.headers));
    content.optional(entry.payload.as_ref().map(|_| &entry.payload_hash.0[..]));
    Hash::of(&[&LEAF, &content.into_bytes()])
}

#[cfg(test)]
mod tests;
