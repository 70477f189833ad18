//! Approving what others saw otherwise, twice, or for somebody else.

use crate::world::{Answer, Session, random, signed_decision, signed_request, ssh_draft};
use crate::{Cast, altered, another, cast, fails};
use chancery_canonical::Sha256;
use chancery_canonical::base64::encode_url;
use serde_json::{Value, json};

/// The server records what it offered. What an approver signs beyond that is not what everybody else saw.
#[test]
fn a_decision_with_other_terms() {
    let Cast { world, mut erin, mut olga, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let path = format!("/api/v1/requests/{request}/decisions");
    let asked = world.approval(&request);
    let offer = world.call(&olga, "POST", &format!("{path}/options"), Some(&asked)).good();
    let document = offer["document"].as_str().unwrap();
    let members: Value = serde_json::from_str(document).unwrap();
    let size = world.log_size();
    let mut documents: Vec<(String, String)> = members
        .as_object()
        .unwrap()
        .keys()
        .map(|name| (name.clone(), altered(document, |said| said[name] = another(&said[name]))))
        .collect();
    for (name, value) in [
        ("decision", json!("override")),
        ("decision", json!("break_glass")),
        ("decision", json!("reject")),
        ("stages", json!([])),
        ("stages", json!([{"id": "security", "quorum": 1}])),
        ("verdict_sha256", json!(Sha256::of(b"other"))),
        ("policy_sha256", json!(Sha256::of(b"other"))),
        ("approver", json!(erin.id)),
        ("nonce", json!(encode_url(&random::<32>()))),
    ] {
        documents.push((name.to_owned(), altered(document, |said| said[name] = value)));
    }
    let longer = altered(document, |said| said["grant"]["max_seconds"] = json!(86_400));
    documents.push(("grant".to_owned(), longer));
    for (name, document) in documents {
        let signed = signed_decision(&mut olga, &json!({"document": document}));
        let answer = world.call(&olga, "POST", &path, Some(&signed));
        assert!((400..500).contains(&answer.status), "{name}: {}", answer.status);
        fails(&world, size, &answer, &answer.code());
    }
    assert_eq!(world.view(&erin, &request)["state"], json!("pending"));
    let signed = signed_decision(&mut olga, &offer);
    world.call(&olga, "POST", &path, Some(&signed)).good();
}

/// An offer names who decides: another's signature under it, or another's session around it, is not theirs.
#[test]
fn an_offer_that_somebody_else_signs() {
    let Cast { world, mut erin, mut olga, mut ada, mut ben, .. } = cast();
    let mut oscar = world.admit("Oscar", &["service_owner"], &mut ada, &mut ben);
    let request = world.request(&mut erin, "staging");
    let path = format!("/api/v1/requests/{request}/decisions");
    let offer = world.call(&olga, "POST", &format!("{path}/options"), Some(&world.approval(&request))).good();
    let by_oscar = signed_decision(&mut oscar, &offer);
    let by_olga = signed_decision(&mut olga, &offer);
    let size = world.log_size();
    for sender in [&oscar, &olga] {
        let answer = world.call(sender, "POST", &path, Some(&by_oscar));
        fails(&world, size, &answer, "decision_other_credential");
    }
    fails(&world, size, &world.call(&oscar, "POST", &path, Some(&by_olga)), "forbidden");
    fails(&world, size, &world.call(&erin, "POST", &path, Some(&by_olga)), "forbidden");
    world.call(&olga, "POST", &path, Some(&by_olga)).good();
}

/// What was used up stays used up, whatever the server forgot when it stopped.
#[test]
fn an_offer_after_a_restart() {
    let Cast { mut world, mut erin, mut olga, mut ada, mut ben, .. } = cast();
    for name in ["Sven", "Sara"] {
        world.admit(name, &["security"], &mut ada, &mut ben);
    }
    let request = world.request(&mut erin, "production");
    let path = format!("/api/v1/requests/{request}/decisions");
    let asked = world.approval(&request);
    let offer = world.call(&olga, "POST", &format!("{path}/options"), Some(&asked)).good();
    let signed = signed_decision(&mut olga, &offer);
    world.call(&olga, "POST", &path, Some(&signed)).good();
    let token = world.first_link.clone();
    world.restart();
    let size = world.log_size();
    let answer = world.call(&olga, "POST", &path, Some(&signed));
    assert!(["offer_used", "already_decided"].contains(&answer.code().as_str()), "{}", answer.code());
    fails(&world, size, &answer, &answer.code());
    world.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": token}))).refused("link_expired");
    assert_eq!(world.view(&erin, &request)["decisions"].as_array().unwrap().len(), 1);
    // Withdrawn is withdrawn: the old yes does not come back.
    world.decide(&mut olga, &request, "withdraw", None).good();
    let size = world.log_size();
    let answer = world.call(&olga, "POST", &path, Some(&signed));
    assert!((400..500).contains(&answer.status));
    fails(&world, size, &answer, &answer.code());
}

/// A yes is to one revision. What is put in its place afterwards was never approved.
#[test]
fn an_approval_of_what_stood_before() {
    let Cast { world, mut erin, mut olga, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let path = format!("/api/v1/requests/{request}");
    let asked = world.approval(&request);
    let offer = world.call(&olga, "POST", &format!("{path}/decisions/options"), Some(&asked)).good();
    let signed = signed_decision(&mut olga, &offer);
    let mut draft = ssh_draft(&erin, "staging");
    draft["revises"] = json!(request);
    draft["parameters"]["host"] = json!("payments-1.example");
    let drafted = world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).good();
    let body = signed_request(&mut erin, &drafted);
    let etag = world.call(&erin, "GET", &path, None).header("etag").unwrap().to_owned();
    let revisions = format!("{path}/revisions");
    world.call_with(&erin, "POST", &revisions, Some(&body), &[("if-match", &etag)]).good();
    let size = world.log_size();
    let answer = world.call(&olga, "POST", &format!("{path}/decisions"), Some(&signed));
    fails(&world, size, &answer, "decision_other_request");
    assert_eq!(world.view(&erin, &request)["state"], json!("pending"));
}

/// One person is one vote, from however many sessions at the same moment.
#[test]
fn a_second_vote_from_a_second_session() {
    let Cast { world, mut erin, mut olga, mut ada, mut ben, .. } = cast();
    for name in ["Sven", "Sara"] {
        world.admit(name, &["security"], &mut ada, &mut ben);
    }
    let request = world.request(&mut erin, "production");
    let path = format!("/api/v1/requests/{request}/decisions");
    let asked = world.approval(&request);
    let mut calls = Vec::new();
    for bound in [false, true, false, true] {
        if bound {
            world.log_in(&mut olga);
        } else {
            world.sign_in(&mut olga);
        }
        let offer = world.call(&olga, "POST", &format!("{path}/options"), Some(&asked)).good();
        calls.push((olga.session.clone(), signed_decision(&mut olga, &offer)));
    }
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let send = |(session, body): &(Session, Value)| {
            let own = world.credentials(session, "POST", &path);
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            world.send("POST", &path, &headers, Some(body.to_string().into_bytes()))
        };
        let started: Vec<_> = calls.iter().map(|call| scope.spawn(move || send(call))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused("already_decided");
    }
    let view = world.view(&erin, &request);
    assert_eq!(view["state"], json!("pending"));
    assert_eq!(view["decisions"].as_array().unwrap().len(), 1, "{view:#}");
}
