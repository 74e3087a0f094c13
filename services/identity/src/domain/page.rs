//! Pages of a list.

/// Rows of a page unless the request says otherwise.
pub const DEFAULT_SIZE: u32 = 10;
/// Most rows of a page.
pub const LARGEST: u32 = 100;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// From 1.
    pub number: u32,
    /// 1 to 100.
    pub size: u32,
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
}

/// The rows of one page, in a stable order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// Which page.
    pub page: Page,
    /// Rows of the whole list.
    pub total: i64,
    /// Rows of the page; none past the end of the list.
    pub rows: Vec<T>,
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
