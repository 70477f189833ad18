//! One person and the others: what one may have, and that the others still have theirs.

use std::io::Write as _;

use chancery_canonical::Sha256;
use serde_json::{Value, json};

use crate::world::{Answer, Person, World, signed_request};
use crate::{Cast, cast, connect_from, eventually, head, turned_away};

fn whoami(world: &World, person: &Person) -> Answer {
    world.call(person, "GET", "/api/v1/whoami", None)
}

#[test]
fn one_person_asks_only_so_often() {
    let Cast { world, erin, olga, .. } = cast(|config| config.limits.requests_per_person_per_minute = 30);
    let good = (0..100).take_while(|_| whoami(&world, &erin).status == 200).count();
    assert_eq!(good, 30);
    let wait =
        turned_away(&whoami(&world, &erin), 429, "too_many_requests", "requests_per_person_per_minute");
    assert_eq!(whoami(&world, &olga).status, 200, "another's share");
    assert_eq!(world.open("GET", "/api/v1/server", None).status, 200);
    world.clock.advance(wait);
    assert_eq!(whoami(&world, &erin).status, 200);
}

/// Somebody who has a token and not the key uses up nothing.
#[test]
fn a_token_without_its_key_uses_up_nobodys_share() {
    let Cast { world, mut erin, .. } = cast(|config| config.limits.requests_per_person_per_minute = 30);
    world.log_in(&mut erin);
    let crate::world::Session::Token { token, .. } = &erin.session else { panic!() };
    let authorization = format!("DPoP {token}");
    for _ in 0..100 {
        let forged = world.proof(&crate::world::random(), token, "GET", "/api/v1/whoami", &json!({}));
        let headers = [("authorization", authorization.as_str()), ("dpop", forged.as_str())];
        world.send("GET", "/api/v1/whoami", &headers, None).refused("dpop_proof");
    }
    assert_eq!(whoami(&world, &erin).status, 200);
}

/// Requests whose bodies do not come: they are the person's own, and take no place of anybody else's.
#[test]
fn slow_bodies_keep_nobody_out() {
    let Cast { world, erin, olga, .. } = cast(|config| {
        config.limits.requests_at_once = 4;
        config.limits.requests_at_once_per_person = 6;
    });
    let begun = head(&world, &erin, "POST", "/api/v1/drafts");
    let mut held = Vec::new();
    // One after the other, until there are six: two that come at the same moment may find no place.
    eventually("six are known", || {
        let full = whoami(&world, &erin).status == 429;
        if !full {
            let mut stream = connect_from(&world, 2);
            let head = format!("{begun}content-type: application/json\r\ncontent-length: 100\r\n\r\n{{");
            stream.write_all(head.as_bytes()).unwrap();
            held.push(stream);
        }
        full
    });
    turned_away(&whoami(&world, &erin), 429, "too_many_at_once", "requests_at_once_per_person");
    for _ in 0..20 {
        assert_eq!(whoami(&world, &olga).status, 200, "others find a place");
    }
    drop(held);
    eventually("they are over", || whoami(&world, &erin).status == 200);
}

/// More at once than there are places: some are turned away at once, and each of the others is answered in full.
#[test]
fn a_crowd_is_turned_away_and_not_kept_waiting() {
    let Cast { world, erin, .. } = cast(|config| {
        config.limits.requests_at_once = 4;
        config.limits.requests_at_once_per_person = 960;
    });
    let draft = crate::world::ssh_draft(&erin, "staging");
    let ask = || world.call(&erin, "POST", "/api/v1/drafts", Some(&draft));
    let mut answers = Vec::new();
    for _ in 0..50 {
        answers.extend(std::thread::scope(|scope| {
            let started: Vec<_> = (0..24).map(|_| scope.spawn(ask)).collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        }));
        if answers.iter().any(|answer| answer.status == 503)
            && answers.iter().any(|answer| answer.status == 200)
        {
            break;
        }
    }
    let mut refused = 0;
    for answer in &answers {
        match answer.status {
            200 => assert!(answer.json()["document"].is_string()),
            _ => {
                turned_away(answer, 503, "busy", "requests_at_once");
                refused += 1;
            }
        }
    }
    assert!((1..answers.len()).contains(&refused), "{refused} of {}", answers.len());
    assert_eq!(ask().status, 200);
}

#[test]
fn submissions_in_an_hour() {
    let Cast { world, mut erin, mut olga, .. } =
        cast(|config| config.limits.submissions_per_person_per_hour = 2);
    for _ in 0..2 {
        let request = world.request(&mut erin, "staging");
        world.call(&erin, "POST", &format!("/api/v1/requests/{request}/cancel"), None).good();
    }
    let draft = world.draft(&erin, "staging");
    let size = world.log_size();
    let answer = world.submit(&mut erin, &draft);
    let wait = turned_away(&answer, 429, "too_many_submissions", "submissions_per_person_per_hour");
    assert_eq!(world.log_size(), size);
    let draft = world.draft(&olga, "staging");
    world.submit(&mut olga, &draft).good();
    world.clock.advance(wait);
    world.sign_in(&mut erin);
    world.request(&mut erin, "staging");
}

#[test]
fn requests_that_wait_in_all() {
    let Cast { world, mut erin, mut olga, .. } = cast(|config| config.limits.pending_requests = 2);
    let first = world.request(&mut erin, "staging");
    world.request(&mut erin, "staging");
    let draft = world.draft(&olga, "staging");
    let size = world.log_size();
    let wait = turned_away(&world.submit(&mut olga, &draft), 503, "busy", "pending_requests");
    assert_eq!(world.log_size(), size);
    world.call(&erin, "POST", &format!("/api/v1/requests/{first}/cancel"), None).good();
    world.clock.advance(wait);
    world.submit(&mut olga, &draft).good();
}

