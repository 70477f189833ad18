//! What clients rely on: repeats, versions, streams, clocks, headers, lists.

#![expect(clippy::unwrap_used, reason = "test code fails by panicking")]

mod world;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use chancery_canonical::Sha256;
use chancery_server::doctor::{Health, doctor_by};
use serde_json::{Value, json};
use world::{Person, World, signed_request, ssh_draft};

/// A sealed world with an engineer and a service owner.
fn staffed() -> (World, Person, Person, [Person; 2]) {
    let (world, mut ada, mut ben) = World::sealed();
    let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
    (world, erin, olga, [ada, ben])
}

#[test]
fn a_repeat_with_its_key_is_the_same_request() {
    let (world, mut erin, _olga, _) = staffed();
    let draft = world.draft(&erin, "staging");
    let body = signed_request(&mut erin, &draft);
    let key = &[("idempotency-key", "deploy-42")][..];
    let first = world.call_with(&erin, "POST", "/api/v1/requests", Some(&body), key);
    let size = world.log_size();
    let again = world.call_with(&erin, "POST", "/api/v1/requests", Some(&body), key);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.good()["id"], again.good()["id"]);
    let other = world.draft(&erin, "staging");
    let other = signed_request(&mut erin, &other);
    let answer = world.call_with(&erin, "POST", "/api/v1/requests", Some(&other), key);
    answer.refused("idempotency_key_reused");
    assert_eq!((answer.status, world.log_size()), (422, size));
    let longer = "k".repeat(201);
    let key = &[("idempotency-key", longer.as_str())][..];
    world.call_with(&erin, "POST", "/api/v1/requests", Some(&other), key).refused("member_invalid");
    // A day later the key is free again.
    world.clock.advance(24 * 3600);
    world.sign_in(&mut erin);
    let other = world.draft(&erin, "staging");
    let other = signed_request(&mut erin, &other);
    let key = &[("idempotency-key", "deploy-42")][..];
    world.call_with(&erin, "POST", "/api/v1/requests", Some(&other), key).good();
}

#[test]
fn an_edit_names_the_version_that_it_saw_and_voids_decisions() {
    let (world, mut erin, mut olga, [mut ada, mut ben]) = staffed();
    let mut sven = world.admit("Sven", &["security"], &mut ada, &mut ben);
    world.admit("Sara", &["security"], &mut ada, &mut ben);
    let request = world.request(&mut erin, "production");
    world.decide(&mut olga, &request, "approve", None).good();
    let path = format!("/api/v1/requests/{request}");
    let seen = world.call(&erin, "GET", &path, None);
    let etag = seen.header("etag").unwrap().to_owned();
    assert_eq!(etag, format!("\"{}\"", seen.json()["version"]));

    let mut draft = ssh_draft(&erin, "production");
    draft["revises"] = json!(request);
    draft["grant_seconds"] = json!(300);
    let drafted = world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).good();
    let body = signed_request(&mut erin, &drafted);
    let revisions = format!("{path}/revisions");
    let answer = world.call(&erin, "POST", &revisions, Some(&body));
    assert_eq!((answer.status, answer.code().as_str()), (428, "if_match_needed"));
    let answer = world.call_with(&erin, "POST", &revisions, Some(&body), &[("if-match", "\"1\"")]);
    assert_eq!((answer.status, answer.code().as_str()), (412, "version_changed"));
    let view = world.call_with(&erin, "POST", &revisions, Some(&body), &[("if-match", &etag)]).good();
    assert_eq!((&view["revision"], &view["state"]), (&json!(2), &json!("pending")));
    let approved =
        |view: &Value, stage: usize| view["stages"][stage]["approved_by"].as_array().unwrap().len();
    assert_eq!((approved(&view, 0), approved(&view, 1)), (0, 0), "{view:#}");
    // Olga decides anew; the decision on revision 1 counts for nothing.
    let view = world.decide(&mut sven, &request, "approve", None).good()["request"].clone();
    assert_eq!(view["state"], json!("pending"));
    world.decide(&mut olga, &request, "approve", None).good();
}

