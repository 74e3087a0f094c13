//! Lists as clients get them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::page::Paged;

/// Position and size of a page.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(super) struct PageMeta {
    /// Which page, from 1.
    number: i64,
    /// Rows a page.
    size: i64,
    /// Rows of the whole list.
    total: i64,
}

impl PageMeta {
    /// A list that is answered whole.
    pub(super) fn whole(rows: usize) -> Self {
        let rows = i64::try_from(rows).unwrap_or(i64::MAX);
        Self { number: 1, size: rows, total: rows }
    }
}

/// Holds the [`PageMeta`] of most answers.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(super) struct ListMeta {
    /// About the page.
    page: PageMeta,
}

/// A page of a list, in a stable order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Paginated<T> {
    /// About the page.
    meta: ListMeta,
    /// Its rows; none past the end of the list.
    data: Vec<T>,
}

impl<T> Paginated<T> {
    /// A list that is answered whole.
    pub(super) fn whole(data: Vec<T>) -> Self {
        Self { meta: ListMeta { page: PageMeta::whole(data.len()) }, data }
    }
}

impl<Row, T: From<Row>> From<Paged<Row>> for Paginated<T> {
    fn from(Paged { page, total, rows }: Paged<Row>) -> Self {
        let page = PageMeta { number: page.number.into(), size: page.size.into(), total };
        Self { meta: ListMeta { page }, data: rows.into_iter().map(T::from).collect() }
    }
}