/// Submitted all at the same moment, by one person: as many wait as may, whatever the order.
#[test]
fn requests_that_one_person_lets_wait() {
    let Cast { world, mut erin, .. } = cast(|config| config.limits.pending_requests_per_person = 5);
    let bodies: Vec<Value> = (0..12)
        .map(|_| {
            let draft = world.draft(&erin, "staging");
            signed_request(&mut erin, &draft)
        })
        .collect();
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let send = |body| world.call(&erin, "POST", "/api/v1/requests", Some(body));
        let started: Vec<_> = bodies.iter().map(|body| scope.spawn(move || send(body))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let waiting = world.call(&erin, "GET", "/api/v1/requests?state=pending&role=requester", None).good();
    let waiting = waiting["items"].as_array().unwrap().len();
    assert_eq!(waiting, answers.iter().filter(|answer| answer.status == 201).count());
    assert!((1..=5).contains(&waiting), "{waiting}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused("too_many_pending");
        assert_eq!(answer.status, 429);
    }
    // One after another they fill up to exactly the limit.
    let filled = bodies.iter().filter(|_| {
        let draft = world.draft(&erin, "staging");
        world.submit(&mut erin, &draft).status == 201
    });
    assert_eq!(waiting + filled.count(), 5);
}

fn put(world: &World, person: &Person, bytes: &[u8]) -> Answer {
    let path = format!("/api/v1/artifacts/{}", Sha256::of(bytes).to_hex());
    let signed = world.credentials(&person.session, "PUT", &path);
    let mut headers = vec![("content-type", "text/plain")];
    headers.extend(signed.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    world.send("PUT", &path, &headers, Some(bytes.to_vec()))
}

#[test]
fn artifacts_of_one_person() {
    let Cast { world, mut erin, olga, .. } = cast(|config| {
        config.limits.artifacts_per_person = 3;
        config.limits.artifact_bytes = 2_000;
        config.limits.artifact_bytes_per_person = 5_000;
    });
    put(&world, &erin, &[b'l'; 2_001]).refused("body_too_large");
    put(&world, &erin, &[b'a'; 2_000]).good();
    put(&world, &erin, &[b'b'; 2_000]).good();
    turned_away(&put(&world, &erin, &[b'c'; 1_001]), 429, "too_many_artifacts", "artifact_bytes_per_person");
    put(&world, &erin, &[b'c'; 10]).good();
    let wait = turned_away(&put(&world, &erin, b"d"), 429, "too_many_artifacts", "artifacts_per_person");
    put(&world, &erin, &[b'a'; 2_000]).good();
    put(&world, &olga, b"d").good();
    world.clock.advance(wait);
    world.sign_in(&mut erin);
    put(&world, &erin, b"d").good();
}

#[test]
fn sessions_of_one_person() {
    let Cast { world, mut erin, olga, .. } = cast(|config| config.limits.sessions_per_person = 3);
    let mut sessions = vec![erin.session.clone()];
    for _ in 0..5 {
        world.clock.advance(1);
        world.sign_in(&mut erin);
        sessions.push(erin.session.clone());
    }
    let open: Vec<bool> = sessions
        .into_iter()
        .map(|session| {
            erin.session = session;
            whoami(&world, &erin).status == 200
        })
        .collect();
    assert_eq!(open, [false, false, false, true, true, true]);
    assert_eq!(whoami(&world, &olga).status, 200, "another's");
    // Signing out makes room.
    world.call(&erin, "DELETE", "/api/v1/sessions/current", None);
    world.sign_in(&mut erin);
    assert_eq!(whoami(&world, &erin).status, 200);
}

#[test]
fn passkeys_that_wait() {
    let Cast { world, erin, .. } = cast(|config| config.limits.waiting_passkeys_per_person = 2);
    let add = || {
        let options = world.call(&erin, "POST", "/api/v1/passkeys/options", Some(&json!({}))).good();
        let offered = options["public_key"].get("challenge").or(options.get("challenge")).unwrap();
        let challenge = chancery_canonical::base64::decode_url(offered.as_str().unwrap()).unwrap();
        let mut passkey = chancery_testkit::passkey::SoftPasskey::new("localhost");
        let challenge = Sha256::try_from(challenge.as_slice()).unwrap();
        let registration = passkey.register(&challenge, crate::world::ORIGIN);
        world.call(&erin, "POST", "/api/v1/passkeys", Some(&json!({"registration": registration})))
    };
    add().good();
    add().good();
    let answer = add();
    answer.refused("too_many_passkeys");
    assert_eq!(answer.status, 429);
}

/// Thousands of logins that nobody means: they stop at the address's share, and a person signs in from elsewhere.
#[test]
fn logins_that_nobody_means() {
    let Cast { world, mut erin, .. } = cast(|config| {
        config.signals.origin.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.limits.open_requests_per_minute = 50;
    });
    let body = json!({"public_key": "A".repeat(43)}).to_string().into_bytes();
    let login = |from: &str| {
        let headers = [("content-type", "application/json"), ("x-forwarded-for", from)];
        world.send("POST", "/api/v1/logins", &headers, Some(body.clone()))
    };
    let begun = (0..500).filter(|number| login(&format!("2001:db8::{number:x}")).status == 201).count();
    assert_eq!(begun, 50, "one network, however many addresses");
    turned_away(&login("2001:db8::1"), 429, "too_many_requests", "open_requests_per_minute");
    assert_eq!(login("2001:db8:1::1").status, 201);
    world.log_in(&mut erin);
    assert_eq!(whoami(&world, &erin).status, 200);
}
