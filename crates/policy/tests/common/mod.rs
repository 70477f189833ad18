//! Requests that tests start from: calm circumstances, so that each test changes what it is about.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chancery_canonical::Disclosure;
use chancery_policy::input::{ConcealedInput, Input};
use chancery_policy::{Bundle, Engine};
use serde_json::{Value, json};

/// The default bundle's directory.
pub fn policies() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

/// The default bundle.
pub fn default_bundle() -> Bundle {
    Bundle::read(&policies()).unwrap()
}

/// The default bundle with some files added or replaced.
pub fn bundle_with(files: &[(&str, &str)]) -> Bundle {
    let mut all = default_bundle().files().clone();
    all.extend(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())));
    Bundle::from_files(all).unwrap()
}

/// A clear input as a golden file holds it: without the entitlement's data and digest.
pub fn golden_input(entitlement: &str, parameters: Value) -> Value {
    let person = json!({"person": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "roles": ["engineer"]});
    json!({
        "phase": "request",
        "request": {
            "type": "urn:chancery:request:v1",
            "log_origin": "log.example",
            "id": "01ARZ3NDEKTSV4RRFFQ69G5FA0",
            "revision": 1,
            "entitlement": {"name": entitlement},
            "requester": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "beneficiary": {"person": "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
            "parameters": parameters,
            "artifacts": [],
            "undo": [],
            "ticket": "OPS-1",
            "clocks": {"grant_seconds": 300},
            "created_at": "2026-11-24T10:59:58Z",
            "justification": "the disk of the ledger service is full",
        },
        "requester": person,
        "beneficiary": person,
        "signals": {
            "device": {"status": "known", "value": {"managed": true}, "observed_at": "2026-11-24T10:59:50Z", "age_seconds": 10, "source": "posture"},
            "origin": {"status": "known", "value": {"new": false}, "observed_at": "2026-11-24T11:00:00Z", "age_seconds": 0, "source": "network"},
        },
        "approvals": [],
        "history": {"requests_1h": 1},
        "now": "2026-11-24T11:00:00Z",
        "calendar": {"weekday": "tuesday", "hour": 11, "timezone": "UTC", "working_hours": true},
    })
}

/// Every golden input, by the name of its file.
pub fn golden_inputs(bundle: &Bundle) -> Vec<(&'static str, Value)> {
    assert!(bundle.entitlement("ssh-admin").is_some());
    let mut change = golden_input("db-change", json!({"database": "ledger", "environment": "production"}));
    let file = |name: &str, size: u64| json!({"name": name, "media_type": "application/sql", "size": size, "sha256": "00".repeat(32)});
    change["request"]["artifacts"] = json!([file("change.sql", 40), file("undo.sql", 20)]);
    let mut no_way_back = change.clone();
    change["request"]["undo"] = json!(["undo.sql"]);
    no_way_back["request"]["undo"] = json!([]);

    let mut at_night = ssh("production");
    at_night["calendar"] = json!({"weekday": "sunday", "hour": 3, "timezone": "UTC", "working_hours": false});
    at_night["signals"] = json!({"device": {"status": "unknown", "source": "posture"}});
    at_night["request"]["clocks"]["grant_seconds"] = json!(900);

    let mut no_ticket = ssh("production");
    no_ticket["request"].as_object_mut().unwrap().remove("ticket");
    let mut root = ssh("production");
    root["request"]["parameters"]["principal"] = json!("root");

    let mut stranger = golden_input("role-grant", json!({"role": "dba"}));
    stranger["signals"]["device"]["value"]["managed"] = json!(false);
    stranger["signals"]["origin"]["value"]["new"] = json!(true);

    vec![
        ("db-change-production", change),
        ("db-change-without-undo", no_way_back),
        ("role-grant", golden_input("role-grant", json!({"role": "security"}))),
        ("role-grant-unmanaged-new-origin", stranger),
        ("ssh-admin-production", ssh("production")),
        ("ssh-admin-production-at-night", at_night),
        ("ssh-admin-production-without-ticket", no_ticket),
        ("ssh-admin-root", root),
        ("ssh-admin-staging", ssh("staging")),
    ]
}

/// A login as `deploy` to `web-1.example`.
pub fn ssh(environment: &str) -> Value {
    golden_input(
        "ssh-admin",
        json!({"host": "web-1.example", "principal": "deploy", "environment": environment}),
    )
}

/// The typed, concealed form of a clear input, under a bundle.
pub fn conceal(bundle: &Bundle, clear: &Value) -> ConcealedInput {
    let mut clear = clear.clone();
    let name = clear["request"]["entitlement"]["name"].as_str().unwrap().to_owned();
    if let Some(entitlement) = bundle.entitlement(&name) {
        let reference = clear["request"]["entitlement"].as_object_mut().unwrap();
        reference.entry("sha256").or_insert_with(|| json!(entitlement.digest()));
        clear.as_object_mut().unwrap().entry("entitlement").or_insert_with(|| entitlement.data().clone());
    }
    let mut disclosures = Vec::new();
    let request = clear["request"].as_object_mut().unwrap();
    if let Some(justification) = request.remove("justification") {
        let disclosure = Disclosure::new(&[7; 16], "justification", justification).unwrap();
        let digest = chancery_canonical::base64::encode_url(disclosure.digest().as_bytes());
        request.insert("_sd".to_owned(), json!([digest]));
        disclosures.push(disclosure);
    }
    let input: Input = serde_json::from_value(clear).unwrap();
    let mut salt = 0_u8;
    ConcealedInput::conceal(&input, &disclosures, &mut || {
        salt += 1;
        [salt; 16]
    })
    .unwrap()
}

/// The verdict's document, as JSON, of a clear input under the default bundle and some more files.
pub fn judge(files: &[(&str, &str)], clear: &Value) -> Value {
    let bundle = bundle_with(files);
    let engine = Engine::prepare(bundle.clone()).unwrap();
    let judgement = engine.judge(&conceal(&bundle, clear)).unwrap();
    judgement.verdict.canonical().value()
}

/// Names of the rules in a verdict's reasons.
pub fn rules(verdict: &Value) -> BTreeSet<String> {
    verdict["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["rule"].as_str().unwrap().to_owned())
        .collect()
}

/// Points by factor.
pub fn points(verdict: &Value) -> BTreeMap<String, i64> {
    let factors = verdict["risk"]["factors"].as_array().unwrap();
    factors
        .iter()
        .map(|factor| (factor["factor"].as_str().unwrap().to_owned(), factor["points"].as_i64().unwrap()))
        .collect()
}
