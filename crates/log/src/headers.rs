//! The headers of a record, and their encoding in PostgreSQL.

/// Names and values, in order. A name may occur more than once.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The value of the last header with this name. Of repeated headers, Kafka clients take the last.
pub(crate) fn last<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    headers.iter().rev().find(|(have, _)| have == name).map(|(_, value)| value.as_slice())
}

/// Whether a name was not UTF-8: what was not is replaced by U+FFFD.
pub(crate) fn is_broken(name: &str) -> bool {
    name.contains(char::REPLACEMENT_CHARACTER)
}

/// Stands for headers that could not be read.
pub(crate) fn unreadable() -> Headers {
    vec![(char::REPLACEMENT_CHARACTER.to_string(), Vec::new())]
}

/// Replaces all headers with this name.
pub(crate) fn set(headers: &mut Headers, name: &str, value: &str) {
    headers.retain(|(have, _)| have != name);
    headers.push((name.to_owned(), value.as_bytes().to_vec()));
}

/// Encodes headers as length (32 bit, big-endian) and bytes of each name and value. Not as text, because headers of
/// other systems may contain bytes that a text column does not accept.
pub(crate) fn pack(headers: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(256);
    for (name, value) in headers {
        for part in [name.as_bytes(), value] {
            packed.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            packed.extend_from_slice(part);
        }
    }
    packed
}

/// Decodes headers from [`pack`]. Ignores what cannot be decoded.
pub(crate) fn unpack(mut packed: &[u8]) -> Headers {
    let mut headers = Headers::new();
    while let (Some(name), Some(value)) = (take(&mut packed), take(&mut packed)) {
        headers.push((String::from_utf8_lossy(name).into_owned(), value.to_vec()));
    }
    headers
}

fn take<'a>(packed: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = packed.split_first_chunk::<4>()?;
    let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    *packed = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn headers_survive_packing(headers: Vec<(String, Vec<u8>)>) {
            prop_assert_eq!(unpack(&pack(&headers)), headers);
        }

        #[test]
        fn any_bytes_unpack_without_panic(bytes: Vec<u8>) {
            unpack(&bytes);
        }
    }

    #[test]
    fn the_last_of_repeated_headers_counts() {
        let mut headers = vec![("a".to_owned(), b"1".to_vec()), ("a".to_owned(), b"2".to_vec())];
        assert_eq!(last(&headers, "a"), Some(&b"2"[..]));
        set(&mut headers, "a", "3");
        assert_eq!(headers, vec![("a".to_owned(), b"3".to_vec())]);
    }
}
