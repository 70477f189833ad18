use std::net::IpAddr;

use chancery_domain::time::Timestamp;

use super::{Admission, block};
use crate::config::Limits;

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    for (one, other, same) in [
        ("2001:db8::1", "2001:db8::ffff:1", true),
        ("2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", true),
        ("2001:db8::1", "2001:db8:0:1::1", false),
        ("192.0.2.1", "192.0.2.2", false),
        ("192.0.2.1", "::ffff:192.0.2.1", true),
    ] {
        let [one, other]: [IpAddr; 2] = [one, other].map(|text| text.parse().unwrap());
        assert_eq!(block(one) == block(other), same, "{one} {other}");
    }
}

/// Whoever rotates through their own /64 stays one; whoever has many networks meets the limit of all, and what is
/// remembered of them stays within it.
#[test]
fn rotating_addresses_gain_nothing() {
    let limits =
        Limits { open_requests_per_minute: 10, open_requests_in_all_per_minute: 50, ..Limits::default() };
    let now = Timestamp::from_unix(1_000).unwrap();
    let admission = Admission::new(&limits);
    let within = (0..1_000_u32)
        .filter(|last| admission.open(address(&format!("2001:db8::{last:x}")), &limits, now).is_ok())
        .count();
    assert_eq!(within, 10);
    let across = (1..1_000_u32)
        .filter(|network| admission.open(address(&format!("2001:db8:{network:x}::1")), &limits, now).is_ok())
        .count();
    assert_eq!(across, 40, "the limit of all, less what the first network had");
    let refused = admission.open(address("192.0.2.1"), &limits, now).unwrap_err();
    assert_eq!(refused.code(), "busy");
    assert_eq!(admission.counts().open.len(), 41, "no more addresses are remembered than were let in");
    assert!(admission.open(address("192.0.2.1"), &limits, now.plus(60)).is_ok());
}

#[test]
fn a_place_is_given_back_while_somebody_waits() {
    let limits = Limits { requests_at_once: 1, ..Limits::default() };
    let admission = Admission::new(&limits);
    let first = admission.place().unwrap();
    assert_eq!(admission.place().err().map(|problem| problem.code().to_owned()), Some("busy".to_owned()));
    first.leave();
    let second = admission.place().unwrap();
    assert!(first.enter_again().is_err(), "somebody else has it");
    drop(second);
    first.enter_again().unwrap();
    assert!(admission.place().is_err());
}
