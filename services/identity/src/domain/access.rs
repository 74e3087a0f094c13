//! Whether the administrators of an organization can come in.

use time::{Duration, OffsetDateTime};

/// How long before the last token of an organization's administrators expires Writ warns of it.
pub const WARNED_BEFORE: Duration = Duration::days(7);

/// Whether an administrator of an organization can come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// For longer than a week.
    Open,
    /// For a week at most, unless one of them issues another token: until this time.
    Ending(OffsetDateTime),
    /// Not any more: only the operator can help.
    Lost,
}

impl Access {
    /// The access at `now`, when the last token of the administrators expires at `until`.
    pub fn at(until: Option<OffsetDateTime>, now: OffsetDateTime) -> Self {
        match until {
            None => Self::Lost,
            Some(until) if until <= now => Self::Lost,
            Some(until) if until <= now + WARNED_BEFORE => Self::Ending(until),
            Some(_) => Self::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_comes_a_week_before_the_end() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for (until, expected) in [
            (None, Access::Lost),
            (Some(now), Access::Lost),
            (Some(now + Duration::SECOND), Access::Ending(now + Duration::SECOND)),
            (Some(now + WARNED_BEFORE), Access::Ending(now + WARNED_BEFORE)),
            (Some(now + WARNED_BEFORE + Duration::SECOND), Access::Open),
        ] {
            assert_eq!(Access::at(until, now), expected, "{until:?}");
        }
    }
}