#[test]
fn one_no_is_final_and_a_yes_can_be_taken_back() {
    let (world, mut erin, mut olga, _) = staffed();
    let request = world.request(&mut erin, "staging");
    world.decide(&mut olga, &request, "withdraw", None).refused("nothing_to_withdraw");
    world.decide(&mut olga, &request, "reject", Some("use the runbook")).good();
    let view = world.view(&erin, &request);
    assert_eq!(view["state"], json!("rejected"));
    assert_eq!(view["decisions"][0]["reason"], json!("use the runbook"));
    world.decide(&mut olga, &request, "approve", None).refused("wrong_state");

    let request = world.request(&mut erin, "staging");
    world.decide(&mut olga, &request, "approve", None).good();
    // Withdrawn after it was approved and before it started: nothing starts any more.
    world.decide(&mut olga, &request, "withdraw", None).good();
    assert_eq!(world.view(&erin, &request)["state"], json!("revoked"));
    world.call(&erin, "POST", &format!("/api/v1/grants/{request}/credentials"), None).refused("wrong_state");

    let request = world.request(&mut erin, "staging");
    world.decide(&mut olga, &request, "override", None).refused("decision_not_possible");
    world.call(&olga, "POST", &format!("/api/v1/requests/{request}/cancel"), None).refused("not_yours");
    let view = world.call(&erin, "POST", &format!("/api/v1/requests/{request}/cancel"), None).good();
    assert_eq!(view["state"], json!("cancelled"));
}

#[test]
fn clocks_run_out_by_themselves() {
    let (world, mut erin, mut olga, _) = staffed();
    let waiting = world.request(&mut erin, "staging");
    let unused = world.request(&mut erin, "staging");
    let used = world.request(&mut erin, "staging");
    for request in [&unused, &used] {
        world.decide(&mut olga, request, "approve", None).good();
    }
    world.call(&erin, "POST", &format!("/api/v1/grants/{used}/credentials"), None).good();
    world.clock.advance(600);
    world.await_state(&erin, &used, "expired");
    world.call(&erin, "POST", &format!("/api/v1/grants/{used}/credentials"), None).refused("wrong_state");
    world.clock.advance(3000);
    world.await_state(&erin, &unused, "lapsed");
    world.clock.advance(7 * 3600);
    world.sign_in(&mut erin);
    assert_eq!(world.view(&erin, &waiting)["state"], json!("pending"));
    world.clock.advance(17 * 3600);
    world.sign_in(&mut erin);
    world.await_state(&erin, &waiting, "lapsed");
}

#[test]
fn what_policy_denies_is_said_with_its_reasons() {
    let (world, mut erin, _olga, _) = staffed();
    let mut asked = ssh_draft(&erin, "staging");
    asked["parameters"]["principal"] = json!("root");
    let draft = world.call(&erin, "POST", "/api/v1/drafts", Some(&asked)).good();
    assert_eq!(draft["preview"]["missing"][0]["code"], json!("ssh_admin.blocked_principal"));
    let view = world.submit(&mut erin, &draft).good();
    assert_eq!(view["state"], json!("denied"));
    assert_eq!(view["verdict"]["reasons"][0]["rule"], json!("ssh_admin.blocked_principal"));
    // Nobody who could ever sit: refused, and nothing is recorded.
    let size = world.log_size();
    let draft = world.draft(&erin, "production");
    assert_eq!(draft["preview"]["missing"][0]["code"], json!("stage_cannot_be_filled"));
    world.submit(&mut erin, &draft).refused("stage_cannot_be_filled");
    assert_eq!(world.log_size(), size);
}

