use chancery_api::passkey::RequestOptions;
use chancery_api::request::{ArtifactReference, Draft, DraftRequest, Preview};
use chancery_canonical::base64::encode_url;
use chancery_canonical::{Canonical, Disclosure};
use chancery_domain::document::{RequestDocument, challenge};
use serde_json::{Map, Value, json};

use super::{Asking, DraftMismatch, check};

const PERSON: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const OTHER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAW";
const REQUEST: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAX";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0";
/// 2026-11-22T12:00:00Z
const NOW: i64 = 1_795_348_800;

fn wish() -> DraftRequest {
    DraftRequest {
        entitlement: "ssh-admin".to_owned(),
        parameters: parameters("web-1"),
        justification: Some("disk full".to_owned()),
        ticket: Some("OPS-7".to_owned()),
        artifacts: vec![ArtifactReference {
            name: "plan".to_owned(),
            media_type: "text/plain".to_owned(),
            size: 3,
            sha256: "a".repeat(64),
        }],
        undo: vec!["plan".to_owned()],
        beneficiary: None,
        beneficiary_key: Some(KEY.to_owned()),
        grant_seconds: 900,
        not_before: Some("2026-11-22T13:00:00Z".to_owned()),
        revises: None,
    }
}

fn parameters(host: &str) -> Map<String, Value> {
    Map::from_iter([("host".to_owned(), json!(host)), ("principal".to_owned(), json!("deploy"))])
}

/// The document that an honest server drafts for [`wish`].
fn honest() -> Value {
    json!({
        "type": "urn:chancery:request:v1", "log_origin": "log.example", "id": REQUEST, "revision": 1,
        "entitlement": {"name": "ssh-admin", "sha256": "b".repeat(64)}, "requester": PERSON,
        "beneficiary": {"person": PERSON, "public_key": KEY}, "parameters": parameters("web-1"),
        "artifacts": [{"name": "plan", "media_type": "text/plain", "size": 3, "sha256": "a".repeat(64)}],
        "undo": ["plan"], "ticket": "OPS-7",
        "clocks": {"grant_seconds": 900, "not_before": "2026-11-22T13:00:00Z"},
        "created_at": "2026-11-22T12:00:00Z", "_sd": [digest(&disclosure("justification", "disk full"))],
    })
}

fn disclosure(name: &str, text: &str) -> Disclosure {
    Disclosure::new(&[7; 16], name, json!(text)).unwrap()
}

fn digest(disclosure: &Disclosure) -> String {
    encode_url(disclosure.digest().as_bytes())
}

fn draft(document: &Value, disclosures: Vec<String>) -> Draft {
    let canonical = Canonical::of(document).unwrap();
    Draft {
        document: canonical.as_str().to_owned(),
        request_sha256: canonical.digest().to_hex(),
        challenge: encode_url(challenge::<RequestDocument>(&canonical).as_bytes()),
        disclosures,
        public_key: RequestOptions {
            challenge: String::new(),
            timeout: 0,
            rp_id: String::new(),
            allow_credentials: Vec::new(),
            user_verification: String::new(),
        },
        preview: Preview { verdict: Value::Null, stages: Vec::new(), missing: Vec::new() },
    }
}

fn disclosures() -> Vec<String> {
    vec![disclosure("justification", "disk full").as_str().to_owned()]
}

fn asking() -> Asking<'static> {
    Asking { person: PERSON, log_origin: "log.example", now: NOW, revision: 1 }
}

/// What `check` says of the honest document after one change at a pointer.
fn refused(pointer: &str, value: Value) -> Option<DraftMismatch> {
    let mut document = honest();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
    check(&wish(), &asking(), &draft(&document, disclosures())).err()
}

#[test]
fn an_honest_draft_is_signed() {
    let checked = check(&wish(), &asking(), &draft(&honest(), disclosures())).unwrap();
    assert_eq!(checked.request.id.as_str(), REQUEST);
}

