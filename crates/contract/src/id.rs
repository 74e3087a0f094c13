//! Ids that cannot be mistaken for each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Region;

/// Declares ids: each a UUID with a type of its own.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id that `uuid` stands for.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id without its type.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }

            /// The 16 bytes of the id.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                Uuid::try_parse(text).map(Self)
            }
        }

        #[cfg(feature = "utoipa")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::openapi::uuid()
            }
        }

        #[cfg(feature = "utoipa")]
        impl utoipa::ToSchema for $name {}
    )*};
}

/// Gives ids a constructor for new ones, ordered by the time they were made.
macro_rules! generated {
    ($($name:ident),*) => {$(
        impl $name {
            /// A new id (UUID version 7).
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }
    )*};
}

ids! {
    /// An organization: a tenant of the platform. Names its home region, see [`OrganizationId::home`].
    OrganizationId;
    /// A user, team or system account.
    PrincipalId;
    /// A person of an organization.
    UserId;
    /// A group of users and system accounts.
    TeamId;
    /// A machine account of an organization.
    SystemAccountId;
    /// A grant: that a principal has a role.
    GrantId;
    /// A bearer token; never its secret.
    TokenId;
    /// A Cedar condition.
    ConditionId;
}
generated!(UserId, TeamId, SystemAccountId, GrantId, TokenId, ConditionId);

/// Declares which ids name principals.
macro_rules! principals {
    ($($name:ident),*) => {$(
        impl From<$name> for PrincipalId {
            fn from(id: $name) -> Self {
                Self(id.0)
            }
        }
    )*};
}
principals!(UserId, TeamId, SystemAccountId);

/// The organization of the platform itself: each region's identity chain of it carries that region's catalogue.
pub const PLATFORM_ORGANIZATION: OrganizationId = OrganizationId(Uuid::nil());

/// Bits of an organization's id that tell organizations of one region and millisecond apart.
const RANDOM_BITS: u32 = 32;
/// Bits of the last 64 that are not the UUID's variant.
const VARIANT_SHIFT: u32 = 62;

impl OrganizationId {
    /// A new organization of the region `home`.
    pub fn generate(home: Region) -> Self {
        let ([time, ..], random) = (Self::words(Uuid::now_v7()), Uuid::new_v4().as_fields().0);
        Self::from_parts(home, time >> 16, random)
    }

    /// The id made of a home region, Unix time in milliseconds (48 bits) and random bits.
    ///
    /// It is a UUID version 8 (RFC 9562, section 5.8): 48 bits of time, so that ids sort by it, then 42 bits of the
    /// home region's code, then the random bits.
    pub fn from_parts(home: Region, unix_ms: u64, random: u32) -> Self {
        let tag = home.to_bits();
        let high = unix_ms << 16 | tag >> (VARIANT_SHIFT - RANDOM_BITS);
        let low = tag << RANDOM_BITS | u64::from(random);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.to_be_bytes());
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The region where the organization's identity data lives. `None` if the id names no region: nobody may speak
    /// for such an organization. The platform's own has no home either, as each region has its own catalogue.
    pub fn home(self) -> Option<Region> {
        if self.0.get_version_num() != 8 {
            return None;
        }
        let [high, low] = Self::words(self.0);
        let upper = (high & 0xFFF) << (VARIANT_SHIFT - RANDOM_BITS);
        let lower = (low & (u64::MAX >> 2)) >> RANDOM_BITS;
        Region::from_bits(upper | lower).ok()
    }

    /// When the organization was made, by the clock of its home: Unix time in milliseconds. Whoever makes an id up
    /// chooses it.
    pub fn unix_ms(self) -> u64 {
        let [high, _] = Self::words(self.0);
        high >> 16
    }

    /// Whether identity data of the organization may come from `origin`.
    pub fn may_come_from(self, origin: Region) -> bool {
        self == PLATFORM_ORGANIZATION || self.home() == Some(origin)
    }

    fn words(uuid: Uuid) -> [u64; 2] {
        let (high, low) = uuid.as_u64_pair();
        [high, low]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_names_its_home() {
        for code in ["us", "eu", "apsouth1", "z9999999"] {
            let home: Region = code.parse().unwrap();
            let id = OrganizationId::generate(home);
            assert_eq!(id.home(), Some(home));
            assert!(id.may_come_from(home) && !id.may_come_from("qq".parse().unwrap()));
            assert_eq!((id.0.get_version_num(), id.0.get_variant()), (8, uuid::Variant::RFC4122));
        }
    }

    #[test]
    fn ids_sort_by_time_whatever_the_home() {
        let at = |code: &str, ms| OrganizationId::from_parts(code.parse().unwrap(), ms, 7);
        assert!(at("us", 1) < at("eu", 2) && at("eu", 2) < at("us", 3));
        assert_ne!(at("us", 1), OrganizationId::from_parts("us".parse().unwrap(), 1, 8));
    }

    #[test]
    fn an_id_without_a_home_belongs_to_nobody() {
        let us = "us".parse().unwrap();
        assert!(PLATFORM_ORGANIZATION.may_come_from(us));
        for uuid in [Uuid::now_v7(), Uuid::from_u128(1), Uuid::max()] {
            assert!(!OrganizationId::from_uuid(uuid).may_come_from(us), "{uuid}");
        }
    }
}
