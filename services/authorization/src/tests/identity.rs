//! Whatever happens to an organization, and however often the log repeats it, authorization and a reader of its change
//! sets hold what a plain model of the organization holds; and once identity has used a revision twice, nothing moves.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use uuid::Uuid;
use writ_contract::identity_event::Change;
use writ_contract::policy_change::{ChangeSet, PolicyOps};
use writ_contract::row::{Grant, Membership, OrganizationState, Token, TokenKind, Validity};
use writ_contract::{GrantId, Hash, PrincipalId, Stream, TeamId, Timestamp, TokenId, UserId};
use writ_log::ConsumedRecord;
use writ_log::consumer::Projection;
use writ_policy::{Halt, Index, RowKey};

use crate::testing::*;

/// An organization as its administrators think of it.
#[derive(Debug, Default)]
struct OrganizationModel {
    state: Option<OrganizationState>,
    users: BTreeMap<UserId, bool>,
    teams: BTreeSet<TeamId>,
    members: BTreeSet<(TeamId, UserId)>,
    grants: BTreeMap<GrantId, PrincipalId>,
    tokens: BTreeMap<TokenId, UserId>,
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

fn user(number: u8) -> UserId {
    UserId::from_uuid(Uuid::from_u128(0x100 + u128::from(number)))
}

fn team(number: u8) -> TeamId {
    TeamId::from_uuid(Uuid::from_u128(0x200 + u128::from(number)))
}

fn grant(number: u8) -> GrantId {
    GrantId::from_uuid(Uuid::from_u128(0x300 + u128::from(number)))
}

fn token(number: u8) -> TokenId {
    TokenId::from_uuid(Uuid::from_u128(0x400 + u128::from(number)))
}

/// Users have even numbers, teams odd ones.
fn holder(number: u8) -> PrincipalId {
    if number.is_multiple_of(2) { user(number / 2).into() } else { team(number / 2).into() }
}

impl OrganizationModel {
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
                Some(Change::UserChanged { user: user(n), fields: vec!["full_name".parse().unwrap()] })
            }
            Try::Erase(n) if self.users.remove(&user(n)).is_some() => {
                self.forget(user(n).into());
                Some(Change::UserErased { user: user(n) })
            }
            Try::CreateTeam(n) if self.teams.insert(team(n)) => {
                Some(Change::TeamCreated { team: team(n), system: false })
            }
            Try::DeleteTeam(n) if self.teams.remove(&team(n)) => {
                self.forget(team(n).into());
                Some(Change::TeamDeleted { team: team(n) })
            }
            _ => None,
        }
    }

    /// All that hangs on a principal goes with it.
    fn forget(&mut self, principal: PrincipalId) {
        let is = |id: PrincipalId| id == principal;
        self.members.retain(|(team, member)| !is((*team).into()) && !is((*member).into()));
        self.grants.retain(|_, holder| !is(*holder));
        self.tokens.retain(|_, holder| !is((*holder).into()));
    }

    fn members(&mut self, attempt: &Try) -> Option<Change> {
        match *attempt {
            Try::Join(t, u) if self.teams.contains(&team(t)) && self.users.contains_key(&user(u)) => {
                self.members.insert((team(t), user(u)));
                let membership = Membership { team: team(t), member: user(u).into(), validity: Validity::default() };
                Some(Change::MemberAdded(membership))
            }
            Try::Leave(t, u) if self.members.remove(&(team(t), user(u))) => {
                Some(Change::MemberRemoved { team: team(t), member: user(u).into() })
            }
            _ => None,
        }
    }

    fn holdings(&mut self, attempt: &Try) -> Option<Change> {
        match *attempt {
            Try::Assign(n, h) if self.exists(holder(h)) && !self.grants.contains_key(&grant(n)) => {
                self.grants.insert(grant(n), holder(h));
                Some(assigned(grant(n), holder(h)))
            }
            Try::Unassign(n) if self.grants.remove(&grant(n)).is_some() => {
                Some(Change::RoleUnassigned { grant: grant(n) })
            }
            Try::Issue(n, u) if self.users.contains_key(&user(u)) && !self.tokens.contains_key(&token(n)) => {
                self.tokens.insert(token(n), user(u));
                Some(issued(token(n), user(u)))
            }
            Try::Revoke(n) if self.tokens.remove(&token(n)).is_some() => Some(Change::TokenRevoked { token: token(n) }),
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

    fn exists(&self, principal: PrincipalId) -> bool {
        self.users.keys().any(|id| PrincipalId::from(*id) == principal)
            || self.teams.iter().any(|id| PrincipalId::from(*id) == principal)
    }

    fn keys(&self) -> BTreeSet<RowKey> {
        let users = self.users.keys().map(|id| RowKey::Principal((*id).into()));
        let teams = self.teams.iter().map(|id| RowKey::Principal((*id).into()));
        let members =
            self.members.iter().map(|(team, member)| RowKey::Membership { team: *team, member: (*member).into() });
        let grants = self.grants.keys().map(|id| RowKey::Grant(*id));
        let tokens = self.tokens.keys().map(|id| RowKey::Token(*id));
        users.chain(teams).chain(members).chain(grants).chain(tokens).chain([RowKey::Organization]).collect()
    }
}

fn assigned(id: GrantId, principal: PrincipalId) -> Change {
    Change::RoleAssigned(Grant {
        id,
        principal,
        role: "control_planes.viewer".parse().unwrap(),
        entity_type: "control_planes".parse().unwrap(),
        entity_id: None,
        region: None,
        validity: Validity::default(),
        condition: None,
    })
}

fn issued(id: TokenId, user: UserId) -> Change {
    let hash = Hash::of(&[id.as_bytes()]);
    Change::TokenIssued(Token { id, hash, principal: user.into(), kind: TokenKind::Personal, expires_at: Timestamp(9) })
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

/// What identity does: each list of tries that it lets happen is one event.
fn changes(model: &mut OrganizationModel, tries: &[Vec<Try>]) -> Vec<Vec<Change>> {
    model.state = Some(OrganizationState::Active);
    let created = vec![Change::OrganizationCreated { owner: user(0) }];
    let changes = tries.iter().map(|tries| tries.iter().filter_map(|attempt| model.follow(attempt)).collect());
    std::iter::once(created).chain(changes).collect()
}

fn events(identity: &mut IdentityEvents, changes: impl IntoIterator<Item = Vec<Change>>) -> Vec<ConsumedRecord> {
    changes.into_iter().map(|changes| identity.record(organization(1), changes)).collect()
}

fn check(index: &Index, model: &OrganizationModel, revision: usize) -> Result<(), TestCaseError> {
    let chain = index.chain(&chain(1, Stream::Identity)).unwrap();
    prop_assert_eq!(usize::try_from(chain.revision().number).unwrap(), revision);
    prop_assert_eq!(chain.rows().keys().collect::<BTreeSet<_>>(), model.keys());
    prop_assert_eq!(chain.rows().organization(), model.state);
    for (user, active) in &model.users {
        prop_assert_eq!(chain.rows().principal((*user).into()).unwrap().active, *active);
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
        let mut model = OrganizationModel::default();
        let events = events(&mut IdentityEvents::default(), changes(&mut model, &tries));
        let (mut policies, index) = policies();
        let mut sets: Vec<(ChangeSet, PolicyOps)> = Vec::new();
        let mut run = |batch: &[ConsumedRecord]| {
            let effects = policies.plan(batch);
            assert!(effects.parked.is_empty());
            sets.extend(change_sets(&effects.own.outgoing));
        };
        // The log begins again at some earlier place, as after a crash.
        for replay in &replays {
            run(&events[..replay % (events.len() + 1)]);
        }
        run(&events);

        index.read(|index| check(index, &model, events.len()))?;
        prop_assert_eq!(sets.len(), events.len(), "one change set an event, whatever was repeated");

        let mut reader = Index::new();
        for replay in replays.iter().copied().chain([sets.len()]) {
            for (set, ops) in &sets[..replay.min(sets.len())] {
                reader.apply(REGION.parse().unwrap(), set, ops);
            }
        }
        check(&reader, &model, events.len())?;
        let id = chain(1, Stream::Identity);
        prop_assert_eq!(reader.head(&id).copied(), index.read(|index| index.head(&id).copied()));
    }

    /// IdentityEvents lost the events from `parted` on and used their revisions again. Whichever of the new events arrives
    /// first, a repetition of an old one in between or not: the chain is halted where it was.
    #[test]
    fn a_second_history_halts_the_chain_where_it_was(
        tries in prop::collection::vec(prop::collection::vec(tries(), 0..4), 1..25),
        (parted, first) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
        replay in 0usize..30,
    ) {
        let mut model = OrganizationModel::default();
        let changes = changes(&mut model, &tries);
        let parted = parted.index(changes.len());
        let mut identity = IdentityEvents::default();
        let mut old = events(&mut identity, changes[..parted].iter().cloned());
        let mut lost = identity.clone();
        old.extend(events(&mut identity, changes[parted..].iter().cloned()));
        let renamed = Change::UserChanged { user: user(9), fields: vec!["full_name".parse().unwrap()] };
        let new = events(&mut lost, vec![vec![renamed]; old.len() + 1 - parted]);

        let (mut policies, index) = policies();
        prop_assert_eq!(change_sets(&policies.plan(&old).own.outgoing).len(), old.len());
        let repeated = &old[..replay.min(old.len())];
        let arriving = &new[first.index(new.len())..];
        for batch in [repeated, &arriving[..1], repeated, arriving] {
            let effects = policies.plan(batch);
            prop_assert!(effects.own.outgoing.is_empty());
            prop_assert_eq!(effects.parked.len(), if batch == repeated { 0 } else { batch.len() });
        }
        index.read(|index| check(index, &model, old.len()))?;
        let id = chain(1, Stream::Identity);
        let halt = index.read(|index| index.chain(&id).unwrap().standing().halt);
        prop_assert_eq!(halt, Some(Halt::Fork));
    }
}
