//! What policy operations follow from what happened to an organization.

use std::collections::BTreeSet;

use writ_contract::identity_event::{CatalogueRole, Change, Changes, OrganizationState};
use writ_contract::policy_change::{Operation, PolicyOps, PrincipalKind};

/// The operations of one identity event, possibly none, in the order of its changes.
///
/// `roles` looks up the keys of the roles the chain holds before the event; it is asked only by a
/// change of the catalogue. Nothing else decides the result: the same event on the same chain
/// gives the same operations, byte for byte.
pub fn operations(changes: Changes, roles: impl Fn() -> Vec<String>) -> PolicyOps {
    let mut held = None;
    let mut ops = Vec::with_capacity(changes.changes.len());
    for change in changes.changes {
        match change {
            Change::CatalogueChanged { roles: now } => {
                let before = held.take().unwrap_or_else(|| roles().into_iter().collect());
                held = Some(catalogue(now, &before, &mut ops));
            }
            other => follow(other, &mut ops),
        }
    }
    PolicyOps { ops }
}

/// Puts every role of the new catalogue and drops those that are gone, in the order of their keys.
/// Returns the keys that are held then.
fn catalogue(now: Vec<CatalogueRole>, before: &BTreeSet<String>, ops: &mut Vec<Operation>) -> BTreeSet<String> {
    let held: BTreeSet<String> = now.iter().map(|role| role.key.clone()).collect();
    ops.extend(now.into_iter().map(put_role));
    ops.extend(before.difference(&held).map(|role| Operation::DropRole { role: role.clone() }));
    held
}

fn put_role(role: CatalogueRole) -> Operation {
    Operation::PutRole {
        role: role.key,
        entity_type: role.entity_type,
        actions: role.actions,
        covers_children: role.covers_children,
    }
}

/// Changes of descriptive fields, and whatever else decides nothing, give no operation.
fn follow(change: Change, ops: &mut Vec<Operation>) {
    match change {
        Change::OrganizationDeleted {} => delete_organization(ops),
        Change::OrganizationStateChanged { state: OrganizationState::Deleted } => delete_organization(ops),
        other => ops.extend(single(other)),
    }
}

fn delete_organization(ops: &mut Vec<Operation>) {
    let state = OrganizationState::Deleted;
    ops.extend([Operation::DropAll {}, Operation::PutOrganization { state }]);
}

/// The one operation of a change that gives at most one.
fn single(change: Change) -> Option<Operation> {
    match change {
        Change::OrganizationCreated { .. } => Some(Operation::PutOrganization { state: OrganizationState::Active }),
        Change::OrganizationStateChanged { state } => Some(Operation::PutOrganization { state }),
        Change::UserInvited { .. }
        | Change::UserActivated { .. }
        | Change::UserStateChanged { .. }
        | Change::UserErased { .. }
        | Change::TeamCreated { .. }
        | Change::TeamDeleted { .. }
        | Change::SystemAccountCreated { .. }
        | Change::SystemAccountDeleted { .. } => principal(change),
        Change::MemberAdded { .. } | Change::MemberRemoved { .. } => binding(change),
        Change::TokenIssued { .. } | Change::TokenRevoked { .. } => token(change),
        Change::RoleAssigned { .. } | Change::RoleUnassigned { .. } => grant(change),
        Change::CustomRoleDefined { .. } | Change::CustomRoleDeleted { .. } => custom_role(change),
        Change::ConditionSet { .. } | Change::ConditionDeleted { .. } => condition(change),
        Change::UserChanged { .. }
        | Change::TeamChanged { .. }
        | Change::SystemAccountChanged { .. }
        | Change::TokenChanged { .. }
        | Change::OrganizationDeleted {}
        | Change::CatalogueChanged { .. } => None,
    }
}

fn principal(change: Change) -> Option<Operation> {
    let put = |id, kind, active| Some(Operation::PutPrincipal { id, kind, active });
    match change {
        Change::UserInvited { user } => put(user, PrincipalKind::User, false),
        Change::UserActivated { user } => put(user, PrincipalKind::User, true),
        Change::UserStateChanged { user, active } => put(user, PrincipalKind::User, active),
        Change::TeamCreated { team, .. } => put(team, PrincipalKind::Team, true),
        Change::SystemAccountCreated { account, .. } => put(account, PrincipalKind::SystemAccount, true),
        Change::UserErased { user: id }
        | Change::TeamDeleted { team: id }
        | Change::SystemAccountDeleted { account: id } => Some(Operation::DropPrincipal { id }),
        _ => None,
    }
}

fn binding(change: Change) -> Option<Operation> {
    match change {
        Change::MemberAdded { team, member, valid_from, valid_until, .. } => {
            Some(Operation::PutBinding { team, member, valid_from, valid_until })
        }
        Change::MemberRemoved { team, member } => Some(Operation::DropBinding { team, member }),
        _ => None,
    }
}

fn token(change: Change) -> Option<Operation> {
    match change {
        Change::TokenIssued { token, principal, kind, hash, expires_at } => {
            Some(Operation::PutToken { id: token, hash, principal, kind, expires_at })
        }
        Change::TokenRevoked { token } => Some(Operation::DropToken { id: token }),
        _ => None,
    }
}

fn grant(change: Change) -> Option<Operation> {
    match change {
        Change::RoleAssigned {
            assignment,
            principal,
            role,
            entity_type,
            entity_id,
            region,
            valid_from,
            valid_until,
            condition,
        } => Some(Operation::PutGrant {
            id: assignment,
            principal,
            role,
            entity_type,
            entity_id,
            region,
            valid_from,
            valid_until,
            condition,
        }),
        Change::RoleUnassigned { assignment } => Some(Operation::DropGrant { id: assignment }),
        _ => None,
    }
}

fn custom_role(change: Change) -> Option<Operation> {
    match change {
        Change::CustomRoleDefined { role, entity_type, actions } => {
            Some(Operation::PutRole { role: role.to_string(), entity_type, actions, covers_children: Vec::new() })
        }
        Change::CustomRoleDeleted { role } => Some(Operation::DropRole { role: role.to_string() }),
        _ => None,
    }
}

fn condition(change: Change) -> Option<Operation> {
    match change {
        Change::ConditionSet { condition, effect, cedar_json } => {
            Some(Operation::PutCondition { id: condition, effect, cedar_json })
        }
        Change::ConditionDeleted { condition } => Some(Operation::DropCondition { id: condition }),
        _ => None,
    }
}

#[cfg(test)]
#[path = "derive_tests.rs"]
mod tests;
