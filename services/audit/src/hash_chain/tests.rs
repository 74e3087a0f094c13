use proptest::prelude::*;

use super::*;
use crate::entry::tests::{entry, organization};

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
        |e| e.organization = organization(9),
        |e| e.origin = "eu".parse().unwrap(),
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
    fn where_batches_end_makes_no_difference(organizations in prop::collection::vec(1..4u32, 1..30), cut: prop::sample::Index) {
        let entries: Vec<_> = organizations.iter().enumerate().map(|(n, o)| entry(*o, &n.to_string())).collect();
        let whole = extend(HashMap::new(), &entries);
        let (first, second) = entries.split_at(cut.index(entries.len()));
        let before = extend(HashMap::new(), first);
        let last = before.iter().map(|l| (l.entry.organization, LastEntry { sequence: l.sequence, chain: l.chain }));
        let after = extend(last.collect(), second);
        let chains: Vec<_> = before.iter().chain(&after).map(|link| (link.sequence, link.chain)).collect();
        prop_assert_eq!(chains, whole.iter().map(|link| (link.sequence, link.chain)).collect::<Vec<_>>());
    }
}
