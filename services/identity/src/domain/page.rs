//! Pages of a list.

use serde::Serialize;
use utoipa::ToSchema;

/// Rows of a page when the request does not say.
const DEFAULT_SIZE: u32 = 10;
/// Rows of a page at most.
pub const LARGEST: u32 = 100;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// 1 to 100.
    pub size: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self { number: 1, size: DEFAULT_SIZE }
    }
}

impl Page {
    /// Rows before the page.
    pub fn offset(self) -> i64 {
        i64::from(self.number.saturating_sub(1)) * i64::from(self.size)
    }

    /// Rows of the page.
    pub fn limit(self) -> i64 {
        i64::from(self.size)
    }

    /// What the answer says about the page, of a list of `total` rows.
    pub fn of(self, total: i64) -> PageMeta {
        PageMeta { number: i64::from(self.number), size: i64::from(self.size), total }
    }
}

/// What an answer says about its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PageMeta {
    /// Which page, from 1.
    pub number: i64,
    /// Rows a page.
    pub size: i64,
    /// Rows of the whole list.
    pub total: i64,
}

impl PageMeta {
    /// A list that is answered whole.
    pub fn whole(rows: usize) -> Self {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        Self { number: 1, size: rows, total: rows }
    }
}

/// Where [`PageMeta`] stands in most answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Meta {
    /// About the page.
    pub page: PageMeta,
}

/// A page of a list, in a stable order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Paginated<T> {
    /// About the page.
    pub meta: Meta,
    /// Its rows; none past the end of the list.
    pub data: Vec<T>,
}

impl<T> Paginated<T> {
    /// One page of a list of `total` rows.
    pub fn new(page: Page, total: i64, data: Vec<T>) -> Self {
        Self { meta: Meta { page: page.of(total) }, data }
    }

    /// A list that is answered whole.
    pub fn whole(data: Vec<T>) -> Self {
        Self { meta: Meta { page: PageMeta::whole(data.len()) }, data }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pages_follow_each_other_without_gap(number in 1..u32::MAX, size in 1..=LARGEST) {
            let (page, next) = (Page { number, size }, Page { number: number + 1, size });
            prop_assert_eq!(page.offset() + page.limit(), next.offset());
        }
    }
}
