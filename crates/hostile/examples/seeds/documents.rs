//! Documents, leaves and disclosures of the scenario's evidence, and bodies of requests.

use chancery_canonical::Canonical;
use chancery_domain::document::DecisionKind;
use chancery_domain::leaf::EventLeaf;
use chancery_testkit::scenario::Scenario;
use serde_json::{Value, json};

use super::Seeds;

pub fn seeds(scenario: Scenario, seeds: &mut Seeds) {
    json_texts(seeds);
    leaves(&scenario, seeds);
    let mut scenario = scenario;
    documents(&mut scenario, seeds);
    bodies(&mut scenario, seeds);
}

fn json_texts(seeds: &mut Seeds) {
    for (name, text) in [
        ("canonical", r#"{"a":[1,-2,null,true,"\\\"\n\u0001é😀"],"b":{"":{}},"é":9007199254740991}"#),
        ("spaced", " { \"b\" : [ 1 , 2 ] , \"a\" : \"\\u00e9\\ud83d\\ude00\\/\" } "),
        ("float", "[1.5,1e3,-0]"),
        ("twice", r#"{"a":1,"a":2}"#),
        ("deep", &format!("{}{}", "[".repeat(64), "]".repeat(64))),
        ("order", r#"{"😀":1,"ﬀ":2,"a":3}"#),
    ] {
        seeds.add("json", name, text);
    }
}

fn leaves(scenario: &Scenario, seeds: &mut Seeds) {
    for (path, bytes) in &scenario.bundle() {
        let name = path.replace('/', "-").replace(".json", "");
        if path.starts_with("leaves/") {
            let Ok(leaf) = EventLeaf::from_bytes(bytes) else { continue };
            seeds.add("event_leaf", &leaf.kind, bytes);
        }
        if path.starts_with("disclosures/") {
            let disclosures: Vec<String> = serde_json::from_slice(bytes).unwrap();
            seeds.add("disclosure", &name, disclosures[0].as_bytes());
        }
    }
}

fn documents(scenario: &mut Scenario, seeds: &mut Seeds) {
    let mut add = |name: &str, document: Canonical| seeds.add("document", name, document.as_str());
    add("trust", scenario.trust().root().canonical().clone());
    add("request", Canonical::of(&scenario.document).unwrap());
    add("decision", Canonical::of(&scenario.offer("owen", DecisionKind::Revoke)).unwrap());
    add("session", Canonical::of(&scenario.world.session_document("rita", 600)).unwrap());
    let body = json!({"person": scenario.world.id("rita"), "role": "security"});
    add("identity", Canonical::of(&scenario.world.identity_document("role.granted", &body)).unwrap());
}

fn bodies(scenario: &mut Scenario, seeds: &mut Seeds) {
    let document = Canonical::of(&scenario.document).unwrap();
    let assertion = scenario.world.assert_challenge("rita", &document.digest());
    let assertion: Value = serde_json::to_value(&assertion).unwrap();
    let registration = json!({"attestation_object": "oA", "client_data_json": "e30"});
    let mut add = |name: &str, body: Value| seeds.add("request_body", name, body.to_string());
    add(
        "draft",
        json!({"entitlement": "ssh-admin", "grant_seconds": 300, "ticket": "OPS-1", "justification": "the disk is full",
            "parameters": {"environment": "production", "host": "web-1.example", "principal": "deploy", "more": 1}}),
    );
    add(
        "submit",
        json!({"document": document, "disclosures": scenario.document_disclosures, "possession": "AA",
        "signature": {"kind": "passkey", "assertion": assertion}}),
    );
    add(
        "submit-in-session",
        json!({"document": document, "signature": {"kind": "session_key", "session": "{}",
        "introduction": assertion, "signature": "AA"}}),
    );
    add("decision-options", json!({"decision": "approve", "reason": "looked at it", "credential_id": "AA"}));
    add("decision", json!({"document": document, "assertion": assertion, "disclosures": []}));
    add("enrolment", json!({"token": "t", "name": "rita", "registration": registration}));
    add("session", json!({"document": "{}", "assertion": assertion}));
    add("login", json!({"public_key": "AA"}));
    add("recovery", json!({"person": scenario.world.id("rita"), "document": "{}", "signatures": []}));
}
