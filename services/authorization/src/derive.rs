//! What policy operations follow from what happened to an organization.

use std::collections::BTreeSet;

use writ_contract::identity_event::{Change, Changes};
use writ_contract::policy_change::Operation;
use writ_contract::row::{OrganizationState, Principal, PrincipalKind, Role};
use writ_contract::{PrincipalId, RoleKey};

/// The operations of one identity event, possibly none, in the order of its changes.
///
/// `roles` looks up the keys of the roles the chain holds before the event; only a change of the catalogue asks for
/// them. Nothing else decides the result: the same event on the same chain gives the same operations, byte for byte.
pub fn operations(changes: Changes, roles: impl Fn() -> BTreeSet<RoleKey>) -> Vec<Operation> {
    let mut held = None;
    let mut catalogue = |now: Vec<Role>| {
        let before = held.replace(now.iter().map(|role| role.key.clone()).collect()).unwrap_or_else(&roles);
        replace_catalogue(now, before)
    };
    changes.changes.into_iter().flat_map(|change| follow(change, &mut catalogue)).collect()
}

/// The operations of one change. Changes of descriptive fields don't affect policy and give none.
fn follow(change: Change, catalogue: &mut impl FnMut(Vec<Role>) -> Vec<Operation>) -> Vec<Operation> {
    use Operation::{
        DropAll, DropCondition, DropGrant, DropMembership, DropPrincipal, DropRole, DropToken, PutCondition, PutGrant,
        PutMembership, PutOrganization, PutRole, PutToken,
    };
    use OrganizationState::{Active, Deleted};
    use PrincipalKind::{SystemAccount, Team, User};
    match change {
        Change::CatalogueChanged { roles } => catalogue(roles),
        Change::OrganizationCreated { .. } => vec![PutOrganization { state: Active }],
        Change::OrganizationDeleted {} | Change::OrganizationStateChanged { state: Deleted } => {
            vec![DropAll {}, PutOrganization { state: Deleted }]
        }
        Change::OrganizationStateChanged { state } => vec![PutOrganization { state }],
        Change::UserInvited { user } => vec![put_principal(user, User, false)],
        Change::UserActivated { user } => vec![put_principal(user, User, true)],
        Change::UserStateChanged { user, active } => vec![put_principal(user, User, active)],
        Change::UserErased { user } => vec![DropPrincipal { id: user.into() }],
        Change::TeamCreated { team, .. } => vec![put_principal(team, Team, true)],
        Change::TeamDeleted { team } => vec![DropPrincipal { id: team.into() }],
        Change::SystemAccountCreated { account, .. } => vec![put_principal(account, SystemAccount, true)],
        Change::SystemAccountDeleted { account } => vec![DropPrincipal { id: account.into() }],
        Change::MemberAdded(membership) => vec![PutMembership(membership)],
        Change::MemberRemoved { team, member } => vec![DropMembership { team, member }],
        Change::TokenIssued(token) => vec![PutToken(token)],
        Change::TokenRevoked { token } => vec![DropToken { id: token }],
        Change::RoleAssigned(grant) => vec![PutGrant(grant)],
        Change::RoleUnassigned { grant } => vec![DropGrant { id: grant }],
        Change::CustomRoleDefined(role) => vec![PutRole(role)],
        Change::CustomRoleDeleted { key } => vec![DropRole { key }],
        Change::ConditionSet(condition) => vec![PutCondition(condition)],
        Change::ConditionDeleted { condition } => vec![DropCondition { id: condition }],
        Change::UserChanged { .. }
        | Change::TeamChanged { .. }
        | Change::SystemAccountChanged { .. }
        | Change::TokenChanged { .. } => Vec::new(),
    }
}

fn put_principal(id: impl Into<PrincipalId>, kind: PrincipalKind, active: bool) -> Operation {
    Operation::PutPrincipal(Principal { id: id.into(), kind, active })
}

/// Puts every role of the new catalogue and drops those that are gone, in the order of their keys.
fn replace_catalogue(now: Vec<Role>, mut before: BTreeSet<RoleKey>) -> Vec<Operation> {
    before.retain(|key| now.iter().all(|role| role.key != *key));
    let puts = now.into_iter().map(Operation::PutRole);
    puts.chain(before.into_iter().map(|key| Operation::DropRole { key })).collect()
}

#[cfg(test)]
mod tests;
