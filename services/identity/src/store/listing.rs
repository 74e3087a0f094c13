//! What a page of a list is read as.

use sqlx::FromRow;

use crate::domain::page::Page;
use crate::domain::page::Paginated;

/// A row and the number of rows of the whole list.
#[derive(Debug, FromRow)]
pub(super) struct Counted<T> {
    #[sqlx(flatten)]
    row: T,
    total: i64,
}

/// A page of counted rows. None when it has no rows but comes after others, so that the number
/// of rows is not known.
pub(super) fn page_of<T>(page: Page, rows: Vec<Counted<T>>) -> Option<Paginated<T>> {
    let total = match rows.first() {
        Some(first) => first.total,
        None if page.number == 1 => 0,
        None => return None,
    };
    Some(Paginated::new(page, total, rows.into_iter().map(|counted| counted.row).collect()))
}

/// The page past the end of a list, given the list's first page.
pub(super) fn past_the_end<T>(page: Page, first: &[Counted<T>]) -> Paginated<T> {
    Paginated::new(page, first.first().map_or(0, |counted| counted.total), Vec::new())
}
