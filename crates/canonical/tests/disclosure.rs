//! RFC 9901's own digests, round trips at every level, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::slice::from_ref;

use chancery_canonical::Disclosure;
use chancery_canonical::base64::encode_url;
use chancery_canonical::disclosure::{DisclosureError, conceal, reveal};
use chancery_canonical::json::{JsonError, Map, Value};
use serde_json::json;

/// Disclosures and digests printed in RFC 9901, section 4.2.1 and appendix examples.
const PUBLISHED: [(&str, &str, &str); 2] = [
    (
        "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd",
        "given_name",
        "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4",
    ),
    (
        "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
        "family_name",
        "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0",
    ),
];

fn salts() -> impl FnMut() -> [u8; 16] {
    let mut count = 0;
    move || {
        count += 1;
        [count; 16]
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn published_digests() {
    for (encoded, name, digest) in PUBLISHED {
        let disclosure = Disclosure::parse(encoded).unwrap();
        assert_eq!(disclosure.name(), name);
        assert_eq!(encode_url(disclosure.digest().as_bytes()), digest);
        let revealed = reveal(json!({"_sd": [digest]}), from_ref(&disclosure)).unwrap();
        assert_eq!(revealed.value.get(name), Some(disclosure.value()));
        assert!(revealed.missing.is_empty());
    }
}

#[test]
fn concealed_members_come_back() {
    let document = json!({
        "id": "r1",
        "requester": {"id": "p1", "name": "Ada", "mail": "ada@example.org"},
        "signals": [{"source": "edr", "device": {"a/b": 1, "~": [1, {"deep": true}]}}],
    });
    let pointers = [
        "/requester/name",
        "/requester/mail",
        "/requester",
        "/signals/0/device/a~1b",
        "/signals/0/device/~0",
    ];
    let (concealed, disclosures) = conceal(object(document.clone()), &pointers, &mut salts()).unwrap();
    let text = serde_json::to_string(&concealed).unwrap();
    for clear in ["Ada", "ada@example.org", "a/b", "deep", "requester"] {
        assert!(!text.contains(clear), "`{clear}` still stands in {text}");
    }
    let digests = concealed["signals"][0]["device"]["_sd"].as_array().unwrap();
    assert!(digests.is_sorted_by_key(|digest| digest.as_str().unwrap().to_owned()));
    assert_eq!(digests.len(), 2);

    let concealed = Value::Object(concealed);
    let revealed = reveal(concealed.clone(), &disclosures).unwrap();
    assert_eq!(revealed.value, document);
    assert!(revealed.missing.is_empty());

    // Redaction: the disclosure of the mail address is gone, all else still opens.
    let (redacted, kept): (Vec<_>, Vec<_>) = disclosures.into_iter().partition(|d| d.name() == "mail");
    let revealed = reveal(concealed.clone(), &kept).unwrap();
    assert_eq!(revealed.value.pointer("/requester"), Some(&json!({"id": "p1", "name": "Ada"})));
    assert_eq!(revealed.missing.len(), 1);
    assert_eq!(revealed.missing[0].object, "/requester");
    assert_eq!(revealed.missing[0].digest, redacted[0].digest());
}

#[test]
fn a_disclosure_made_here_is_canonical_and_reads_back() {
    let disclosure = Disclosure::new(&[7; 16], "name", json!({"b": 1, "a": "é"})).unwrap();
    let expected = "[\"BwcHBwcHBwcHBwcHBwcHBw\",\"name\",{\"a\":\"é\",\"b\":1}]";
    assert_eq!(disclosure.as_str(), encode_url(expected.as_bytes()));
    let sent = serde_json::to_string(&disclosure).unwrap();
    assert_eq!(serde_json::from_str::<Disclosure>(&sent).unwrap(), disclosure);
    assert!(!format!("{disclosure:?}").contains('é'));
}

#[test]
fn unreadable_disclosures() {
    let salt = "AAAAAAAAAAAAAAAAAAAAAA";
    let json_refused = DisclosureError::Json;
    let cases = [
        (format!(r#"["{salt}","a"]"#), DisclosureError::NotAMember),
        (format!(r#"["{salt}","a",1,2]"#), DisclosureError::NotAMember),
        (format!(r#"["{salt}",1,1]"#), DisclosureError::NotAMember),
        (r#"{"a":1}"#.to_owned(), DisclosureError::NotAMember),
        (r#"["AAAA","a",1]"#.to_owned(), DisclosureError::WeakSalt),
        (r#"["not base64","a",1]"#.to_owned(), DisclosureError::WeakSalt),
        (format!(r#"["{salt}","_sd",1]"#), DisclosureError::ReservedName { name: "_sd".into() }),
        (format!(r#"["{salt}","...",1]"#), DisclosureError::ReservedName { name: "...".into() }),
        (format!(r#"["{salt}","a",1.5]"#), json_refused(JsonError::Float)),
        (
            format!(r#"["{salt}","a",{{"b":1,"b":1}}]"#),
            json_refused(JsonError::DuplicateKey { name: "b".into() }),
        ),
    ];
    for (content, expected) in cases {
        assert_eq!(Disclosure::parse(&encode_url(content.as_bytes())), Err(expected), "{content}");
    }
    for loose in
        ["WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd=", "W W", &"A".repeat(65_537)]
    {
        assert_eq!(Disclosure::parse(loose), Err(DisclosureError::Encoding));
    }
}

#[test]
fn what_cannot_be_concealed() {
    let document = json!({"a": {"b": 1}, "list": [1], "float": 1.5, "odd": {"_sd": 1, "x": 1}});
    let no_member = |pointer: &str| DisclosureError::NoMember { pointer: pointer.into() };
    let cases = [
        ("", no_member("")),
        ("a", no_member("a")),
        ("/missing", no_member("/missing")),
        ("/a/b/c", no_member("/a/b/c")),
        ("/list/0", no_member("/list/0")),
        ("/float", DisclosureError::Json(JsonError::Float)),
        ("/odd/_sd", DisclosureError::ReservedName { name: "_sd".into() }),
        ("/odd/x", DisclosureError::MalformedDigests { object: "/odd".into() }),
    ];
    for (pointer, expected) in cases {
        assert_eq!(conceal(object(document.clone()), &[pointer], &mut salts()).unwrap_err(), expected);
    }
}

#[test]
fn what_cannot_be_revealed() {
    let one = Disclosure::new(&[1; 16], "a", json!(1)).unwrap();
    let other = Disclosure::new(&[2; 16], "a", json!(2)).unwrap();
    let digest = |disclosure: &Disclosure| encode_url(disclosure.digest().as_bytes());
    let (first, second) = (digest(&one), digest(&other));
    let twice = DisclosureError::DuplicateDigest { digest: first.clone() };
    let clash = DisclosureError::NameClash { object: String::new(), name: "a".into() };
    let malformed = |object: &str| DisclosureError::MalformedDigests { object: object.into() };
    let none: &[Disclosure] = &[];
    let cases = [
        (json!({}), from_ref(&one), DisclosureError::Unused { name: "a".into() }),
        (json!({"_sd": [first]}), &[one.clone(), one.clone()], twice.clone()),
        (json!({"_sd": [first, first]}), from_ref(&one), twice.clone()),
        (json!({"_sd": [first], "b": {"_sd": [first]}}), none, twice),
        (json!({"_sd": [first, second]}), &[one.clone(), other.clone()], clash.clone()),
        (json!({"_sd": [first], "a": 0}), from_ref(&one), clash),
        (json!({"_sd": "x"}), none, malformed("")),
        (json!({"b": [{"_sd": ["AAAA"]}]}), none, malformed("/b/0")),
        (json!({"_sd": [format!("{first}=")]}), none, malformed("")),
        (json!({"b": [{"...": first}]}), none, DisclosureError::ConcealedElement { array: "/b".into() }),
    ];
    for (document, disclosures, expected) in cases {
        assert_eq!(reveal(document.clone(), disclosures).unwrap_err(), expected, "{document}");
    }
}

#[test]
fn disclosures_cannot_nest_without_end() {
    let mut value = json!(1);
    let mut disclosures = Vec::new();
    for level in 0..70 {
        let disclosure = Disclosure::new(&[level; 16], "a", value).unwrap();
        value = json!({"_sd": [encode_url(disclosure.digest().as_bytes())]});
        disclosures.push(disclosure);
    }
    assert_eq!(reveal(value.clone(), &disclosures).unwrap_err(), DisclosureError::Json(JsonError::TooDeep));
}