#[test]
fn every_member_that_differs_is_named() {
    for (pointer, value, member) in [
        ("/log_origin", json!("evil.example"), "log_origin"),
        ("/revision", json!(2), "revision"),
        ("/entitlement/name", json!("root-admin"), "entitlement"),
        ("/requester", json!(OTHER), "requester"),
        ("/beneficiary/person", json!(OTHER), "beneficiary"),
        ("/beneficiary/public_key", json!("ssh-ed25519 AAAA"), "beneficiary's key"),
        ("/parameters/host", json!("db-1"), "parameters"),
        ("/parameters/force_command", json!("id"), "parameters"),
        ("/artifacts", json!([]), "artifacts"),
        ("/undo", json!([]), "undo"),
        ("/ticket", json!("OPS-8"), "ticket"),
        ("/clocks/grant_seconds", json!(28_800), "grant_seconds"),
        ("/clocks/not_before", json!("2026-11-22T12:30:00Z"), "not_before"),
    ] {
        match refused(pointer, value) {
            Some(DraftMismatch::Differs { member: named, .. }) => assert_eq!(named, member, "{pointer}"),
            other => panic!("{pointer}: {other:?}"),
        }
    }
}

#[test]
fn a_document_of_another_shape_or_time_is_refused() {
    assert!(matches!(refused("/surprise", json!(1)), Some(DraftMismatch::Unreadable(_))));
    assert!(matches!(
        refused("/type", json!("urn:chancery:decision:v1")),
        Some(DraftMismatch::Unreadable(_))
    ));
    assert!(matches!(refused("/created_at", json!("2026-11-22T11:50:00Z")), Some(DraftMismatch::Time(_))));
}

#[test]
fn digests_are_computed_and_not_believed() {
    let mut wrong = draft(&honest(), disclosures());
    wrong.challenge = encode_url(&[0; 32]);
    assert_eq!(check(&wish(), &asking(), &wrong).unwrap_err(), DraftMismatch::Digest("challenge"));
    let mut wrong = draft(&honest(), disclosures());
    wrong.request_sha256 = "0".repeat(64);
    assert_eq!(check(&wish(), &asking(), &wrong).unwrap_err(), DraftMismatch::Digest("request_sha256"));
}

#[test]
fn exactly_the_justification_that_was_written_is_concealed() {
    let (other_text, other_name) = (disclosure("justification", "all fine"), disclosure("note", "disk full"));
    let both = json!([digest(&disclosure("justification", "disk full")), digest(&other_name)]);
    for (concealed, disclosures) in [
        (json!([digest(&other_text)]), vec![other_text.as_str().to_owned()]),
        (json!([digest(&other_name)]), vec![other_name.as_str().to_owned()]),
        (json!([digest(&other_text)]), disclosures()),
        (honest()["_sd"].clone(), Vec::new()),
        (both, vec![disclosures()[0].clone(), other_name.as_str().to_owned()]),
    ] {
        let mut document = honest();
        document["_sd"] = concealed;
        let found = check(&wish(), &asking(), &draft(&document, disclosures)).unwrap_err();
        assert_eq!(found, DraftMismatch::Justification);
    }
    let mut document = honest();
    document.as_object_mut().unwrap().remove("_sd");
    let found = check(&wish(), &asking(), &draft(&document, disclosures())).unwrap_err();
    assert_eq!(found, DraftMismatch::Justification);
    document["_sd"] = json!([]);
    let found = check(&wish(), &asking(), &draft(&document, disclosures())).unwrap_err();
    assert!(matches!(found, DraftMismatch::Unreadable(_)), "{found:?}");
}

#[test]
fn a_revision_stays_the_same_request() {
    let (mut wish, mut document) = (wish(), honest());
    wish.revises = Some(OTHER.to_owned());
    document["revision"] = json!(2);
    let asking = Asking { revision: 2, ..asking() };
    let found = check(&wish, &asking, &draft(&document, disclosures())).unwrap_err();
    assert!(matches!(found, DraftMismatch::Differs { member: "id", .. }));
    document["id"] = json!(OTHER);
    assert!(check(&wish, &asking, &draft(&document, disclosures())).is_ok());
}
