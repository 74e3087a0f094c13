//! All chains of all regions, and the questions they answer.

mod chains;

pub mod authenticate;
pub mod decide;

use std::collections::HashMap;

use writ_contract::policy_change::{ChainState, ChangeSet, Head, Operation, PolicyOps};
use writ_contract::{ChainId, Hash, OrganizationId, Region, Revision, Stream};

use crate::apply::{Verdict, judge, judge_oversized, judge_undecodable, over_limit};
use crate::delta::{Delta, Replaced};
use crate::digest::StateDigest;
use crate::halt::Halt;
use crate::limits::{Limits, Usage};
use crate::row::Row;
use crate::rows::Rows;
use crate::seal::{Header, SealError, seal};
use crate::state::{Chain, Standing};
use chains::Chains;

/// The chains of all organizations and regions in memory. One writer owns it.
#[derive(Debug, Default)]
pub struct Index {
    organizations: HashMap<OrganizationId, Chains>,
    limits: Limits,
    usage: Usage,
    /// A change is being made.
    changing: bool,
}

/// Rows that do not sum up to their head's state digest. The chain is halted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rows of {} do not have the state digest of its head", delta.chain())]
pub struct LoadMismatch {
    /// The chain's standing from now on.
    pub delta: Box<Delta>,
}

impl Index {
    /// No chains.
    pub fn new() -> Self {
        Self::default()
    }

    /// With other limits than the default ones, which count for what comes from now on.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Takes in a chain as it was stored.
    ///
    /// # Errors
    /// When its rows are not those of its head; the chain is taken in, but halted.
    pub fn load(&mut self, standing: Standing, rows: Vec<Row>) -> Result<(), LoadMismatch> {
        let found = Hash::from(StateDigest::of(rows.iter().map(Row::hash)));
        let matches = found == standing.head.state_digest;
        let mut loaded = Rows::default();
        rows.into_iter().for_each(|row| drop(loaded.put(row)));
        let seen = standing.seen;
        let chain = Chain::restored(standing, loaded);
        let id = chain.id();
        self.usage.add_chain(id.origin);
        self.usage.change_rows(id.origin, 0, chain.rows().len());
        self.organizations.entry(id.organization).or_default().insert(chain);
        if matches {
            return Ok(());
        }
        let delta = self.halt(&id, Halt::StateMismatch, Some(seen));
        Err(LoadMismatch { delta: Box::new(delta) })
    }

    /// Applies a change set that came from region `origin`, if it may be applied, and says what
    /// became of it. The verdict's delta is made already; it remains to be written.
    pub fn apply(&mut self, origin: Region, set: &ChangeSet, ops: &PolicyOps) -> Verdict {
        let limit = self.limits.operations;
        self.apply_if(origin, set, |chain| match ops.ops.len() > limit {
            true => judge_oversized(chain, set),
            false => judge(chain, set, ops),
        })
    }

    /// As [`Index::apply`], for a change set whose payload this build cannot decode.
    pub fn apply_undecodable(&mut self, origin: Region, set: &ChangeSet) -> Verdict {
        self.apply_if(origin, set, |chain| judge_undecodable(chain, set))
    }

    fn apply_if(&mut self, origin: Region, set: &ChangeSet, judge: impl FnOnce(&Chain) -> Verdict) -> Verdict {
        let id = ChainId { organization: set.organization, origin, stream: set.stream };
        if !id.is_legitimate() {
            return Verdict::ForeignOrigin;
        }
        let mut verdict = match self.chain(&id) {
            Some(chain) => self.within_limits(chain, judge(chain), set.revision),
            None if !self.usage.admits_chain(origin, &self.limits) => return Verdict::TooManyChains,
            None => self.within_limits(&Chain::new(id), judge(&Chain::new(id)), set.revision),
        };
        if let Some(delta) = verdict.delta_mut() {
            self.commit(delta);
        }
        verdict
    }

    /// The verdict, unless the chain or its region would have too many rows: then the chain stands still.
    fn within_limits(&self, chain: &Chain, verdict: Verdict, seen: Revision) -> Verdict {
        let Verdict::Applied(delta) = &verdict else { return verdict };
        let more = delta.put.len().saturating_sub(delta.dropped.len());
        // Some of what is put replaces other rows: counted only if it matters.
        if self.usage.admits_rows(&chain.id(), chain.rows().len(), more, &self.limits) {
            return verdict;
        }
        let new = delta.put.iter().filter(|row| !chain.rows().contains(&row.key())).count();
        let more = new.saturating_sub(delta.dropped.len());
        if self.usage.admits_rows(&chain.id(), chain.rows().len(), more, &self.limits) {
            return verdict;
        }
        over_limit(chain, seen)
    }

