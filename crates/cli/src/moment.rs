//! Times and lengths of time, as people write and read them.

use std::time::{SystemTime, UNIX_EPOCH};

use chancery_domain::time::Timestamp;

use crate::failure::Failure;

/// Seconds since 1970, by this machine's clock.
pub fn unix_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|age| i64::try_from(age.as_secs()).ok())
        .unwrap_or_default()
}

/// Now, by this machine's clock.
///
/// # Errors
/// When the clock is set to a year that cannot be written.
pub fn now() -> Result<Timestamp, Failure> {
    Timestamp::from_unix(unix_now()).map_err(|fault| Failure::Fault(format!("this machine's clock: {fault}")))
}

/// `15m`, `1h30m`, `90s`: at least one second, whole.
///
/// # Errors
/// A sentence for the command line.
pub fn parse_seconds(text: &str) -> Result<u64, String> {
    let example = "write a length of time like `15m`, `1h30m` or `90s`";
    let length: jiff::SignedDuration = text.parse().map_err(|_| example.to_owned())?;
    match u64::try_from(length.as_secs()) {
        Ok(seconds) if seconds > 0 && length.subsec_nanos() == 0 => Ok(seconds),
        Ok(_) | Err(_) => Err(example.to_owned()),
    }
}

/// RFC 3339 in any zone, kept in UTC.
///
/// # Errors
/// A sentence for the command line.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let example = "write a time like `2026-11-22T12:00:00Z`";
    let moment: jiff::Timestamp = text.parse().map_err(|_| example.to_owned())?;
    Timestamp::from_unix(moment.as_second()).map_err(|_| example.to_owned())
}

/// `900` → `15m`.
pub fn length(seconds: u64) -> String {
    let parts =
        [(seconds / 86400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let text: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// `2026-11-22T12:00:00Z` → `2026-11-22T12:00:00Z (in 12m)`; the text alone when it is no time.
pub fn with_distance(text: &str) -> String {
    let Ok(moment) = text.parse::<Timestamp>() else { return text.to_owned() };
    let distance = moment.unix().saturating_sub(unix_now());
    let rough = |seconds: u64| match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{} days", seconds / 86400),
    };
    match u64::try_from(distance) {
        Ok(ahead) => format!("{text} (in {})", rough(ahead)),
        Err(_) => format!("{text} ({} ago)", rough(distance.unsigned_abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::{length, parse_seconds, parse_time};

    #[test]
    fn lengths_of_time() {
        for (text, seconds) in [
            ("15m", Some(900)),
            ("1h30m", Some(5400)),
            ("90s", Some(90)),
            ("48h", Some(172_800)),
            ("0s", None),
            ("-5m", None),
            ("1.5s", None),
            ("15", None),
            ("", None),
        ] {
            assert_eq!(parse_seconds(text).ok(), seconds, "{text}");
        }
        assert_eq!(length(5400), "1h30m");
        assert_eq!(length(0), "0s");
    }

    #[test]
    fn times_are_kept_in_utc() {
        assert_eq!(parse_time("2026-11-22T12:00:00+01:00").unwrap().to_string(), "2026-11-22T11:00:00Z");
        assert!(parse_time("tomorrow").is_err());
    }
}
