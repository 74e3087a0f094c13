//! Whatever other systems announce, and however often they or the log repeat it, the chain of entities holds what a plain
//! model of them holds; an event is accepted at most once, and each refusal is a dead letter.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use writ_contract::Stream;
use writ_contract::entity_event::EntityEvent;
use writ_contract::entity_event::EntityEventKind::{Created, Deleted};
use writ_contract::row::EntityKey;
use writ_log::ConsumedRecord;
use writ_log::consumer::Projection;
use writ_policy::rows::Announced;

use crate::testing::*;

/// Entities as the system that announces them thinks of them.
#[derive(Debug, Default)]
struct EntitiesModel {
    live: BTreeMap<u8, Option<u8>>,
    deleted: BTreeSet<u8>,
}

#[derive(Debug, Clone)]
enum Announce {
    Create(u8, Option<u8>),
    Delete(u8),
}

impl EntitiesModel {
    /// The refusal that is due, if one is; else the model follows.
    fn follow(&mut self, announce: &Announce) -> Option<&'static str> {
        match *announce {
            Announce::Create(id, _) if self.deleted.contains(&id) => Some("entity_deleted"),
            Announce::Create(id, parent) if self.live.contains_key(&id) => {
                (self.live[&id] != parent).then_some("parent_differs")
            }
            Announce::Create(id, parent) => {
                let refusal = parent.and_then(|parent| self.refuse_parent(parent));
                if refusal.is_none() {
                    self.live.insert(id, parent);
                }
                refusal
            }
            Announce::Delete(id) if self.deleted.contains(&id) => None,
            Announce::Delete(id) if !self.live.contains_key(&id) => Some("unknown_entity"),
            Announce::Delete(id) => {
                self.delete(id);
                None
            }
        }
    }

    fn refuse_parent(&self, parent: u8) -> Option<&'static str> {
        if self.deleted.contains(&parent) {
            return Some("parent_deleted");
        }
        if !self.live.contains_key(&parent) {
            return Some("unknown_parent");
        }
        let levels = std::iter::successors(Some(parent), |id| self.live[id]).count();
        (levels >= 8).then_some("too_deep")
    }

    fn delete(&mut self, id: u8) {
        let children: Vec<u8> =
            self.live.iter().filter(|(_, parent)| **parent == Some(id)).map(|(id, _)| *id).collect();
        children.into_iter().for_each(|child| self.delete(child));
        self.live.remove(&id);
        self.deleted.insert(id);
    }
}

fn key(id: u8) -> EntityKey {
    EntityKey { entity_type: "control_planes".parse().unwrap(), entity_id: name(id).parse().unwrap() }
}

fn name(id: u8) -> String {
    format!("cp-{id}")
}

fn event(announce: &Announce) -> EntityEvent {
    match announce {
        Announce::Create(id, of) => entity(organization(1), Created, &name(*id), of.map(name).as_deref()),
        Announce::Delete(id) => entity(organization(1), Deleted, &name(*id), None),
    }
}

/// Mostly children of the entity just before, so that they get deep.
fn announcements() -> impl Strategy<Value = Vec<Announce>> {
    let announce = prop_oneof![
        6 => (1u8..14).prop_map(|id| Announce::Create(id, Some(id - 1))),
        3 => (0u8..14, proptest::option::of(0u8..14)).prop_map(|(id, parent)| Announce::Create(id, parent)),
        2 => Just(Announce::Create(0, None)),
        1 => (0u8..14).prop_map(Announce::Delete),
    ];
    prop::collection::vec(announce, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_chain_of_entities_holds_what_the_model_holds(
        announcements in announcements(),
        replays in prop::collection::vec(0usize..100, 0..5),
    ) {
        let record = |(number, announce)| record(ENTITY_EVENTS, organization(1), &format!("e{number}"), &event(announce));
        let records: Vec<ConsumedRecord> = announcements.iter().enumerate().map(record).collect();
        let runs: Vec<usize> =
            replays.into_iter().map(|replay| replay.min(records.len())).chain([records.len()]).collect();

        let (mut model, mut accepted, mut expected) = (EntitiesModel::default(), BTreeSet::new(), Vec::new());
        for (number, announce) in runs.iter().flat_map(|run| announcements[..*run].iter().enumerate()) {
            if !accepted.contains(&number) {
                let refusal = model.follow(announce);
                accepted.extend(refusal.is_none().then_some(number));
                expected.push(refusal.map(str::to_owned));
            }
        }

        let (mut policies, index) = policies();
        let effects: Vec<_> = runs.iter().map(|run| policies.plan(&records[..*run])).collect();
        let outgoing: Vec<_> = effects.iter().flat_map(|effects| effects.own.outgoing.clone()).collect();
        let numbers: Vec<_> = change_sets(&outgoing).into_iter().map(|(set, _)| set.revision.number).collect();
        let refusals: Vec<_> = expected.into_iter().flatten().collect();
        prop_assert_eq!(numbers, (1..).take(accepted.len()).collect::<Vec<_>>());
        prop_assert_eq!(dead_letters(&outgoing), refusals);

        let known = index.read(|index| {
            let chain = index.chain(&chain(1, Stream::Entities));
            (0..14).map(|id| chain.and_then(|chain| chain.rows().entity(&key(id)).cloned())).collect::<Vec<_>>()
        });
        for (id, known) in (0..14).zip(known) {
            let expected = match model.live.get(&id) {
                Some(parent) => Some(Announced::Live { parent: parent.map(key) }),
                None => model.deleted.contains(&id).then_some(Announced::Deleted),
            };
            prop_assert_eq!(known, expected, "{}", id);
        }
    }
}
