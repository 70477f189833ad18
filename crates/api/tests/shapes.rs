//! Shapes that clients rely on.

use chancery_api::login::LoginStatus;
use chancery_api::passkey::RequestOptions;
use chancery_api::request::{DraftRequest, RequestSignature, SubmitRequest};
use serde::de::DeserializeOwned;
use serde_json::json;

fn refused<T: DeserializeOwned>(body: serde_json::Value, about: &str) {
    let refusal = serde_json::from_value::<T>(body.clone()).err().map(|error| error.to_string());
    assert!(refusal.as_deref().is_some_and(|text| text.contains(about)), "{body}: {refusal:?}");
}

#[test]
fn requests_refuse_members_that_they_do_not_know() {
    refused::<DraftRequest>(json!({"entitlement": "x", "grant_seconds": 1, "admin": true}), "admin");
    refused::<DraftRequest>(json!({"grant_seconds": 1}), "entitlement");
    refused::<DraftRequest>(json!({"entitlement": "x", "grant_seconds": -1}), "-1");
    refused::<SubmitRequest>(json!({"document": "{}", "signature": {"kind": "none"}}), "none");
    refused::<RequestSignature>(json!({"kind": "passkey", "assertion": {}, "person": "x"}), "");
}

#[test]
fn options_have_the_names_that_browsers_read() {
    let options = RequestOptions {
        challenge: "AA".into(),
        timeout: 1,
        rp_id: "localhost".into(),
        allow_credentials: Vec::new(),
        user_verification: "required".into(),
    };
    let expected = json!({"challenge": "AA", "timeout": 1, "rpId": "localhost", "allowCredentials": [],
        "userVerification": "required"});
    assert_eq!(serde_json::to_value(options).unwrap(), expected);
}

#[test]
fn a_login_says_its_status_beside_its_content() {
    let pending = LoginStatus::Pending { expires_at: "2026-11-22T12:00:00Z".into() };
    assert_eq!(
        serde_json::to_value(pending).unwrap(),
        json!({"status": "pending", "expires_at": "2026-11-22T12:00:00Z"})
    );
}
