//! Where a connection comes from, and who is believed about it.

#![expect(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::collections::BTreeMap;
use std::net::IpAddr;

use chancery_signals::{Network, Origin, Provider, Question, TrustedProxies};
use serde_json::json;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[track_caller]
fn check_client(peer: &str, forwarded: &[&str], expected: Option<&str>) {
    let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()]);
    assert_eq!(
        proxies.client_address(address(peer), forwarded),
        expected.map(address),
        "{peer} {forwarded:?}"
    );
}

#[test]
fn only_a_trusted_proxy_is_believed() {
    check_client("203.0.113.9", &[], Some("203.0.113.9"));
    check_client("203.0.113.9", &["127.0.0.1"], Some("203.0.113.9"));
    check_client("10.0.0.1", &["198.51.100.7"], Some("198.51.100.7"));
    check_client("::ffff:10.0.0.1", &["198.51.100.7"], Some("198.51.100.7"));
    check_client("10.0.0.1", &["127.0.0.1, 198.51.100.7, 10.9.9.9"], Some("198.51.100.7"));
    check_client("10.0.0.1", &["127.0.0.1", "198.51.100.7"], Some("198.51.100.7"));
    check_client("10.0.0.1", &["10.1.1.1"], Some("10.1.1.1"));
    check_client("10.0.0.1", &["198.51.100.7, office"], None);
    check_client("2001:db8::1", &["2001:db9::1"], Some("2001:db9::1"));
}

#[test]
fn networks_have_one_spelling_and_a_meaning() {
    for (text, inside, outside) in [
        ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
        ("192.0.2.7/32", "::ffff:192.0.2.7", "192.0.2.8"),
        ("0.0.0.0/0", "255.1.2.3", "::1"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
        ("::/0", "2001:db8::1", "192.0.2.1"),
    ] {
        let network: Network = text.parse().unwrap();
        assert!(network.contains(address(inside)), "{text} {inside}");
        assert!(!network.contains(address(outside)), "{text} {outside}");
        assert_eq!(network.to_string(), text);
    }
    for text in ["192.0.2.1/24", "192.0.2.0", "192.0.2.0/33", "192.0.2.0/+8", "192.0.2.0/08", "office/8", ""]
    {
        assert!(text.parse::<Network>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_value_names_lists_and_whether_it_is_new() {
    let networks = BTreeMap::from([
        ("office".to_owned(), vec!["192.0.2.0/24".parse().unwrap()]),
        ("vpn".to_owned(), vec!["10.8.0.0/16".parse().unwrap()]),
    ]);
    let origin = Origin::new(networks);
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let mut question = Question {
        person: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
        address: Some(address("192.0.2.4")),
        first_seen: None,
        now,
    };
    let value = origin.ask(&question).await.unwrap().value;
    assert_eq!(value, json!({"address": "192.0.2.4", "networks": ["office"], "new": true}));
    question.first_seen = Some("2026-11-01T00:00:00Z".parse().unwrap());
    let value = origin.ask(&question).await.unwrap().value;
    assert_eq!(value["new"], json!(false));
    assert_eq!(value["first_seen"], json!("2026-11-01T00:00:00Z"));
    question.address = None;
    assert!(origin.ask(&question).await.is_err());
}
