//! Bad input is refused with a code and a remedy, and nothing is written.

mod world;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use chancery_canonical::Sha256;
use serde_json::{Value, json};
use world::{Person, Session, World, random, signed_decision, signed_request, ssh_draft};

/// Refuses, and leaves the log as it was.
#[track_caller]
fn check(world: &World, person: &Person, method: &str, path: &str, body: &[u8], status: u16, code: &str) {
    let before = world.log_size();
    let signed = world.credentials(&person.session, method, path);
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(signed.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let answer = world.send(method, path, &headers, Some(body.to_vec()));
    answer.refused(code);
    assert_eq!(answer.status, status, "{code}");
    assert_eq!(world.log_size(), before, "{code}");
}

#[test]
fn bodies_that_cannot_be_understood() {
    let (world, mut ada, mut ben) = World::sealed();
    let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let draft = "/api/v1/drafts";
    let with = |name: &str, value: Value| {
        let mut draft = ssh_draft(&erin, "staging");
        draft[name] = value;
        draft.to_string().into_bytes()
    };
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for (body, status, code) in [
        (b"".to_vec(), 400, "json_malformed"),
        (b"{".to_vec(), 400, "json_malformed"),
        (b"{} x".to_vec(), 400, "json_malformed"),
        (b"{\"entitlement\":\"\xff\"}".to_vec(), 400, "json_not_utf8"),
        (b"{\"entitlement\":\"a\",\"entitlement\":\"b\"}".to_vec(), 400, "json_duplicate_key"),
        (b"{\"grant_seconds\":1.5}".to_vec(), 400, "json_number"),
        (b"{\"grant_seconds\":1e3}".to_vec(), 400, "json_number"),
        (b"{\"grant_seconds\":9007199254740993}".to_vec(), 400, "json_number"),
        (deep.into_bytes(), 400, "json_too_deep"),
        (b"[]".to_vec(), 422, "body_invalid"),
        (b"{}".to_vec(), 422, "body_invalid"),
        (vec![b' '; 256 * 1024 + 1], 413, "body_too_large"),
        (with("unknown", json!(1)), 422, "body_invalid"),
        (with("grant_seconds", json!(-600)), 422, "body_invalid"),
        (with("grant_seconds", json!(0)), 422, "member_invalid"),
        (with("grant_seconds", json!(8 * 24 * 3600)), 422, "member_invalid"),
        (with("entitlement", json!("no-such")), 422, "entitlement_unknown"),
        (with("beneficiary", json!("nobody")), 422, "member_invalid"),
        (with("beneficiary", json!("01ARZ3NDEKTSV4RRFFQ69G5FAV")), 403, "person_not_active"),
        (with("beneficiary_key", json!("ssh-dss AAAA")), 422, "member_invalid"),
        (with("justification", json!("")), 422, "member_invalid"),
        (with("justification", json!("x".repeat(2001))), 422, "member_invalid"),
        (with("justification", json!("a\u{1b}[2Jb")), 422, "member_invalid"),
        (with("ticket", json!("x".repeat(101))), 422, "member_invalid"),
        (with("not_before", json!("tomorrow")), 422, "member_invalid"),
        (with("not_before", json!("2027-11-24T10:00:00Z")), 422, "member_invalid"),
        (with("undo", json!(["down.sql"])), 422, "member_invalid"),
        (with("revises", json!("01ARZ3NDEKTSV4RRFFQ69G5FAV")), 404, "not_found"),
        (
            with(
                "artifacts",
                json!([{"name": "a", "media_type": "text/plain", "size": 1, "sha256": "0".repeat(64)}]),
            ),
            422,
            "member_invalid",
        ),
    ] {
        check(&world, &erin, "POST", draft, &body, status, code);
    }
    for (method, path, status, code) in [
        ("POST", "/api/v1/nothing", 404, "route_unknown"),
        ("PATCH", "/api/v1/requests", 405, "method_unknown"),
        ("GET", "/api/v1/requests/..%2f..%2fetc", 404, "not_found"),
        ("GET", "/api/v1/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404, "not_found"),
        ("GET", "/api/v1/persons/01ARZ3NDEKTSV4RRFFQ69G5FAV", 404, "not_found"),
        ("GET", "/api/v1/requests?limit=201", 422, "member_invalid"),
        ("GET", "/api/v1/requests?limit=-1", 422, "member_invalid"),
        ("GET", "/api/v1/requests?cursor=x", 422, "member_invalid"),
        ("GET", "/api/v1/requests?role=boss", 422, "member_invalid"),
        ("GET", "/api/v1/requests?unknown=1", 422, "member_invalid"),
        ("GET", "/log/tile/0/000", 404, "not_found"),
    ] {
        check(&world, &erin, method, path, b"", status, code);
    }
    let answer = world.send("POST", draft, &[("content-type", "text/plain")], Some(b"{}".to_vec()));
    assert_eq!(answer.status, 401, "authentication comes first");
    let cookie = world.credentials(&erin.session, "POST", draft);
    let cookie: Vec<_> = cookie.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    world.send("POST", draft, &cookie, Some(b"{}".to_vec())).refused("media_type");
}

#[test]
fn an_address_that_is_no_text() {
    let (world, ada, _) = World::sealed();
    for path in [
        "/api/v1/requests/%ff",
        "/api/v1/requests/%ff/evidence",
        "/api/v1/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV/artifacts/%c3%28",
        "/api/v1/persons/%ff",
        "/api/v1/entitlements/%ff",
        "/api/v1/logins/%ff",
        "/log/tile/%ff",
    ] {
        check(&world, &ada, "GET", path, b"", 400, "path_invalid");
    }
}

#[test]
fn submissions_that_do_not_hold() {
    let (world, mut ada, mut ben) = World::sealed();
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let mut mallory = world.admit("Mallory", &["engineer"], &mut ada, &mut ben);
    world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    let draft = world.draft(&erin, "staging");
    let good = signed_request(&mut erin, &draft);
    let path = "/api/v1/requests";
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        body.to_string().into_bytes()
    };
    let document = draft["document"].as_str().unwrap();
    let longer = document.replace("\"grant_seconds\":600", "\"grant_seconds\":601");
    let spaced = document.replacen(':', ": ", 1);
    let elsewhere = document.replace("log.example", "log.invalid");
    for (body, status, code) in [
        (changed(&|body| body["document"] = json!(longer)), 403, "wrong_challenge"),
        (changed(&|body| body["document"] = json!(spaced)), 422, "member_invalid"),
        (changed(&|body| body["document"] = json!(elsewhere)), 403, "request_other_log"),
        (changed(&|body| body["disclosures"] = json!([])), 422, "member_invalid"),
        (
            changed(&|body| {
                body.as_object_mut().unwrap().remove("possession");
            }),
            403,
            "possession_missing",
        ),
        (changed(&|body| body["possession"] = json!("AAAA")), 403, "possession"),
        (changed(&|body| body["signature"]["assertion"]["signature"] = json!("AAAA")), 403, "bad_signature"),
        (
            changed(&|body| body["signature"]["assertion"]["credential_id"] = json!("AAAA")),
            403,
            "passkey_not_of_person",
        ),
        (
            changed(&|body| body["signature"]["assertion"]["client_data_json"] = json!("A".repeat(4000))),
            422,
            "member_invalid",
        ),
        (changed(&|body| body["signature"]["kind"] = json!("trust_me")), 422, "body_invalid"),
    ] {
        check(&world, &erin, "POST", path, &body, status, code);
    }
    // Signed by another person's good passkey, and sent by another person.
    let theirs = signed_request(&mut mallory, &draft);
    check(&world, &erin, "POST", path, theirs.to_string().as_bytes(), 403, "passkey_not_of_person");
    check(&world, &mallory, "POST", path, good.to_string().as_bytes(), 403, "not_yours");
    // The same document twice.
    world.call(&erin, "POST", path, Some(&good)).good();
    check(&world, &erin, "POST", path, good.to_string().as_bytes(), 409, "request_exists");
    // Drafted too long ago.
    let draft = world.draft(&erin, "staging");
    let late = signed_request(&mut erin, &draft);
    world.clock.advance(12 * 3600 + 1);
    world.sign_in(&mut erin);
    check(&world, &erin, "POST", path, late.to_string().as_bytes(), 403, "request_draft_time");
}

#[test]
fn offers_work_once_and_not_for_long() {
    let (world, mut ada, mut ben) = World::sealed();
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let mut olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    let request = world.request(&mut erin, "staging");
    let path = format!("/api/v1/requests/{request}/decisions");
    let asked = world.approval(&request);
    let offer = world.call(&olga, "POST", &format!("{path}/options"), Some(&asked)).good();
    let signed = signed_decision(&mut olga, &offer);
    // Nobody else may send it, and no other request takes it.
    check(&world, &ben, "POST", &path, signed.to_string().as_bytes(), 403, "forbidden");
    let other = world.request(&mut erin, "staging");
    let elsewhere = format!("/api/v1/requests/{other}/decisions");
    check(&world, &olga, "POST", &elsewhere, signed.to_string().as_bytes(), 403, "decision_other_request");
    // A decision that was flipped after it was signed.
    let mut flipped = signed.clone();
    flipped["document"] = json!(offer["document"].as_str().unwrap().replace("\"approve\"", "\"reject\""));
    check(&world, &olga, "POST", &path, flipped.to_string().as_bytes(), 403, "wrong_challenge");
    // One that the server never offered, signed all the same.
    let invented = offer["document"].as_str().unwrap().replace(
        &chancery_canonical::Canonical::parse(offer["document"].as_str().unwrap().as_bytes())
            .unwrap()
            .value()["nonce"]
            .as_str()
            .unwrap()
            .to_owned(),
        &chancery_canonical::base64::encode_url(&random::<32>()),
    );
    let invented = signed_decision(&mut olga, &json!({"document": invented}));
    check(&world, &olga, "POST", &path, invented.to_string().as_bytes(), 409, "offer_used");
    // Too late, then in time, then again.
    world.clock.advance(300);
    check(&world, &olga, "POST", &path, signed.to_string().as_bytes(), 403, "decision_expired");
    assert_eq!(
        world.decide(&mut olga, &request, "approve", None).good()["request"]["state"],
        json!("approved")
    );
    let offer = world
        .call(&olga, "POST", &format!("/api/v1/requests/{other}/decisions/options"), Some(&asked))
        .good();
    let signed = signed_decision(&mut olga, &offer);
    world.call(&olga, "POST", &elsewhere, Some(&signed)).good();
    check(&world, &olga, "POST", &elsewhere, signed.to_string().as_bytes(), 409, "wrong_state");
}

#[test]
fn links_and_sessions_that_are_over() {
    let (world, mut ada, _ben) = World::sealed();
    let enrol = "/api/v1/enrolments/options";
    // The first link was used; another runs out; a third is invented.
    let token = world.invite(&ada, &["engineer"]);
    world.clock.advance(24 * 3600);
    world.sign_in(&mut ada);
    for token in [world.first_link.clone(), token, "invented".to_owned()] {
        let body = json!({"token": token}).to_string();
        check(&world, &ada, "POST", enrol, body.as_bytes(), 410, "link_expired");
    }
    // A challenge works once.
    let token = world.invite(&ada, &["engineer"]);
    let offer = world.open("POST", enrol, Some(&json!({"token": token}))).good();
    let challenge =
        chancery_canonical::base64::decode_url(offer["public_key"]["challenge"].as_str().unwrap()).unwrap();
    let mut passkey = chancery_testkit::passkey::SoftPasskey::new("localhost");
    let registration =
        passkey.register(&Sha256::try_from(challenge.as_slice()).unwrap(), "https://evil.example");
    let body = json!({"token": token, "name": "Eve", "registration": registration});
    let answer = world.open("POST", "/api/v1/enrolments", Some(&body));
    assert!(answer.status == 422 && answer.code().contains("origin"), "{}", answer.code());
    world.open("POST", "/api/v1/enrolments", Some(&body)).refused("offer_used");
    // Cookies and tokens.
    let whoami = "/api/v1/whoami";
    world.open("GET", whoami, None).refused("not_signed_in");
    let stranger = |session| Person {
        id: ada.id.clone(),
        name: String::new(),
        passkey: ada.passkey.clone(),
        session,
        ssh_seed: random(),
    };
    world
        .call(&stranger(Session::Cookie("invented".to_owned())), "GET", whoami, None)
        .refused("session_unknown");
    world.call(&ada, "DELETE", "/api/v1/sessions/current", None);
    world.call(&ada, "GET", whoami, None).refused("session_unknown");
    world.sign_in(&mut ada);
    world.clock.advance(8 * 3600);
    world.call(&ada, "GET", whoami, None).refused("session_unknown");
    // A page elsewhere that a browser sends our cookie from.
    world.sign_in(&mut ada);
    let Session::Cookie(cookie) = &ada.session else { panic!("a cookie") };
    let cookie = format!("__Host-chancery={cookie}");
    for origin in [None, Some("https://evil.example"), Some("null"), Some("http://localhost:8441")] {
        let mut headers = vec![("content-type", "application/json"), ("cookie", cookie.as_str())];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let answer = world.send("POST", "/api/v1/invitations", &headers, Some(b"{}".to_vec()));
        answer.refused("origin");
    }
}

#[test]
fn proofs_of_possession_hold_for_one_request() {
    let (world, mut ada, _ben) = World::sealed();
    world.log_in(&mut ada);
    let Session::Token { token, seed, .. } = ada.session.clone() else { panic!("a token") };
    let path = "/api/v1/whoami";
    let send = |token: &str, proof: &str| {
        let authorization = format!("DPoP {token}");
        world.send("GET", path, &[("authorization", &authorization), ("dpop", proof)], None)
    };
    let now = world.clock.now().unix();
    let good = world.proof(&seed, &token, "GET", path, &json!({}));
    assert_eq!(send(&token, &good).good()["session"], json!("session_key"));
    send(&token, &good).refused("dpop_proof");
    for other in [
        json!({"htm": "POST"}),
        json!({"htu": "http://localhost:8440/api/v1/server"}),
        json!({"htu": "https://evil.example/api/v1/whoami"}),
        json!({"iat": now - 61}),
        json!({"iat": now + 61}),
        json!({"iat": i64::MAX}),
        json!({"ath": "AAAA"}),
        json!({"jti": "short"}),
        json!({"jti": "x".repeat(201)}),
    ] {
        send(&token, &world.proof(&seed, &token, "GET", path, &other)).refused("dpop_proof");
    }
    send(&token, &world.proof(&random(), &token, "GET", path, &json!({}))).refused("dpop_proof");
    send(&token, "a.b").refused("dpop_proof");
    let proof = world.proof(&seed, &token, "GET", path, &json!({}));
    let bearer = format!("Bearer {token}");
    world.send("GET", path, &[("authorization", &bearer), ("dpop", &proof)], None).refused("authorization");
    let cookie = format!("__Host-chancery={token}");
    world.send("GET", path, &[("cookie", &cookie)], None).refused("session_bound_to_key");
}

/// Bytes that are no HTTP, headers without end, and a client that never sends: none of them holds the server up.
#[test]
fn connections_that_misbehave() {
    let world = World::with(|config| config.limits.header_seconds = 1);
    let endless = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n\r\n", "a: b\r\n".repeat(20_000));
    for sent in [&b"\x16\x03\x01\x00\x00"[..], b"GET / HTTP/9.9\r\n\r\n", endless.as_bytes(), b"GET / HT"] {
        let mut stream = TcpStream::connect(world.address()).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        // The server may close before it has read everything.
        let _ = stream.write_all(sent);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(world.open("GET", "/healthz", None).good()["status"], json!("ok"));
}

#[test]
fn whoever_is_not_signed_in_may_ask_only_so_often() {
    let world = World::with(|config| config.limits.open_requests_per_minute = 4);
    let login = || world.open("POST", "/api/v1/logins", Some(&json!({"public_key": "AAAA"})));
    for _ in 0..4 {
        login().refused("member_invalid");
    }
    let answer = login();
    answer.refused("too_many_requests");
    assert_eq!(answer.status, 429);
    assert_eq!(world.open("GET", "/api/v1/server", None).status, 200);
    world.clock.advance(60);
    login().refused("member_invalid");
}

#[test]
fn a_trust_root_of_another_installation_is_not_taken() {
    let (other, ..) = World::sealed();
    let world = World::new();
    let copied = std::fs::create_dir_all(world.data().join("trust/keys"));
    copied.unwrap();
    for name in ["trust.json", "log.vkey", "policy.txt", "trusted_root.json"] {
        std::fs::copy(other.data().join("trust").join(name), world.data().join("trust").join(name)).unwrap();
    }
    for entry in std::fs::read_dir(other.data().join("trust/keys")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), world.data().join("trust/keys").join(entry.file_name())).unwrap();
    }
    assert_eq!(world.open("GET", "/api/v1/server", None).good()["sealed"], json!(false));
    world.open("GET", "/readyz", None).refused("trust_misfit");
}
