//! What one region may put on its chains, in every other region's memory.

use std::collections::HashMap;

use writ_contract::{ChainId, Region};

/// Limits of what comes from one region. Beyond them its own chains stand still, or are not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Chains of a region: two for each organization at most.
    pub chains: usize,
    /// Rows of all chains of a region.
    pub rows: usize,
    /// Rows of one chain.
    pub rows_per_chain: usize,
    /// Operations of one change set.
    pub operations: usize,
}

impl Default for Limits {
    /// 1,000,000 chains, 20,000,000 rows, 2,000,000 in one chain, 50,000 operations.
    fn default() -> Self {
        Self { chains: 1_000_000, rows: 20_000_000, rows_per_chain: 2_000_000, operations: 50_000 }
    }
}

/// What each region has.
#[derive(Debug, Default)]
pub(crate) struct Usage(HashMap<Region, RegionUsage>);

#[derive(Debug, Default)]
struct RegionUsage {
    chains: usize,
    rows: usize,
}

impl Usage {
    /// Whether the region may have another chain.
    pub(crate) fn admits_chain(&self, origin: Region, limits: &Limits) -> bool {
        self.0.get(&origin).is_none_or(|usage| usage.chains < limits.chains)
    }

    /// Whether a chain with `rows` rows may have `more`.
    pub(crate) fn admits_rows(&self, chain: &ChainId, rows: usize, more: usize, limits: &Limits) -> bool {
        let of_region = self.0.get(&chain.origin).map_or(0, |usage| usage.rows);
        more == 0 || rows + more <= limits.rows_per_chain && of_region + more <= limits.rows
    }

    /// There is a chain more.
    pub(crate) fn add_chain(&mut self, origin: Region) {
        self.0.entry(origin).or_default().chains += 1;
    }

    /// A chain with `rows` rows is gone.
    pub(crate) fn remove_chain(&mut self, origin: Region, rows: usize) {
        let usage = self.0.entry(origin).or_default();
        usage.chains = usage.chains.saturating_sub(1);
        usage.rows = usage.rows.saturating_sub(rows);
    }

    /// A chain has `after` rows instead of `before`.
    pub(crate) fn change_rows(&mut self, origin: Region, before: usize, after: usize) {
        let usage = self.0.entry(origin).or_default();
        usage.rows = (usage.rows + after).saturating_sub(before);
    }
}