#[test]
fn before_the_seal_nothing_can_be_asked() {
    let mut world = World::new();
    assert_eq!(world.open("GET", "/readyz", None).status, 503);
    let token = world.first_link.clone();
    let mut ada = world.enrol(&token, "Ada");
    world.sign_in(&mut ada);
    let me = world.call(&ada, "GET", "/api/v1/whoami", None).good();
    assert_eq!(me["roles"], json!(["identity_admin", "policy_owner"]));
    assert_eq!(me["name"], json!("Ada"));
    let draft = world.draft(&ada, "staging");
    world.submit(&mut ada, &draft).refused("not_sealed");
    let body = json!({"act": "role.granted", "body": {"person": ada.id, "role": "security"}});
    world.call(&ada, "POST", "/api/v1/identity/options", Some(&body)).refused("not_sealed");
    // One administrator is too few to be watched by.
    let options = chancery_server::SealOptions {
        allow_single: false,
        clock: Some(world.clock.clone()),
        ..Default::default()
    };
    let sealed = world.runtime.block_on(chancery_server::seal(&world.data(), options));
    assert!(matches!(sealed, Err(chancery_server::SealError::TooFewAdministrators { found: 1 })));
    let options = chancery_server::SealOptions {
        allow_single: true,
        clock: Some(world.clock.clone()),
        ..Default::default()
    };
    let sealed = world.runtime.block_on(chancery_server::seal(&world.data(), options)).unwrap();
    assert_eq!(sealed.root.document().administrators_needed, 1);
    for _ in 0..50 {
        if world.open("GET", "/readyz", None).status == 200 {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(world.open("GET", "/readyz", None).status, 200);
    // One signature is enough where there is one administrator.
    let token = world.invite(&ada, &["engineer"]);
    let erin = world.enrol(&token, "Erin");
    let waiting = world.call(&ada, "GET", "/api/v1/enrolments", None).good();
    let enrolment = waiting["items"][0]["enrolment"].clone();
    assert_eq!(waiting["items"][0]["person"], json!(erin.id));
    world.act("person.created", &json!({"enrolment": enrolment}), &mut [&mut ada]);
    world.restart();
    assert_eq!(world.open("GET", "/readyz", None).status, 200);
}

#[test]
fn a_stream_goes_on_after_the_last_event_that_was_seen() {
    let (world, mut erin, mut olga, _) = staffed();
    let request = world.request(&mut erin, "staging");
    let size = world.log_size();
    world.decide(&mut olga, &request, "approve", None).good();
    let last = (size - 1).to_string();
    let mut lines = stream(&world, &erin, Some(&last));
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let (id, event) = next(&mut lines);
        assert_eq!(event["id"], json!(id));
        assert_eq!(event["specversion"], json!("1.0"));
        assert_eq!(event["subject"], json!(format!("request/{request}")));
        seen.push(event["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["chancery.decision.recorded", "chancery.request.judged", "chancery.request.approved"]);
    // What happens later comes as it happens.
    world.call(&erin, "POST", &format!("/api/v1/requests/{request}/cancel"), None).good();
    let (_, event) = next(&mut lines);
    assert_eq!(event["type"], json!("chancery.request.cancelled"));
    world
        .call_with(&erin, "GET", "/api/v1/events", None, &[("last-event-id", "x")])
        .refused("member_invalid");
}

fn stream(world: &World, person: &Person, last: Option<&str>) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(world.address()).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut head = "GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n".to_owned();
    for (name, value) in world.credentials(&person.session, "GET", "/api/v1/events") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.extend(last.map(|last| format!("last-event-id: {last}\r\n")));
    connection.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    BufReader::new(connection)
}

/// The next event, passing over chunk sizes, headers and heartbeats.
fn next(lines: &mut BufReader<TcpStream>) -> (String, Value) {
    let mut id = String::new();
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the stream ended");
        if let Some(text) = line.strip_prefix("id: ") {
            text.trim_end().clone_into(&mut id);
        }
        if let Some(data) = line.strip_prefix("data: ") {
            return (id, serde_json::from_str(data).unwrap());
        }
    }
}

#[test]
fn artifacts_are_what_their_name_says() {
    let (world, mut erin, _, [mut ada, mut ben]) = staffed();
    let dana = world.admit("Dana", &["dba"], &mut ada, &mut ben);
    let unit = json!({"person": dana.id, "name": "business_unit", "value": "payments"});
    world.act("attribute.assigned", &unit, &mut [&mut ada, &mut ben]);
    let up = b"alter table ledger add column memo text;".to_vec();
    let down = b"alter table ledger drop column memo;".to_vec();
    let put = |bytes: &[u8], name: &str| {
        let path = format!("/api/v1/artifacts/{name}");
        let signed = world.credentials(&erin.session, "PUT", &path);
        let mut headers = vec![("content-type", "application/sql")];
        headers.extend(signed.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        world.send("PUT", &path, &headers, Some(bytes.to_vec()))
    };
    let mut listed = Vec::new();
    for (name, bytes) in [("up.sql", &up), ("down.sql", &down)] {
        let sha256 = Sha256::of(bytes).to_hex();
        assert_eq!(put(bytes, &sha256).good()["size"], json!(bytes.len()));
        listed.push(
            json!({"name": name, "media_type": "application/sql", "size": bytes.len(), "sha256": sha256}),
        );
    }
    put(&up, &Sha256::of(&down).to_hex()).refused("member_invalid");
    put(&vec![b'x'; 4 * 1024 * 1024 + 1], &Sha256::of(b"x").to_hex()).refused("body_too_large");
    let draft = json!({
        "entitlement": "db-change",
        "parameters": {"database": "ledger", "environment": "staging"},
        "artifacts": listed,
        "undo": ["down.sql"],
        "grant_seconds": 300,
    });
    let drafted = world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).good();
    let view = world.submit(&mut erin, &drafted).good();
    assert_eq!(view["state"], json!("pending"), "{view:#}");
    let path = |sha256: &str| format!("/api/v1/requests/{}/artifacts/{sha256}", view["id"].as_str().unwrap());
    let digest = Sha256::of(&up).to_hex();
    let fetched = world.call(&dana, "GET", &path(&digest), None);
    assert_eq!(fetched.bytes, up);
    assert_eq!(fetched.header("content-disposition"), Some("attachment"));
    let fay = world.admit("Fay", &["engineer"], &mut ada, &mut ben);
    world.call(&fay, "GET", &path(&digest), None).refused("not_found");
    for other in [view["request_sha256"].as_str().unwrap(), view["verdict_sha256"].as_str().unwrap(), "x"] {
        world.call(&dana, "GET", &path(other), None).refused("not_found");
    }
}

#[test]
fn an_auditor_erases_words_and_every_proof_stays() {
    let (world, mut erin, mut olga, [mut ada, mut ben]) = staffed();
    let auditor = world.admit("Udo", &["auditor"], &mut ada, &mut ben);
    let request = world.request(&mut erin, "staging");
    let path = format!("/api/v1/requests/{request}");
    let view = world.view(&erin, &request);
    let disclosed = view["disclosures"][0].as_str().unwrap();
    let digest = chancery_canonical::base64::encode_url(Sha256::of(disclosed.as_bytes()).as_bytes());
    let body = json!({"digests": [digest]});
    let redactions = format!("{path}/redactions");
    world.call(&erin, "POST", &redactions, Some(&body)).refused("forbidden");
    world.call(&auditor, "POST", &redactions, Some(&json!({"digests": []}))).refused("member_invalid");
    world.call(&auditor, "POST", &redactions, Some(&json!({"digests": ["AAAA"]}))).refused("member_invalid");
    let after = world.call(&auditor, "POST", &redactions, Some(&body)).good();
    assert_eq!(after["disclosures"], json!([]));
    world.call(&auditor, "POST", &redactions, Some(&body)).refused("member_invalid");
    let zip = world.call(&erin, "GET", &format!("{path}/evidence"), None).bytes;
    assert!(!zip.windows(disclosed.len()).any(|window| window == disclosed.as_bytes()));
    let found = world.runtime.block_on(doctor_by(&world.data(), Some(world.clock.clone())));
    let bad: Vec<_> = found.iter().filter(|one| one.health == Health::Bad).collect();
    assert!(bad.is_empty(), "{bad:?}");
    let rebuilt = world.runtime.block_on(chancery_server::doctor::rebuild(&world.data(), false)).unwrap();
    assert_eq!(rebuilt, Vec::<String>::new());
    // A decision is still possible on what stands.
    world.decide(&mut olga, &request, "reject", None).good();
}

#[test]
fn every_answer_carries_its_headers_and_the_page_its_policy() {
    let (world, erin, ..) = staffed();
    for (path, status) in [
        ("/", 200),
        ("/sign", 200),
        ("/review/01ARZ3NDEKTSV4RRFFQ69G5FAV", 200),
        ("/nothing", 404),
        ("/healthz", 200),
    ] {
        let answer = world.open("GET", path, None);
        assert_eq!(answer.status, status, "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        assert!(answer.header("permissions-policy").unwrap().contains("publickey-credentials-get=(self)"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    let page = world.open("GET", "/sign", None);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'sha256-") && policy.contains("connect-src 'self'"), "{policy}");
    assert!(String::from_utf8(page.bytes).unwrap().contains("<script>"));
    let metrics = String::from_utf8(world.open("GET", "/metrics", None).bytes).unwrap();
    assert!(metrics.contains(&format!("chancery_log_size {}\n", world.log_size())), "{metrics}");
    assert!(metrics.contains("chancery_effects_alarmed 0\n"));
    let tile = format!("/log/tile/entries/000.p/{}", world.log_size());
    assert!(world.open("GET", &tile, None).header("cache-control").unwrap().contains("immutable"));
    let list = world.call(&erin, "GET", "/api/v1/entitlements", None).good();
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
}

#[test]
fn lists_go_page_by_page_and_show_only_what_is_theirs() {
    let (world, mut erin, mut olga, [mut ada, mut ben]) = staffed();
    let mut fred = world.admit("Fred", &["engineer"], &mut ada, &mut ben);
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.request(&mut erin, "staging"));
        world.clock.advance(1);
    }
    let theirs = world.request(&mut fred, "staging");
    made.reverse();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/requests?role=requester&limit=2{cursor}");
        let page = world.call(&erin, "GET", &path, None).good();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, made);
    let ids = |person: &Person, query: &str| -> Vec<String> {
        let list = world.call(person, "GET", &format!("/api/v1/requests?{query}"), None).good();
        list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&olga, "role=approver&state=pending").len(), 6);
    assert_eq!(ids(&erin, "role=approver"), Vec::<String>::new());
    assert_eq!(ids(&fred, "role=any"), vec![theirs.clone()]);
    world.decide(&mut olga, &theirs, "approve", None).good();
    assert_eq!(ids(&olga, "role=approver&state=approved"), vec![theirs.clone()]);
    let grants = world.call(&fred, "GET", "/api/v1/grants", None).good();
    assert_eq!(grants["items"][0]["id"], json!(theirs));
    let audit = world.call(&erin, "GET", "/api/v1/audit?kind=request.submitted", None).good();
    assert_eq!(audit["items"].as_array().unwrap().len(), 5, "{audit:#}");
}

