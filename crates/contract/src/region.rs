//! Codes of regions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Code of a region, such as `us`: two to eight lower-case letters or digits, a letter first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region([u8; Region::MAX_LENGTH]);

/// Why a text is not a region code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a region code: 2 to 8 lower-case letters or digits, a letter first")]
pub struct InvalidRegion;

impl Region {
    /// Length of the longest code.
    pub const MAX_LENGTH: usize = 8;
    /// A code is a number to this base; zero ends it.
    const RADIX: u64 = 37;

    /// The code as text.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(Self::MAX_LENGTH);
        // ASCII by construction.
        std::str::from_utf8(&self.0[..length]).unwrap_or_default()
    }

    /// The code as a number below 37⁸, and so of 42 bits.
    pub(crate) fn to_bits(self) -> u64 {
        let digit = |byte: u8| match byte {
            b'a'..=b'z' => u64::from(byte - b'a') + 1,
            b'0'..=b'9' => u64::from(byte - b'0') + 27,
            _ => 0,
        };
        self.0.iter().fold(0, |number, byte| number * Self::RADIX + digit(*byte))
    }

    /// The region whose code [`Region::to_bits`] gave this number.
    pub(crate) fn from_bits(mut number: u64) -> Result<Self, InvalidRegion> {
        let mut bytes = [0; Self::MAX_LENGTH];
        for byte in bytes.iter_mut().rev() {
            let digit = u8::try_from(number % Self::RADIX).map_err(|_| InvalidRegion)?;
            number /= Self::RADIX;
            *byte = match digit {
                0 => 0,
                1..=26 => b'a' + digit - 1,
                _ => b'0' + digit - 27,
            };
        }
        let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let region: Self = std::str::from_utf8(&bytes[..length]).map_err(|_| InvalidRegion)?.parse()?;
        if number == 0 { Ok(region) } else { Err(InvalidRegion) }
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, InvalidRegion> {
        let bytes = text.as_bytes();
        let letter_first = bytes.first().is_some_and(u8::is_ascii_lowercase);
        let rest = bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !letter_first || !rest || !(2..=Self::MAX_LENGTH).contains(&bytes.len()) {
            return Err(InvalidRegion);
        }
        let mut code = [0; Self::MAX_LENGTH];
        code[..bytes.len()].copy_from_slice(bytes);
        Ok(Self(code))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "utoipa")]
impl utoipa::PartialSchema for Region {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        crate::openapi::text("[a-z][a-z0-9]{1,7}", Self::MAX_LENGTH)
    }
}

#[cfg(feature = "utoipa")]
impl utoipa::ToSchema for Region {}

crate::sql::as_text!(Region, []);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_codes() {
        assert_eq!("us".parse::<Region>().unwrap().as_str(), "us");
        assert!("eu2".parse::<Region>().is_ok());
        for bad in ["", "u", "US", "2u", "u.s", "toolongcode", "u\0s"] {
            assert_eq!(bad.parse::<Region>(), Err(InvalidRegion), "{bad}");
        }
    }

    #[test]
    fn a_code_is_read_back_from_its_number() {
        for code in ["us", "eu", "a0", "zz", "apsouth1", "z9999999"] {
            let region: Region = code.parse().unwrap();
            assert!(region.to_bits() < 1 << 42, "{code}");
            assert_eq!(Region::from_bits(region.to_bits()), Ok(region));
        }
        for not_a_code in [0, 1, Region::RADIX.pow(7), u64::MAX] {
            assert_eq!(Region::from_bits(not_a_code), Err(InvalidRegion), "{not_a_code}");
        }
    }

    #[test]
    fn codes_sort_as_texts() {
        let region = |code: &str| code.parse::<Region>().unwrap();
        assert!(region("eu") < region("eu1") && region("eu9") < region("us"));
    }
}
