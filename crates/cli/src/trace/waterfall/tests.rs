use std::collections::BTreeMap;

use super::super::{svg, terminal};
use super::*;

fn span(id: &str, parent: Option<&str>, begun: u64, took: u64, region: &str) -> Span {
    let resource = [("service.name", "writ-projector"), ("writ.region", region)];
    let failed = [("error".to_owned(), "true".to_owned())].into_iter().filter(|_| id == "<failed>");
    Span {
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        links: Vec::new(),
        name: id.to_owned(),
        begun,
        took,
        attributes: failed.collect(),
        resource: resource
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
    }
}

fn waterfall() -> Waterfall {
    let spans = vec![
        span("late", Some("root"), 5_000, 5_000, "eu"),
        span("<failed>", Some("early"), 2_000, 1_000, "us"),
        span("root", Some("caller, not collected"), 1_000, 1_000, "us"),
        span("early", Some("root"), 1_500, 500, "us"),
    ];
    Waterfall::of(&Trace { id: "t".to_owned(), spans })
}

#[test]
fn every_span_stands_below_the_one_it_is_a_part_of_in_order_of_time() {
    let waterfall = waterfall();
    let rows: Vec<_> = waterfall.rows.iter().map(|row| (row.depth, row.name.as_str(), row.start, row.took)).collect();
    assert_eq!(rows, [(0, "root", 0.0, 1.0), (1, "early", 0.5, 0.5), (2, "<failed>", 1.0, 1.0), (1, "late", 4.0, 5.0)]);
    assert!((waterfall.milliseconds - 9.0).abs() < f64::EPSILON);
    assert_eq!(waterfall.rows[3].place(), "projector@eu");
}

#[test]
fn both_pictures_have_a_line_a_span() {
    let waterfall = waterfall();
    let text = terminal::draw(&waterfall);
    assert_eq!(text.lines().count(), 5);
    assert!(text.lines().all(|line| line.starts_with("span") || line.contains('█')), "{text}");
    let picture = svg::draw(&waterfall);
    assert_eq!(picture.matches("rx=\"2\"").count(), 4);
    assert!(picture.contains("&lt;failed&gt;") && !picture.contains("<failed>"), "{picture}");
}

#[test]
fn a_trace_of_nothing_is_drawn_too() {
    let empty = Waterfall::of(&Trace { id: "t".to_owned(), spans: Vec::new() });
    assert_eq!(terminal::draw(&empty).lines().count(), 1);
    assert!(svg::draw(&empty).ends_with("</svg>\n"));
}