#[test]
fn whoever_is_suspended_is_out_at_once() {
    let (world, mut erin, mut olga, [mut ada, mut ben]) = staffed();
    let request = world.request(&mut erin, "staging");
    world.act("person.suspended", &json!({"person": olga.id}), &mut [&mut ada]);
    world.call(&olga, "GET", "/api/v1/whoami", None).refused("person_not_active");
    let asked = json!({"person": olga.id});
    world.open("POST", "/api/v1/sessions/options", Some(&asked)).refused("person_not_active");
    world.act("person.reinstated", &json!({"person": olga.id}), &mut [&mut ada, &mut ben]);
    world.sign_in(&mut olga);
    world.decide(&mut olga, &request, "approve", None).good();
    // A role that is taken away takes its vote along.
    let second = world.request(&mut erin, "staging");
    world.act("role.removed", &json!({"person": olga.id, "role": "service_owner"}), &mut [&mut ada]);
    world.call(&olga, "GET", &format!("/api/v1/requests/{second}"), None).refused("not_found");
    // Nobody gives a role to themself.
    let own = json!({"act": "role.granted", "body": {"person": ada.id, "role": "security"}});
    let offer = world.call(&ada, "POST", "/api/v1/identity/options", Some(&own)).good();
    let assertion =
        ada.assert::<chancery_domain::document::IdentityDocument>(offer["document"].as_str().unwrap());
    let body = json!({"document": offer["document"], "assertion": assertion});
    world.call(&ada, "POST", "/api/v1/identity", Some(&body)).refused("identity_own_role");
}
