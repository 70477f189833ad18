//! The same moment, elsewhere.

use chancery_policy::input::Weekday;
use chancery_signals::WorkingHours;

#[test]
fn a_moment_is_read_where_the_organisation_works() {
    for (zone, moment, weekday, hour, working) in [
        ("UTC", "2026-11-20T12:30:00Z", Weekday::Friday, 12, true),
        ("UTC", "2026-11-20T18:00:00Z", Weekday::Friday, 18, false),
        ("UTC", "2026-11-20T08:59:59Z", Weekday::Friday, 8, false),
        ("UTC", "2026-11-22T12:00:00Z", Weekday::Sunday, 12, false),
        ("Europe/Berlin", "2026-11-20T08:00:00Z", Weekday::Friday, 9, true),
        ("Europe/Berlin", "2026-07-20T16:00:00Z", Weekday::Monday, 18, false),
        ("America/New_York", "2026-11-23T02:00:00Z", Weekday::Sunday, 21, false),
    ] {
        let calendar = WorkingHours::new(zone, 9, 18).unwrap().at(moment.parse().unwrap()).unwrap();
        let found = (calendar.weekday, i32::from(calendar.hour), calendar.working_hours);
        assert_eq!(found, (weekday, hour, working), "{zone} {moment}");
    }
    assert!(WorkingHours::new("Europe/Atlantis", 9, 18).is_err());
    assert!(WorkingHours::new("UTC", 18, 9).is_err());
    assert!(WorkingHours::new("UTC", 9, 25).is_err());
}

#[test]
fn a_person_works_where_they_are() {
    let organisation = WorkingHours::new("Europe/Berlin", 9, 18).unwrap();
    let moment = "2026-11-20T22:00:00Z".parse().unwrap();
    for (zone, hour, working) in [
        (None, 23, false),
        (Some("America/Los_Angeles"), 14, true),
        (Some("Europe/Atlantis"), 23, false),
        (Some(""), 23, false),
    ] {
        let calendar = organisation.of_person(zone).at(moment).unwrap();
        assert_eq!((i32::from(calendar.hour), calendar.working_hours), (hour, working), "{zone:?}");
    }
}