    /// Makes the next change set of a chain and applies it.
    ///
    /// # Errors
    /// When it does not directly continue the chain, or the chain cannot move on.
    pub fn seal(
        &mut self,
        chain: &ChainId,
        header: Header,
        ops: Vec<Operation>,
    ) -> Result<(ChangeSet, Delta), SealError> {
        if !chain.is_legitimate() {
            return Err(SealError::ForeignOrigin);
        }
        let (set, mut delta) = match self.chain(chain) {
            Some(chain) => seal(chain, header, ops)?,
            None => seal(&Chain::new(*chain), header, ops)?,
        };
        self.commit(&mut delta);
        Ok((set, delta))
    }

    /// Stops or parks a chain, known or not, over something that was `seen`.
    pub fn halt(&mut self, chain: &ChainId, halt: Halt, seen: Option<Revision>) -> Delta {
        let seen = seen.unwrap_or(Revision::START);
        let mut delta = match self.chain(chain) {
            Some(chain) => chain.halted(Some(halt), seen),
            None => Chain::new(*chain).halted(Some(halt), seen),
        };
        self.commit(&mut delta);
        delta
    }

    /// Parks what a record from region `origin` that cannot be decoded may have been about: the
    /// organization's entities there, and its identity chain if that is where it comes from.
    pub fn park(&mut self, organization: OrganizationId, origin: Region, halt: Halt) -> Vec<Delta> {
        let chain = |stream| ChainId { organization, origin, stream };
        let identity = chain(Stream::Identity);
        let known = self.chain(&identity).is_some();
        let mut parked = vec![self.halt(&chain(Stream::Entities), halt, None)];
        parked.extend(known.then(|| self.halt(&identity, halt, None)));
        parked
    }

    /// Lets a parked chain move on, so that what was kept can be tried again. `None` if it is
    /// not parked.
    pub fn resume(&mut self, chain: &ChainId) -> Option<Delta> {
        let parked = self.chain(chain)?;
        let parked_for = parked.standing().halt?;
        if parked_for.state() != ChainState::Parked {
            return None;
        }
        let gap = (parked.standing().seen > parked.revision()).then_some(Halt::Gap);
        let mut delta = parked.halted(gap, Revision::START);
        self.commit(&mut delta);
        Some(delta)
    }

    /// A chain.
    pub fn chain(&self, id: &ChainId) -> Option<&Chain> {
        self.organizations.get(&id.organization)?.find(id.origin, id.stream)
    }

    /// Where a chain stands.
    pub fn head(&self, id: &ChainId) -> Option<&Head> {
        self.chain(id).map(Chain::head)
    }

    /// Where every chain stands, in no particular order.
    pub fn heads(&self) -> impl Iterator<Item = &Standing> {
        self.organizations.values().flat_map(Chains::iter).map(Chain::standing)
    }

    /// Takes back a change that is made and cannot be written. Of several changes of a chain, the last one comes first.
    pub fn take_back(&mut self, delta: Delta) {
        let id = delta.chain();
        match delta.inverse() {
            Some(mut inverse) => self.commit(&mut inverse),
            None => self.remove(&id),
        }
    }

    /// Whether a panic in the middle of a change left it half-made.
    pub fn is_half_changed(&self) -> bool {
        self.changing
    }

    /// Where the chains of an organization stand.
    pub fn heads_of(&self, organization: OrganizationId) -> impl Iterator<Item = &Standing> {
        self.organizations.get(&organization).into_iter().flat_map(Chains::iter).map(Chain::standing)
    }

    fn commit(&mut self, delta: &mut Delta) {
        let id = delta.chain();
        let known = self.chain(&id).is_some();
        self.changing = true;
        let chain = self.organizations.entry(id.organization).or_default().find_or_insert(&id);
        let before = chain.rows().len();
        let (standing, rows) = chain.commit(delta);
        if !known {
            self.usage.add_chain(id.origin);
        }
        self.usage.change_rows(id.origin, before, chain.rows().len());
        self.changing = false;
        delta.replaced = Replaced { standing: known.then(|| Box::new(standing)), rows };
    }

    fn remove(&mut self, id: &ChainId) {
        let Some(chains) = self.organizations.get_mut(&id.organization) else { return };
        self.changing = true;
        if let Some(chain) = chains.remove(id) {
            self.usage.remove_chain(id.origin, chain.rows().len());
        }
        if chains.iter().next().is_none() {
            self.organizations.remove(&id.organization);
        }
        self.changing = false;
    }
}
