//! A moment where the organisation works.

use chancery_domain::time::Timestamp;
use chancery_policy::input::{Calendar, Weekday};
use jiff::tz::TimeZone;

/// The organisation's time zone and the hours at which it works, on Monday to Friday.
#[derive(Clone, Debug)]
pub struct WorkingHours {
    name: String,
    zone: TimeZone,
    from_hour: u8,
    until_hour: u8,
}

/// Why a calendar cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The system does not know the zone.
    #[error("`{0}` is no time zone of this system: write an IANA name such as `Europe/Berlin`")]
    Zone(String),
    /// Hours out of order.
    #[error("working hours go from {0} until {1}: write hours of one day, the first smaller")]
    Hours(u8, u8),
}

impl WorkingHours {
    /// Working hours `from_hour..until_hour` in a zone by its IANA name.
    ///
    /// # Errors
    /// [`CalendarError`].
    pub fn new(zone: &str, from_hour: u8, until_hour: u8) -> Result<Self, CalendarError> {
        if from_hour >= until_hour || until_hour > 24 {
            return Err(CalendarError::Hours(from_hour, until_hour));
        }
        let found = if zone == "UTC" { Ok(TimeZone::UTC) } else { TimeZone::get(zone) };
        let found = found.map_err(|_| CalendarError::Zone(zone.to_owned()))?;
        Ok(Self { name: zone.to_owned(), zone: found, from_hour, until_hour })
    }

    /// The same hours where a person is; the organisation's own zone when theirs is not known.
    #[must_use]
    pub fn of_person(&self, zone: Option<&str>) -> Self {
        let elsewhere = zone.and_then(|zone| Self::new(zone, self.from_hour, self.until_hour).ok());
        elsewhere.unwrap_or_else(|| self.clone())
    }

    /// The weekday and hour of a moment. `None` for a moment beyond the calendar.
    pub fn at(&self, moment: Timestamp) -> Option<Calendar> {
        let moment = jiff::Timestamp::from_second(moment.unix()).ok()?.to_zoned(self.zone.clone());
        let hour = u8::try_from(moment.hour()).ok()?;
        let weekday = weekday(moment.weekday());
        let free = matches!(weekday, Weekday::Saturday | Weekday::Sunday);
        let working_hours = !free && (self.from_hour..self.until_hour).contains(&hour);
        Some(Calendar { weekday, hour, timezone: self.name.clone(), working_hours })
    }
}

fn weekday(day: jiff::civil::Weekday) -> Weekday {
    match day {
        jiff::civil::Weekday::Monday => Weekday::Monday,
        jiff::civil::Weekday::Tuesday => Weekday::Tuesday,
        jiff::civil::Weekday::Wednesday => Weekday::Wednesday,
        jiff::civil::Weekday::Thursday => Weekday::Thursday,
        jiff::civil::Weekday::Friday => Weekday::Friday,
        jiff::civil::Weekday::Saturday => Weekday::Saturday,
        jiff::civil::Weekday::Sunday => Weekday::Sunday,
    }
}
