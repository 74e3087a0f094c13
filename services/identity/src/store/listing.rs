//! Reading one page of a list, and values of checked types.

use sqlx::FromRow;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::domain::Violation;
use crate::domain::filter::TextFilter;
use crate::domain::fold::folded;
use crate::domain::page::{Page, Paged};
use crate::domain::text::Term;

/// A row and the number of rows of the whole list.
#[derive(Debug, FromRow)]
pub(super) struct Counted<T> {
    #[sqlx(flatten)]
    row: T,
    total: i64,
}

/// A page of counted rows. `None` when it is empty but not the first: how many rows there are is then unknown.
pub(super) fn page_of<T>(page: Page, rows: Vec<Counted<T>>) -> Option<Paged<T>> {
    let total = match rows.first() {
        Some(first) => first.total,
        None if page.number == 1 => 0,
        None => return None,
    };
    Some(Paged { page, total, rows: rows.into_iter().map(|counted| counted.row).collect() })
}

/// The page past the end of a list, given the list's first page.
pub(super) fn past_the_end<T>(page: Page, first: &[Counted<T>]) -> Paged<T> {
    Paged { page, total: first.first().map_or(0, |counted| counted.total), rows: Vec::new() }
}

/// A checked text in a column.
pub(super) fn text<T: TryFrom<String, Error = Violation>>(row: &PgRow, column: &str) -> sqlx::Result<T> {
    optional_text(row, column)?.ok_or_else(|| sqlx::Error::Decode(format!("{column} is null").into()))
}

/// A checked text in a column that may be null.
pub(super) fn optional_text<T: TryFrom<String, Error = Violation>>(
    row: &PgRow,
    column: &str,
) -> sqlx::Result<Option<T>> {
    let text: Option<String> = row.try_get(column)?;
    text.map(T::try_from)
        .transpose()
        .map_err(|violation| sqlx::Error::Decode(format!("{column} {}", violation.reason).into()))
}

/// Operands of a [`TextFilter`]: what the text equals, and the `LIKE` pattern of what its folded form contains.
pub(super) fn operands(filter: &TextFilter) -> (Option<&str>, Option<String>) {
    let pattern = filter.contains.as_ref().map(|term| containing(&folded(term.as_str())));
    (filter.eq.as_ref().map(Term::as_str), pattern)
}

/// A pattern for `LIKE` that matches texts that contain `text`, whatever characters it holds.
pub(super) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_themselves() {
        assert_eq!(containing("50%_\\x"), "%50\\%\\_\\\\x%");
        assert_eq!(containing(""), "%%");
    }
}
