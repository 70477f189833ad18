//! A leaf that is prepared and placed has the bytes of one that is written whole.

#![expect(clippy::unwrap_used, reason = "test code fails by panicking")]

use chancery_canonical::Sha256;
use chancery_domain::document::{RequestDocument, SessionDocument};
use chancery_domain::leaf::{EventLeaf, LeafError, MAX_LEAF_BYTES, UnplacedLeaf};
use proptest::collection::btree_map;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Both ways of writing a leaf give the same bytes, or refuse alike.
#[track_caller]
fn check(leaf: &EventLeaf) -> Result<Vec<u8>, LeafError> {
    let whole = leaf.to_bytes();
    let unplaced = UnplacedLeaf::new(&leaf.stream, &leaf.kind, leaf.time, leaf.body.clone());
    let placed = unplaced.and_then(|unplaced| unplaced.place(leaf.version, leaf.previous));
    assert_eq!(placed, whole, "{leaf:?}");
    whole
}

fn leaf(stream: &str, version: u64, body: Map<String, Value>) -> EventLeaf {
    EventLeaf {
        stream: stream.parse().unwrap(),
        version,
        previous: (version > 1).then(|| Sha256::of(b"the one before")),
        kind: "request.submitted".to_owned(),
        time: "2026-11-22T12:00:00Z".parse().unwrap(),
        body,
    }
}

fn body(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!({}), |inner, _| json!({ "a": inner }))
}

#[test]
fn placed_leaves_are_leaves() {
    for version in [1, 2, 10, 9_007_199_254_740_991] {
        for stream in
            ["policy", "trust", "request/01ARZ3NDEKTSV4RRFFQ69G5FAV", "identity/01ARZ3NDEKTSV4RRFFQ69G5FAV"]
        {
            let leaf = leaf(stream, version, body(json!({"z": [1, -2, null, true], "a": "\"\\\n\u{1}é😀"})));
            assert_eq!(EventLeaf::from_bytes(&check(&leaf).unwrap()).unwrap(), leaf);
        }
    }
    let odd = EventLeaf { kind: "odd \"kind\"\u{7f}\n".to_owned(), ..leaf("policy", 2, Map::new()) };
    check(&odd).unwrap();
}

#[test]
fn what_has_no_leaf_has_none_either_way() {
    check(&leaf("policy", 9_007_199_254_740_992, Map::new())).unwrap_err();
    check(&leaf("policy", 1, body(json!({"a": 1.5})))).unwrap_err();
    check(&leaf("policy", 1, body(json!({"a": u64::MAX})))).unwrap_err();
    let depths: Vec<bool> =
        (55..70).map(|levels| check(&leaf("policy", 1, body(nested(levels)))).is_ok()).collect();
    assert!(depths.contains(&true) && depths.contains(&false), "{depths:?}");
    let empty = check(&leaf("policy", 2, body(json!({"a": ""})))).unwrap().len();
    let fill = |more: usize| leaf("policy", 2, body(json!({"a": "x".repeat(MAX_LEAF_BYTES - empty + more)})));
    assert_eq!(check(&fill(0)).unwrap().len(), MAX_LEAF_BYTES);
    assert_eq!(check(&fill(1)).unwrap_err(), LeafError::TooLong(MAX_LEAF_BYTES + 1));
}

proptest! {
    #[test]
    fn any_body_gives_the_same_bytes(members in btree_map(".{0,8}", ".{0,20}", 0..6), version in 1_u64..1000) {
        let body = members.into_iter().map(|(name, text)| (name, Value::from(text))).collect();
        check(&leaf("policy", version, body)).unwrap();
    }
}

/// What is left out is not said as `null` or as an empty list: that would be another leaf, another document, of the same
/// meaning.
#[test]
fn absence_has_no_second_spelling() {
    let first = String::from_utf8(leaf("policy", 1, Map::new()).to_bytes().unwrap()).unwrap();
    let null = first.replace(r#""stream""#, r#""previous":null,"stream""#);
    assert!(EventLeaf::from_bytes(first.as_bytes()).is_ok());
    assert!(matches!(EventLeaf::from_bytes(null.as_bytes()), Err(LeafError::Shape(_))));
    let session = json!({"type": "urn:chancery:session:v1", "log_origin": "log.example", "nonce": "AAAAAAAAAAAAAAAAAAAAAA",
        "person": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "issued_at": "2026-11-22T12:00:00Z", "expires_at": "2026-11-22T13:00:00Z"});
    assert!(serde_json::from_value::<SessionDocument>(session.clone()).is_ok());
    let mut null = session;
    null["public_key"] = Value::Null;
    assert!(serde_json::from_value::<SessionDocument>(null).is_err());
    let request = json!({"type": "urn:chancery:request:v1", "log_origin": "log.example", "revision": 1,
        "id": "01ARZ3NDEKTSV4RRFFQ69G5FA0", "entitlement": {"name": "ssh-admin", "sha256": "00".repeat(32)},
        "requester": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "beneficiary": {"person": "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
        "parameters": {}, "artifacts": [], "undo": [], "clocks": {"grant_seconds": 300},
        "created_at": "2026-11-22T12:00:00Z"});
    assert!(serde_json::from_value::<RequestDocument>(request.clone()).is_ok());
    for (member, absent) in [("ticket", Value::Null), ("_sd", json!([])), ("_sd", Value::Null)] {
        let mut another = request.clone();
        another[member] = absent;
        assert!(serde_json::from_value::<RequestDocument>(another).is_err(), "{member}");
    }
}
