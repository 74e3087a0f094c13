//! Whatever happens to an organization, and however often the log repeats it, authorization and a
//! reader of its change sets hold what a plain model of the organization holds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;
use writ_contract::identity_event::{Change, MemberKind, OrganizationState, TokenKind};
use writ_contract::policy_change::{ChangeSet, PolicyOps};
use writ_contract::{ChainId, Hash, Stream, Timestamp};
use writ_log::Record;
use writ_log::consumer::Projection;
use writ_policy::{Index, RowKey};

use crate::testing::*;

/// An organization as its administrators think of it.
#[derive(Debug, Default)]
struct Model {
    state: Option<OrganizationState>,
    users: BTreeMap<Uuid, bool>,
    teams: BTreeSet<Uuid>,
    members: BTreeSet<(Uuid, Uuid)>,
    assignments: BTreeMap<Uuid, Uuid>,
    tokens: BTreeMap<Uuid, Uuid>,
}

/// What an administrator tries; small numbers, so that tries meet.
#[derive(Debug, Clone)]
enum Try {
    Invite(u8),
    SetActive(u8, bool),
    Erase(u8),
    CreateTeam(u8),
    DeleteTeam(u8),
    Join(u8, u8),
    Leave(u8, u8),
    Assign(u8, u8),
    Unassign(u8),
    Issue(u8, u8),
    Revoke(u8),
    Rename(u8),
    Suspend(bool),
    Delete,
}

fn user(number: u8) -> Uuid {
    Uuid::from_u128(0x100 + u128::from(number))
}

fn team(number: u8) -> Uuid {
    Uuid::from_u128(0x200 + u128::from(number))
}

fn thing(number: u8) -> Uuid {
    Uuid::from_u128(0x300 + u128::from(number))
}

/// Users have even numbers, teams odd ones.
fn holder(number: u8) -> Uuid {
    if number.is_multiple_of(2) { user(number / 2) } else { team(number / 2) }
}

impl Model {
    /// What identity would write for a try, if it lets it happen; the model follows.
    fn follow(&mut self, attempt: &Try) -> Option<Change> {
        if self.state == Some(OrganizationState::Deleted) {
            return None;
        }
        self.members(attempt)
            .or_else(|| self.principals(attempt))
            .or_else(|| self.holdings(attempt))
            .or_else(|| self.organization(attempt))
    }

    fn principals(&mut self, attempt: &Try) -> Option<Change> {
        match *attempt {
            Try::Invite(n) if !self.users.contains_key(&user(n)) => {
                self.users.insert(user(n), false);
                Some(Change::UserInvited { user: user(n) })
            }
            Try::SetActive(n, active) if self.users.contains_key(&user(n)) => {
                self.users.insert(user(n), active);
                Some(Change::UserStateChanged { user: user(n), active })
            }
            Try::Rename(n) if self.users.contains_key(&user(n)) => {
                Some(Change::UserChanged { user: user(n), fields: vec!["full_name".into()] })
            }
            Try::Erase(n) if self.users.remove(&user(n)).is_some() => {
                self.forget(user(n));
                Some(Change::UserErased { user: user(n) })
            }
            Try::CreateTeam(n) if self.teams.insert(team(n)) => {
                Some(Change::TeamCreated { team: team(n), system: false })
            }
            Try::DeleteTeam(n) if self.teams.remove(&team(n)) => {
                self.forget(team(n));
                Some(Change::TeamDeleted { team: team(n) })
            }
            _ => None,
        }
    }

    /// All that hangs on a principal goes with it.
    fn forget(&mut self, principal: Uuid) {
        self.members.retain(|(team, member)| *team != principal && *member != principal);
        self.assignments.retain(|_, holder| *holder != principal);
        self.tokens.retain(|_, holder| *holder != principal);
    }

    fn members(&mut self, attempt: &Try) -> Option<Change> {
        match *attempt {
            Try::Join(t, u) if self.teams.contains(&team(t)) && self.users.contains_key(&user(u)) => {
                self.members.insert((team(t), user(u)));
                Some(Change::MemberAdded {
                    team: team(t),
                    member: user(u),
                    member_kind: MemberKind::User,
                    valid_from: None,
                    valid_until: None,
                })
            }
            Try::Leave(t, u) if self.members.remove(&(team(t), user(u))) => {
                Some(Change::MemberRemoved { team: team(t), member: user(u) })
            }
            _ => None,
        }
    }

    fn holdings(&mut self, attempt: &Try) -> Option<Change> {
        match *attempt {
            Try::Assign(n, h) if self.exists(holder(h)) && !self.assignments.contains_key(&thing(n)) => {
                self.assignments.insert(thing(n), holder(h));
                Some(assigned(thing(n), holder(h)))
            }
            Try::Unassign(n) if self.assignments.remove(&thing(n)).is_some() => {
                Some(Change::RoleUnassigned { assignment: thing(n) })
            }
            Try::Issue(n, u) if self.users.contains_key(&user(u)) && !self.tokens.contains_key(&thing(n)) => {
                self.tokens.insert(thing(n), user(u));
                Some(issued(thing(n), user(u)))
            }
            Try::Revoke(n) if self.tokens.remove(&thing(n)).is_some() => Some(Change::TokenRevoked { token: thing(n) }),
            _ => None,
        }
    }

