//! A waterfall as an SVG image.

use super::waterfall::{Row, Waterfall};

const LINE: usize = 20;
const MARGIN: usize = 12;
const TOP: usize = 44;
const NAMES: usize = 330;
const PLACES: usize = 130;
const AXIS: usize = 560;
const TIMES: usize = 70;
const TICKS: usize = 5;
const STYLE: &str = "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}\
                     .dim{fill:#656d76}.bold{font-weight:600}.grid{stroke:#d0d7de}";
/// Regions in the order in which they appear; callers are grey.
const COLOURS: [&str; 5] = ["#0969da", "#1a7f37", "#bc4c00", "#8250df", "#bf3989"];
const CALLER: &str = "#6e7781";
const FAILED: &str = "#cf222e";

/// One line per span, coloured by region.
pub(super) fn draw(waterfall: &Waterfall) -> String {
    let width = MARGIN + NAMES + PLACES + AXIS + TIMES;
    let height = TOP + waterfall.rows.len() * LINE + MARGIN;
    let regions = regions(waterfall);
    let rows = waterfall.rows.iter().enumerate();
    let rows: String = rows.map(|(at, row)| line(at, row, waterfall.milliseconds, &regions)).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}{rows}</svg>\n",
        axis(waterfall.milliseconds, height)
    )
}

fn regions(waterfall: &Waterfall) -> Vec<&str> {
    let mut regions = Vec::new();
    for row in waterfall.rows.iter().filter(|row| !row.region.is_empty()) {
        if !regions.contains(&row.region.as_str()) {
            regions.push(&row.region);
        }
    }
    regions
}

fn axis(total: f64, height: usize) -> String {
    let ticks = (0..=TICKS).map(|tick| {
        let x = MARGIN + NAMES + PLACES + AXIS * tick / TICKS;
        let time = total * tick as f64 / TICKS as f64;
        format!(
            "<line class=\"grid\" x1=\"{x}\" y1=\"{}\" x2=\"{x}\" y2=\"{}\"/>\
             <text class=\"dim\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{time:.0} ms</text>\n",
            TOP - 12,
            height - MARGIN,
            TOP - 20
        )
    });
    ticks.collect()
}

fn line(at: usize, row: &Row, total: f64, regions: &[&str]) -> String {
    let scale = if total > 0.0 { AXIS as f64 / total } else { 0.0 };
    let (top, text) = (TOP + at * LINE, TOP + at * LINE + 13);
    let left = (MARGIN + NAMES + PLACES) as f64 + row.start * scale;
    let width = (row.took * scale).max(1.5);
    let weight = if row.depth == 0 { "bold" } else { "" };
    format!(
        "<text class=\"{weight}\" x=\"{}\" y=\"{text}\">{}</text><text class=\"dim\" x=\"{}\" y=\"{text}\">{}</text>\
         <rect x=\"{left:.1}\" y=\"{}\" width=\"{width:.1}\" height=\"12\" rx=\"2\" fill=\"{}\"/>\
         <text class=\"dim\" x=\"{:.1}\" y=\"{text}\">{:.1} ms</text>\n",
        MARGIN + row.depth * 12,
        escaped(&row.name),
        MARGIN + NAMES,
        escaped(&row.place()),
        top + 3,
        colour(row, regions),
        left + width + 5.0,
        row.took
    )
}

fn colour(row: &Row, regions: &[&str]) -> &'static str {
    let region = regions.iter().position(|region| *region == row.region);
    match region {
        _ if row.failed => FAILED,
        Some(at) => COLOURS[at % COLOURS.len()],
        None => CALLER,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
