//! The organizations that exist, in every region. Only what belongs to one of them may be announced: anybody can make up an
//! id, and each would be a chain in every region.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use writ_contract::organization::OrganizationEntry;
use writ_contract::row::OrganizationState;
use writ_contract::{OrganizationId, Record as _, Region, Revision, SchemaRegistry, Timestamp, decode};
use writ_log::ConsumedRecord;

/// An organization is made known in all regions within this time after it was made, by the clock of its home.
const YOUNG: Duration = Duration::from_secs(60);

/// What is known of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Of the change that wrote the entry.
    pub revision: Revision,
    /// It is final.
    pub deleted: bool,
}

/// The organizations by their id. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Directory(Arc<RwLock<HashMap<OrganizationId, Listed>>>);

impl Directory {
    /// The directory that was stored.
    pub fn new(listed: impl IntoIterator<Item = (OrganizationId, Listed)>) -> Self {
        Self(Arc::new(RwLock::new(listed.into_iter().collect())))
    }

    /// Whether the organization exists.
    pub fn has(&self, organization: OrganizationId) -> bool {
        self.get(organization).is_some_and(|listed| !listed.deleted)
    }

    /// Whether the organization is not known yet, but may well be within a few seconds: it was made less than a minute ago,
    /// if its id is to be believed.
    pub fn awaits(&self, organization: OrganizationId, now: Timestamp) -> bool {
        if organization.home().is_none() || self.get(organization).is_some() {
            return false;
        }
        let made = Duration::from_millis(organization.unix_ms());
        let now = now.since(Timestamp(0));
        // The clock of the home may be ahead of ours.
        made.abs_diff(now) < YOUNG
    }

    /// Takes an entry up; returns it, with what was known before, if it is newer.
    pub(crate) fn take_up(&self, organization: OrganizationId, listed: Listed) -> Option<Option<Listed>> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(&organization).copied();
        if before.is_some_and(|before| before.revision >= listed.revision) {
            return None;
        }
        all.insert(organization, listed);
        Some(before)
    }

    /// Puts back what was known before.
    pub(crate) fn put_back(&self, organization: OrganizationId, before: Option<Listed>) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match before {
            Some(listed) => all.insert(organization, listed),
            None => all.remove(&organization),
        };
    }

    fn get(&self, organization: OrganizationId) -> Option<Listed> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&organization).copied()
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> HashMap<OrganizationId, Listed> {
        self.0.read().unwrap().clone()
    }
}

/// The entry in a record of the directory of `origin`, if it is one: only its home speaks for an organization.
pub(crate) fn entry(
    record: &ConsumedRecord,
    origin: Region,
    registry: &SchemaRegistry,
) -> Option<(OrganizationId, Listed)> {
    if record.envelope().ok()?.ce_type != OrganizationEntry::TYPE {
        return None;
    }
    let entry: OrganizationEntry = decode(record.value.as_deref()?, registry).ok()?;
    let speaks = record.organization() == Some(entry.organization) && entry.organization.home() == Some(origin);
    let deleted = entry.state == OrganizationState::Deleted;
    speaks.then_some((entry.organization, Listed { revision: entry.revision, deleted }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(number: i64, deleted: bool) -> Listed {
        Listed { revision: Revision::first_epoch(number), deleted }
    }

    #[test]
    fn the_newest_entry_counts_whatever_comes_last() {
        let (directory, organization) = (Directory::default(), OrganizationId::generate("us".parse().unwrap()));
        assert!(!directory.has(organization));
        assert_eq!(directory.take_up(organization, listed(1, false)), Some(None));
        assert!(directory.has(organization));
        assert_eq!(directory.take_up(organization, listed(3, true)), Some(Some(listed(1, false))));
        assert_eq!(directory.take_up(organization, listed(2, false)), None);
        assert!(!directory.has(organization), "a deleted one does not exist");
        directory.put_back(organization, Some(listed(1, false)));
        assert!(directory.has(organization));
        directory.put_back(organization, None);
        assert!(!directory.has(organization));
    }

    #[test]
    fn only_young_organizations_are_awaited() {
        let (directory, home) = (Directory::default(), "us".parse().unwrap());
        let made = |seconds: u64| OrganizationId::from_parts(home, seconds * 1_000, 1);
        let now = Timestamp(1_000_000_000);
        assert!(directory.awaits(made(1_000), now) && directory.awaits(made(941), now));
        assert!(directory.awaits(made(1_059), now), "a clock that is ahead");
        assert!(!directory.awaits(made(940), now) && !directory.awaits(made(1_060), now));
        assert!(!directory.awaits(OrganizationId::from_uuid(uuid::Uuid::now_v7()), now), "of no region");
        directory.take_up(made(1_000), listed(1, true));
        assert!(!directory.awaits(made(1_000), now), "known to be deleted");
    }
}