    fn organization(&mut self, attempt: &Try) -> Option<Change> {
        match *attempt {
            Try::Suspend(suspended) => {
                let state = if suspended { OrganizationState::Suspended } else { OrganizationState::Active };
                self.state = Some(state);
                Some(Change::OrganizationStateChanged { state })
            }
            Try::Delete => {
                *self = Self { state: Some(OrganizationState::Deleted), ..Self::default() };
                Some(Change::OrganizationDeleted {})
            }
            _ => None,
        }
    }

    fn exists(&self, principal: Uuid) -> bool {
        self.users.contains_key(&principal) || self.teams.contains(&principal)
    }

    fn keys(&self) -> BTreeSet<RowKey> {
        let principals = self.users.keys().chain(&self.teams).map(|id| RowKey::Principal(*id));
        let members = self.members.iter().map(|(team, member)| RowKey::Binding { team: *team, member: *member });
        let grants = self.assignments.keys().map(|id| RowKey::Grant(*id));
        let tokens = self.tokens.keys().map(|id| RowKey::Token(*id));
        principals.chain(members).chain(grants).chain(tokens).chain([RowKey::Organization]).collect()
    }
}

fn assigned(assignment: Uuid, principal: Uuid) -> Change {
    Change::RoleAssigned {
        assignment,
        principal,
        role: "control_planes.viewer".into(),
        entity_type: "control_planes".into(),
        entity_id: None,
        region: None,
        valid_from: None,
        valid_until: None,
        condition: None,
    }
}

fn issued(token: Uuid, principal: Uuid) -> Change {
    let hash = Hash::of(&[token.as_bytes()]);
    Change::TokenIssued { token, principal, kind: TokenKind::Personal, hash, expires_at: Timestamp(9) }
}

fn tries() -> impl Strategy<Value = Try> {
    let n = 0u8..3;
    prop_oneof![
        4 => n.clone().prop_map(Try::Invite),
        2 => (n.clone(), any::<bool>()).prop_map(|(n, active)| Try::SetActive(n, active)),
        1 => n.clone().prop_map(Try::Erase),
        3 => n.clone().prop_map(Try::CreateTeam),
        1 => n.clone().prop_map(Try::DeleteTeam),
        4 => (n.clone(), n.clone()).prop_map(|(t, u)| Try::Join(t, u)),
        1 => (n.clone(), n.clone()).prop_map(|(t, u)| Try::Leave(t, u)),
        4 => (0u8..8, 0u8..6).prop_map(|(n, h)| Try::Assign(n, h)),
        1 => (0u8..8).prop_map(Try::Unassign),
        2 => (0u8..8, n.clone()).prop_map(|(n, u)| Try::Issue(n, u)),
        1 => (0u8..8).prop_map(Try::Revoke),
        1 => n.prop_map(Try::Rename),
        1 => any::<bool>().prop_map(Try::Suspend),
        1 => Just(Try::Delete),
    ]
}

/// The events of one organization: each try that is let happen is one, some hold several.
fn events(model: &mut Model, tries: &[Vec<Try>]) -> Vec<Record> {
    model.state = Some(OrganizationState::Active);
    let created = vec![Change::OrganizationCreated { owner: user(0) }];
    let changes = tries.iter().map(|tries| tries.iter().filter_map(|attempt| model.follow(attempt)).collect());
    let all: Vec<Vec<Change>> = std::iter::once(created).chain(changes).collect();
    (1..).zip(all).map(|(revision, changes)| identity(organization(1), revision, changes)).collect()
}

fn check(index: &Index, chain: &ChainId, model: &Model, revision: usize) -> Result<(), TestCaseError> {
    let chain = index.chain(chain).unwrap();
    prop_assert_eq!(usize::try_from(chain.position().revision).unwrap(), revision);
    prop_assert_eq!(chain.rows().keys().collect::<BTreeSet<_>>(), model.keys());
    prop_assert_eq!(chain.rows().organization(), model.state);
    for (user, active) in &model.users {
        prop_assert_eq!(chain.rows().principal(*user).unwrap().active, *active);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn authorization_and_its_readers_hold_what_the_model_holds(
        tries in prop::collection::vec(prop::collection::vec(tries(), 0..4), 1..25),
        replays in prop::collection::vec(0usize..100, 0..6),
    ) {
        let mut model = Model::default();
        let events = events(&mut model, &tries);
        let (mut policies, index) = policies();
        let mut sets: Vec<(ChangeSet, PolicyOps)> = Vec::new();
        let mut run = |batch: &[Record]| {
            let effects = policies.plan(batch);
            assert!(effects.kept.is_empty());
            sets.extend(change_sets(&effects.outgoing));
        };
        // The log begins again at some earlier place, as after a crash.
        for replay in &replays {
            run(&events[..replay % (events.len() + 1)]);
        }
        run(&events);

        let chain = ChainId { organization: organization(1), origin: REGION.into(), stream: Stream::Identity };
        check(&index.read().unwrap(), &chain, &model, events.len())?;
        prop_assert_eq!(sets.len(), events.len(), "one change set an event, whatever was repeated");

        let mut reader = Index::new();
        for replay in replays.iter().copied().chain([sets.len()]) {
            for (set, ops) in &sets[..replay.min(sets.len())] {
                reader.apply(REGION, set, ops);
            }
        }
        check(&reader, &chain, &model, events.len())?;
        prop_assert_eq!(reader.head(&chain).cloned(), index.read().unwrap().head(&chain).cloned());
    }
}
