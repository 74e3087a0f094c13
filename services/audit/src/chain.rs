//! How an organization's entries are bound to one another: a leaf hash of each entry, and a chain
//! of the leaves. The leaves are also those of a Merkle tree (RFC 6962: leaves begin with 0).

use std::collections::HashMap;

use uuid::Uuid;
use writ_contract::actor::ActorKind;
use writ_contract::{Hash, Timestamp};

use crate::record::Entry;

const LEAF: [u8; 1] = [0];
const LINK: [u8; 1] = [2];

/// The last entry of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Its number; 0 before the first.
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

/// Puts `entries` behind the heads of their organizations, in the given order.
pub fn extend<'a>(mut heads: HashMap<Uuid, Head>, entries: impl IntoIterator<Item = &'a Entry>) -> Vec<Link<'a>> {
    let mut links = Vec::new();
    for entry in entries {
        let head = heads.entry(entry.organization).or_default();
        let sequence = head.sequence + 1;
        let leaf = leaf(sequence, entry);
        let chain = Hash::of(&[&LINK, &head.chain.0, &leaf.0]);
        *head = Head { sequence, chain };
        links.push(Link { entry, sequence, leaf, chain });
    }
    links
}

/// What makes a record this one and no other, however often and from wherever it is delivered.
/// The payload is part of it, so that a second record under a used id is not lost.
pub fn record_key(entry: &Entry) -> Hash {
    let Entry { origin, topic, source, id, .. } = entry;
    let mut content = Content::default();
    [origin, topic, source, id].into_iter().for_each(|text| content.text(text));
    content.bytes(&entry.payload_hash.0);
    Hash::of(&[&content.0])
}

/// The leaf of an entry.
pub fn leaf(sequence: i64, entry: &Entry) -> Hash {
    let mut content = Content::default();
    content.bytes(entry.organization.as_bytes());
    content.bytes(&sequence.to_be_bytes());
    let Entry { origin, topic, source, id, record_type, .. } = entry;
    [origin, topic, source, id, record_type].into_iter().for_each(|text| content.text(text));
    let Timestamp(micros) = entry.occurred_at;
    content.bytes(&micros.to_be_bytes());
    content.optional(entry.actor.as_ref().map(|actor| actor_kind(actor.kind).as_bytes()));
    content.optional(entry.actor.as_ref().map(|actor| actor.id.as_bytes()));
    content.optional(entry.key.as_deref());
    content.bytes(&packed(&entry.headers));
    content.optional(entry.payload.as_ref().map(|_| &entry.payload_hash.0[..]));
    Hash::of(&[&LEAF, &content.0])
}

/// Headers as one sequence of bytes: names and values in turn, each behind its length.
pub fn packed(headers: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut content = Content::default();
    for (name, value) in headers {
        content.text(name);
        content.bytes(value);
    }
    content.0
}

/// The name of an actor's kind in the record.
pub fn actor_kind(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::User => "user",
        ActorKind::SystemAccount => "system_account",
        ActorKind::Operator => "operator",
        ActorKind::PlatformProducer => "platform_producer",
        ActorKind::System => "system",
    }
}

/// Parts one behind the other, each with its length, so that no two lists give the same bytes.
#[derive(Default)]
struct Content(Vec<u8>);

impl Content {
    fn bytes(&mut self, part: &[u8]) {
        self.0.extend_from_slice(&(part.len() as u64).to_be_bytes());
        self.0.extend_from_slice(part);
    }

    fn text(&mut self, part: &str) {
        self.bytes(part.as_bytes());
    }

    fn optional(&mut self, part: Option<&[u8]>) {
        self.0.push(u8::from(part.is_some()));
        self.bytes(part.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::entry;
    use proptest::prelude::*;

    #[test]
    fn each_organization_has_its_own_chain() {
        let entries = [entry(1, "a"), entry(2, "b"), entry(1, "c")];
        let links = extend(HashMap::new(), &entries);
        assert_eq!(links.iter().map(|link| link.sequence).collect::<Vec<_>>(), [1, 1, 2]);
        let alone = extend(HashMap::new(), [&entries[0], &entries[2]]);
        assert_eq!(alone[1].chain, links[2].chain);
    }

    #[test]
    fn every_field_is_in_the_leaf() {
        let original = entry(1, "a");
        let changes: [fn(&mut Entry); 12] = [
            |e| e.organization = Uuid::from_u128(9),
            |e| e.origin.push('x'),
            |e| e.topic.push('x'),
            |e| e.source.push('x'),
            |e| e.id.push('x'),
            |e| e.record_type.push('x'),
            |e| e.occurred_at.0 += 1,
            |e| e.actor = None,
            |e| e.key = None,
            |e| e.headers.push(("x".into(), vec![])),
            |e| e.payload_hash = Hash::ZERO,
            |e| e.payload = None,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = original.clone();
            change(&mut changed);
            assert_ne!(leaf(1, &changed), leaf(1, &original), "change {number}");
        }
        assert_ne!(leaf(2, &original), leaf(1, &original));
    }

    proptest! {
        #[test]
        fn no_two_headers_pack_to_the_same_bytes(one: Vec<(String, Vec<u8>)>, other: Vec<(String, Vec<u8>)>) {
            prop_assert_eq!(packed(&one) == packed(&other), one == other);
        }

        #[test]
        fn where_batches_end_makes_no_difference(organizations in prop::collection::vec(1..4u128, 1..30), cut: prop::sample::Index) {
            let entries: Vec<_> = organizations.iter().enumerate().map(|(n, o)| entry(*o, &n.to_string())).collect();
            let whole = extend(HashMap::new(), &entries);
            let (first, second) = entries.split_at(cut.index(entries.len()));
            let before = extend(HashMap::new(), first);
            let heads = before.iter().map(|l| (l.entry.organization, Head { sequence: l.sequence, chain: l.chain }));
            let after = extend(heads.collect(), second);
            let chains: Vec<_> = before.iter().chain(&after).map(|link| (link.sequence, link.chain)).collect();
            prop_assert_eq!(chains, whole.iter().map(|link| (link.sequence, link.chain)).collect::<Vec<_>>());
        }
    }
}
