//! A waterfall in a terminal.

use console::style;

use super::waterfall::{Row, Waterfall};

/// Width of the time axis in characters.
const AXIS: usize = 48;

/// One line per span, with a bar.
pub(super) fn draw(waterfall: &Waterfall) -> String {
    let name = width(waterfall, |row| row.name.chars().count() + 2 * row.depth);
    let place = width(waterfall, |row| row.place().chars().count());
    let lines = waterfall.rows.iter().map(|row| line(row, waterfall.milliseconds, name, place));
    let heading = format!("{:name$}  {:place$}  {:>9}  {:>9}", "span", "where", "start ms", "took ms");
    std::iter::once(style(heading).bold().to_string()).chain(lines).collect::<Vec<_>>().join("\n")
}

fn width(waterfall: &Waterfall, of: impl Fn(&Row) -> usize) -> usize {
    waterfall.rows.iter().map(of).max().unwrap_or(0).max(5)
}

fn line(row: &Row, total: f64, name: usize, place: usize) -> String {
    let indented = format!("{}{}", "  ".repeat(row.depth), row.name);
    let text =
        format!("{indented:name$}  {:place$}  {:>9.2}  {:>9.2}  {}", row.place(), row.start, row.took, bar(row, total));
    if row.failed { style(text).red().to_string() } else { text }
}

/// At least one character, so that every span is visible.
fn bar(row: &Row, total: f64) -> String {
    let place = |time: f64| if total > 0.0 { (time / total * AXIS as f64) as usize } else { 0 };
    let begins = place(row.start).min(AXIS - 1);
    let ends = place(row.start + row.took).clamp(begins + 1, AXIS);
    format!("{}{}", " ".repeat(begins), "█".repeat(ends - begins))
}
