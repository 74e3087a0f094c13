//! Conditions on a list.

/// Conditions on a text: all that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextFilter {
    /// The text is exactly this.
    pub eq: Option<String>,
    /// The text contains this, in any case of letters.
    pub contains: Option<String>,
}

impl TextFilter {
    /// The pattern for `ILIKE` that stands for `contains`.
    pub fn pattern(&self) -> Option<String> {
        self.contains.as_deref().map(containing)
    }
}

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelFilter {
    /// Key of the label.
    pub key: String,
    /// What must hold for it.
    pub test: LabelTest,
}

/// What must hold for a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelTest {
    /// It is there with this value.
    Eq(String),
    /// It is there and its value contains this.
    Contains(String),
    /// It is there, or it is not.
    Exists(bool),
}

impl LabelTest {
    /// The operator's name and what it is applied to, as the SQL of a label filter takes them.
    pub fn operands(&self) -> (&'static str, String) {
        match self {
            Self::Eq(value) => ("eq", value.clone()),
            Self::Contains(value) => ("contains", containing(value)),
            Self::Exists(there) => ("exists", there.to_string()),
        }
    }
}

/// A pattern for `LIKE` that matches what contains `text`, whatever characters it holds.
fn containing(text: &str) -> String {
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
