//! Tables for people.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Attribute, Cell, Color, Table};

/// A table with these headings.
pub(crate) fn table<'a>(headings: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    let bold = |heading| Cell::new(heading).add_attribute(Attribute::Bold);
    table.load_preset(UTF8_FULL_CONDENSED).set_header(headings.into_iter().map(bold));
    table
}

/// A green cell if `good`, else a red one.
pub(crate) fn verdict(good: bool, text: impl ToString) -> Cell {
    Cell::new(text).fg(if good { Color::Green } else { Color::Red })
}

/// The value, or a dash.
pub(crate) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}
