//! Reading a query string: pages and filters.
//!
//! Filters are `filter[<field>][<operator>]=<value>`. One that is not understood is refused: a
//! filter left out would show more than was asked for.

use std::borrow::Cow;

use uuid::Uuid;

use super::filter::{LabelFilter, LabelTest, TextFilter};
use super::page::{LARGEST, Page};
use super::text;
use super::{Invalid, InvalidParameter, Source};

/// A query string that is being read.
pub struct Query {
    filters: Vec<Filter>,
    page: Page,
    wrong: Vec<InvalidParameter>,
}

struct Filter {
    name: String,
    path: Vec<String>,
    value: String,
}

impl Query {
    /// Starts to read the decoded names and values of a query string. Names other than `page` and
    /// `filter` mean nothing here and are left alone.
    pub fn of(pairs: Vec<(String, String)>) -> Self {
        let mut query = Self { filters: Vec::new(), page: Page::default(), wrong: Vec::new() };
        for (name, value) in pairs {
            query.take_in(name, value);
        }
        query
    }

    /// The page asked for.
    pub fn page(&self) -> Page {
        self.page
    }

    /// The conditions on a text.
    pub fn text(&mut self, field: &str) -> TextFilter {
        TextFilter { eq: self.take(&[field, "eq"]), contains: self.take(&[field, "contains"]) }
    }

    /// The value a text must have.
    pub fn equals(&mut self, field: &str) -> Option<String> {
        self.take(&[field, "eq"])
    }

    /// The uuid a field must have.
    pub fn uuid(&mut self, field: &str) -> Option<Uuid> {
        let value = self.take(&[field, "eq"])?;
        let uuid = Uuid::try_parse(&value).ok();
        if uuid.is_none() {
            self.refuse(format!("filter[{field}][eq]"), "must be a valid UUID", "is_uuid");
        }
        uuid
    }

    /// Whether a field must be true or false.
    pub fn boolean(&mut self, field: &str) -> Option<bool> {
        let value = self.take(&[field])?;
        self.parsed_boolean(format!("filter[{field}]"), &value)
    }

    /// The conditions on labels, `filter[labels][<key>][<operator>]`.
    pub fn labels(&mut self) -> Vec<LabelFilter> {
        let (labels, rest) = std::mem::take(&mut self.filters).into_iter().partition(is_label_filter);
        self.filters = rest;
        labels.into_iter().filter_map(|filter: Filter| self.label(filter)).collect()
    }

    /// `read`, unless something was refused or a filter was not understood.
    ///
    /// # Errors
    /// With everything that was refused.
    pub fn finish<T>(mut self, read: T) -> Result<T, Invalid> {
        for filter in std::mem::take(&mut self.filters) {
            self.refuse(filter.name, "is not a supported filter operation", "invalid");
        }
        if self.wrong.is_empty() { Ok(read) } else { Err(Invalid(self.wrong)) }
    }

    fn take_in(&mut self, name: String, value: String) {
        match name.as_str() {
            "page[size]" => self.page.size = self.page_number(name, &value, LARGEST, self.page.size),
            "page[number]" => self.page.number = self.page_number(name, &value, u32::MAX, self.page.number),
            _ if name.starts_with("filter") => self.take_in_filter(name, value),
            _ => {}
        }
    }

    /// An empty value stands for the default.
    fn page_number(&mut self, name: String, value: &str, most: u32, default: u32) -> u32 {
        if value.is_empty() {
            return default;
        }
        match value.parse() {
            Ok(number) if (1..=most).contains(&number) => number,
            _ => {
                self.refuse(name, format!("must be an integer between 1 and {most}"), "is_integer");
                default
            }
        }
    }

    fn take_in_filter(&mut self, name: String, value: String) {
        if let Err((reason, rule)) = text::whatever(&value) {
            return self.refuse(shown(&name), reason, rule);
        }
        let path = segments(&name).unwrap_or_default();
        self.filters.push(Filter { name: shown(&name), path, value });
    }

    fn take(&mut self, path: &[&str]) -> Option<String> {
        let at = self.filters.iter().position(|filter| filter.path == path)?;
        Some(self.filters.remove(at).value)
    }

    fn label(&mut self, filter: Filter) -> Option<LabelFilter> {
        let test = match filter.path[2].as_str() {
            "eq" => LabelTest::Eq(filter.value),
            "contains" => LabelTest::Contains(filter.value),
            _ => LabelTest::Exists(self.parsed_boolean(filter.name, &filter.value)?),
        };
        Some(LabelFilter { key: filter.path[1].clone(), test })
    }

