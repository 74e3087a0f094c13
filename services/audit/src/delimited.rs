//! Bytes to be hashed: parts one behind the other, each with its length, so that no two lists of parts give the same bytes.

/// Parts, each behind its length.
#[derive(Default)]
pub(crate) struct Delimited(Vec<u8>);

impl Delimited {
    pub(crate) fn bytes(&mut self, part: &[u8]) {
        self.0.extend_from_slice(&(part.len() as u64).to_be_bytes());
        self.0.extend_from_slice(part);
    }

    pub(crate) fn text(&mut self, part: &str) {
        self.bytes(part.as_bytes());
    }

    pub(crate) fn optional(&mut self, part: Option<&[u8]>) {
        self.0.push(u8::from(part.is_some()));
        self.bytes(part.unwrap_or_default());
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Headers as one sequence of bytes: names and values in turn.
pub(crate) fn packed(headers: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut content = Delimited::default();
    for (name, value) in headers {
        content.text(name);
        content.bytes(value);
    }
    content.into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_two_headers_pack_to_the_same_bytes(one: Vec<(String, Vec<u8>)>, other: Vec<(String, Vec<u8>)>) {
            prop_assert_eq!(packed(&one) == packed(&other), one == other);
        }
    }
}
