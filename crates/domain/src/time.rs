//! Moments, in whole seconds UTC. The core never reads a clock: a `Timestamp` is always an argument.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A moment, RFC 3339 in UTC with whole seconds and a `Z`: `2026-11-22T12:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// Why a text or number is not a moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: write RFC 3339 in UTC with whole seconds, like `2026-11-22T12:00:00Z`")]
pub struct TimestampError(String);

/// 0001-01-01T00:00:00Z to 9999-12-30T22:00:00Z: every moment has a four-digit year and is one in any zone.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_207_200;

impl Timestamp {
    /// From seconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// When the year would not have four digits.
    pub fn from_unix(seconds: i64) -> Result<Self, TimestampError> {
        if RANGE.contains(&seconds) { Ok(Self(seconds)) } else { Err(TimestampError(seconds.to_string())) }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix(self) -> i64 {
        self.0
    }

    /// This moment and so many seconds; held to the last moment that can be written.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(seconds).min(*RANGE.end()))
    }

    /// Whole seconds from `earlier` to this moment; 0 when `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(moment) => write!(f, "{moment:.0}"),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let refused = || TimestampError(text.chars().take(40).collect());
        let moment: jiff::Timestamp = text.parse().map_err(|_| refused())?;
        let parsed = Self::from_unix(moment.as_second()).map_err(|_| refused())?;
        // INVARIANT: a moment has one spelling, so that equal documents have equal digests.
        if parsed.to_string() == text { Ok(parsed) } else { Err(refused()) }
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;
    fn try_from(text: String) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(moment: Timestamp) -> String {
        moment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn a_moment_has_one_spelling() {
        for (text, good) in [
            ("2026-11-22T12:00:00Z", true),
            ("1970-01-01T00:00:00Z", true),
            ("2026-11-22T12:00:00.5Z", false),
            ("2026-11-22T12:00:00+00:00", false),
            ("2026-11-22t12:00:00z", false),
            ("2026-11-22 12:00:00Z", false),
            ("2026-02-30T12:00:00Z", false),
            ("", false),
        ] {
            let parsed = text.parse::<Timestamp>();
            assert_eq!(parsed.is_ok(), good, "{text}");
            if let Ok(moment) = parsed {
                assert_eq!(moment.to_string(), text);
            }
        }
    }

    #[test]
    fn arithmetic_never_leaves_the_range() {
        let last = "9999-12-30T22:00:00Z".parse::<Timestamp>().unwrap();
        assert_eq!(last.plus(u64::MAX), last);
        assert_eq!("1970-01-01T00:00:00Z".parse::<Timestamp>().unwrap().seconds_since(last), 0);
    }
}