    fn parsed_boolean(&mut self, name: String, value: &str) -> Option<bool> {
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.refuse(name, "must be true or false", "is_boolean");
        }
        parsed
    }

    fn refuse(&mut self, field: String, reason: impl Into<Cow<'static, str>>, rule: &'static str) {
        self.wrong.push(InvalidParameter { field: field.into(), reason: reason.into(), rule, source: Source::Query });
    }
}

fn is_label_filter(filter: &Filter) -> bool {
    matches!(&filter.path[..], [labels, key, operator]
        if labels == "labels" && !key.is_empty() && matches!(operator.as_str(), "eq" | "contains" | "exists"))
}

/// `filter[a][b]` → `a`, `b`. Nothing when the name has another form.
fn segments(name: &str) -> Option<Vec<String>> {
    let inside = name.strip_prefix("filter[")?.strip_suffix(']')?;
    let parts: Vec<&str> = inside.split("][").collect();
    let plain = parts.iter().all(|part| !part.contains(['[', ']', '\0']));
    plain.then(|| parts.into_iter().map(str::to_owned).collect())
}

/// The name of a refused filter: as sent while it looks like a name.
fn shown(name: &str) -> String {
    let plain = name.len() <= 100 && name.bytes().all(|b| b.is_ascii_graphic());
    if plain { name.to_owned() } else { "filter".to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Query {
        Query::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn refused(query: Query) -> Vec<String> {
        query
            .finish(())
            .err()
            .map(|invalid| invalid.0)
            .unwrap_or_default()
            .into_iter()
            .map(|one| one.field.into_owned())
            .collect()
    }

    #[test]
    fn pages() {
        assert_eq!(query(&[]).page(), Page { number: 1, size: 10 });
        assert_eq!(query(&[("page[size]", "100"), ("page[number]", "7")]).page(), Page { number: 7, size: 100 });
        assert_eq!(query(&[("page[size]", "")]).page().size, 10);
        for (name, value) in [
            ("page[size]", "101"),
            ("page[size]", "0"),
            ("page[number]", "0"),
            ("page[number]", "-1"),
            ("page[number]", "x"),
        ] {
            assert_eq!(refused(query(&[(name, value)])), [name], "{value}");
        }
    }

    #[test]
    fn filters() {
        let id = Uuid::now_v7();
        let mut all = query(&[
            ("filter[email][contains]", "ada"),
            ("filter[full_name][eq]", "Ada L"),
            ("filter[active]", "true"),
            ("filter[id][eq]", &id.to_string()),
            ("unrelated", "x"),
        ]);
        assert_eq!(all.text("email"), TextFilter { eq: None, contains: Some("ada".into()) });
        assert_eq!(all.text("full_name"), TextFilter { eq: Some("Ada L".into()), contains: None });
        assert_eq!((all.boolean("active"), all.uuid("id")), (Some(true), Some(id)));
        assert!(refused(all).is_empty());
    }

    #[test]
    fn label_filters() {
        let mut all = query(&[("filter[labels][env][eq]", "test"), ("filter[labels][tier][exists]", "false")]);
        let expected = [("env", LabelTest::Eq("test".into())), ("tier", LabelTest::Exists(false))];
        assert_eq!(all.labels(), expected.map(|(key, test)| LabelFilter { key: key.to_owned(), test }));
        assert!(refused(all).is_empty());
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for name in ["filter[email][gt]", "filter[nobody][eq]", "filter", "filter[email", "filter[labels][env][lt]"] {
            let mut one = query(&[(name, "x")]);
            one.text("email");
            one.labels();
            assert_eq!(refused(one), [name]);
        }
        let mut twice = query(&[("filter[name][eq]", "a"), ("filter[name][eq]", "b")]);
        twice.text("name");
        assert_eq!(refused(twice), ["filter[name][eq]"]);
        let mut wrong = query(&[("filter[id][eq]", "x"), ("filter[active]", "maybe")]);
        wrong.uuid("id");
        wrong.boolean("active");
        assert_eq!(refused(wrong), ["filter[id][eq]", "filter[active]"]);
        assert_eq!(refused(query(&[("filter[name][eq]", "a\0b")])), ["filter[name][eq]"]);
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(pairs in prop::collection::vec(("(filter|page)?[\\[\\]a-z]{0,12}", "\\PC{0,5}"), 0..4)) {
            let mut query = Query::of(pairs);
            query.text("a");
            query.labels();
            let _ = query.finish(());
        }
    }
}
