//! Asking for what was not signed, or as somebody else.

use crate::world::signed_request;
use crate::{Cast, altered, another, cast, fails};
use chancery_canonical::Canonical;
use chancery_canonical::base64::encode_url;
use chancery_domain::document::{RequestDocument, challenge};
use chancery_evidence::sshsig::{REQUEST_NAMESPACE, sign_ed25519};
use serde_json::{Value, json};

/// The signature covers every member, so no member can change after it.
#[test]
fn a_draft_that_changes_after_it_was_signed() {
    let Cast { world, mut erin, .. } = cast();
    let draft = world.draft(&erin, "staging");
    let good = signed_request(&mut erin, &draft);
    let size = world.log_size();
    let document = good["document"].as_str().unwrap();
    let members: Value = serde_json::from_str(document).unwrap();
    for name in members.as_object().unwrap().keys() {
        let mut body = good.clone();
        body["document"] = json!(altered(document, |said| said[name] = another(&said[name])));
        let answer = world.call(&erin, "POST", "/api/v1/requests", Some(&body));
        assert!((400..500).contains(&answer.status), "{name}: {}", answer.status);
        fails(&world, size, &answer, &answer.code());
        let mut body = good.clone();
        body["document"] = json!(altered(document, |said| {
            said.as_object_mut().unwrap().remove(name);
        }));
        let answer = world.call(&erin, "POST", "/api/v1/requests", Some(&body));
        assert!((400..500).contains(&answer.status), "without {name}: {}", answer.status);
        fails(&world, size, &answer, &answer.code());
    }
    for name in members["parameters"].as_object().unwrap().keys() {
        let mut body = good.clone();
        body["document"] = json!(altered(document, |said| said["parameters"][name] = json!("other")));
        fails(&world, size, &world.call(&erin, "POST", "/api/v1/requests", Some(&body)), "wrong_challenge");
    }
    world.call(&erin, "POST", "/api/v1/requests", Some(&good)).good();
}

/// A signature for one log is none for another, even where the same person and passkey are known to both.
#[test]
fn a_document_for_another_log() {
    let Cast { world, mut erin, .. } = cast();
    let mut draft = world.draft(&erin, "staging");
    let document =
        altered(draft["document"].as_str().unwrap(), |said| said["log_origin"] = json!("log.invalid"));
    let signed = challenge::<RequestDocument>(&Canonical::parse(document.as_bytes()).unwrap());
    draft["document"] = json!(document);
    draft["challenge"] = json!(encode_url(signed.as_bytes()));
    let size = world.log_size();
    fails(&world, size, &world.submit(&mut erin, &draft), "request_other_log");
}

/// Whoever receives the credential shows that the key is theirs: nobody has a key certified that another holds.
#[test]
fn a_key_that_somebody_else_holds() {
    let Cast { world, mut erin, mallory, .. } = cast();
    let draft = world.draft(&erin, "staging");
    let mut body = signed_request(&mut erin, &draft);
    let signed = challenge::<RequestDocument>(
        &Canonical::parse(draft["document"].as_str().unwrap().as_bytes()).unwrap(),
    );
    let by_other = sign_ed25519(&mallory.ssh_key(), REQUEST_NAMESPACE, signed.as_bytes()).unwrap();
    let elsewhere = sign_ed25519(&erin.ssh_key(), "git", signed.as_bytes()).unwrap();
    let something = sign_ed25519(&erin.ssh_key(), REQUEST_NAMESPACE, &[7; 32]).unwrap();
    let size = world.log_size();
    for proof in [by_other, elsewhere, something] {
        body["possession"] = json!(encode_url(&proof.to_blob()));
        fails(&world, size, &world.call(&erin, "POST", "/api/v1/requests", Some(&body)), "possession");
    }
}

/// A key for repeats is its person's: with it nobody gets at what another made.
#[test]
fn a_repeat_of_somebody_elses_request() {
    let Cast { world, mut erin, mallory, mut olga, .. } = cast();
    let draft = world.draft(&erin, "staging");
    let body = signed_request(&mut erin, &draft);
    let key = &[("idempotency-key", "deploy-42")][..];
    let view = world.call_with(&erin, "POST", "/api/v1/requests", Some(&body), key).good();
    let size = world.log_size();
    let answer = world.call_with(&mallory, "POST", "/api/v1/requests", Some(&body), key);
    fails(&world, size, &answer, "not_yours");
    let request = view["id"].as_str().unwrap();
    world.decide(&mut olga, request, "approve", None).good();
    let path = format!("/api/v1/grants/{request}/credentials");
    let certificate = world.call_with(&erin, "POST", &path, None, key).good();
    let size = world.log_size();
    fails(&world, size, &world.call_with(&mallory, "POST", &path, None, key), "not_found");
    fails(&world, size, &world.call_with(&olga, "POST", &path, None, key), "not_yours");
    let again = world.call_with(&erin, "POST", &path, None, key).good();
    assert_eq!(again["certificate"], certificate["certificate"]);
}
