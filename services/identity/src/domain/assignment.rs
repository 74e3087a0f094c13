//! The role of administrators.

use std::sync::LazyLock;

use writ_contract::row::{Grant, Validity};
use writ_contract::{EntityType, GrantId, PrincipalId, RoleKey};

/// The role that administrators hold.
pub static ADMINISTRATOR: LazyLock<RoleKey> = LazyLock::new(|| key("identity.admin"));
/// The entity type of roles over the organization itself, which is global.
pub static IDENTITY: LazyLock<EntityType> = LazyLock::new(|| key("identity"));

#[expect(clippy::expect_used, reason = "the keys are in a test")]
fn key<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a key of the catalogue")
}

/// The grant that makes a principal an administrator of its organization.
pub fn administrator(principal: PrincipalId) -> Grant {
    Grant {
        id: GrantId::generate(),
        principal,
        role: ADMINISTRATOR.clone(),
        entity_type: IDENTITY.clone(),
        entity_id: None,
        region: None,
        validity: Validity::default(),
        condition: None,
    }
}

#[cfg(test)]
mod tests {
    use writ_contract::catalogue::Catalogue;

    use super::*;

    #[test]
    fn administrators_hold_a_role_of_the_catalogue() {
        let grant = administrator(PrincipalId::default());
        let (entity_type, _) = Catalogue::compiled_in().by_key(&grant.role).unwrap();
        assert_eq!(entity_type.key, grant.entity_type);
    }
}
