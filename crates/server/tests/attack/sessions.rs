//! Being somebody else: tokens, proofs, cookies, addresses, sessions and logins.

use crate::world::{Person, Session, World, random, signed_request};
use crate::{Cast, altered, cast, fails};
use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_url, encode_url};
use chancery_domain::document::SessionDocument;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// A token alone is worth nothing: each request proves possession of the key that the passkey introduced.
#[test]
fn a_stolen_token_with_ones_own_key() {
    let Cast { world, mut erin, mut mallory, .. } = cast();
    world.log_in(&mut erin);
    world.log_in(&mut mallory);
    let (Session::Token { token, seed, .. }, Session::Token { seed: own, token: mine, .. }) =
        (&erin.session, &mallory.session)
    else {
        unreachable!("both have tokens")
    };
    let path = "/api/v1/whoami";
    let send = |token: &str, proof: &str| {
        let authorization = format!("DPoP {token}");
        world.send("GET", path, &[("authorization", authorization.as_str()), ("dpop", proof)], None)
    };
    send(token, &world.proof(own, token, "GET", path, &json!({}))).refused("dpop_proof");
    // Her proof, made for her token, with mine; and mine with hers.
    send(mine, &world.proof(seed, token, "GET", path, &json!({}))).refused("dpop_proof");
    send(token, &world.proof(own, mine, "GET", path, &json!({}))).refused("dpop_proof");
    // Two proofs, one of them hers: which one counts must not be a matter of luck.
    let (good, bad) = (world.proof(seed, token, "GET", path, &json!({})), "a.b.c");
    let authorization = format!("DPoP {token}");
    let both = [("authorization", authorization.as_str()), ("dpop", good.as_str()), ("dpop", bad)];
    world.send("GET", path, &both, None).refused("authorization");
}

/// A proof says method and address, so one that was overheard is good for nothing else, and not twice.
#[test]
fn a_proof_for_another_path_or_method() {
    let Cast { world, mut ada, .. } = cast();
    world.log_in(&mut ada);
    let Session::Token { token, seed, .. } = &ada.session else { unreachable!("a token") };
    let authorization = format!("DPoP {token}");
    let size = world.log_size();
    let proof = world.proof(seed, token, "GET", "/api/v1/whoami", &json!({}));
    for (method, path) in [
        ("POST", "/api/v1/invitations"),
        ("DELETE", "/api/v1/sessions/current"),
        ("GET", "/api/v1/persons"),
        ("GET", "/api/v1/whoami/"),
        ("POST", "/api/v1/whoami"),
    ] {
        let headers = [
            ("content-type", "application/json"),
            ("authorization", authorization.as_str()),
            ("dpop", proof.as_str()),
        ];
        let answer = world.send(method, path, &headers, Some(b"{}".to_vec()));
        assert!(answer.status >= 400, "{method} {path}");
        fails(&world, size, &answer, &answer.code());
    }
    // It was never used up, so the honest request still goes through, once.
    let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
    world.send("GET", "/api/v1/whoami", &headers, None).good();
    world.send("GET", "/api/v1/whoami", &headers, None).refused("dpop_proof");
}

/// The header chooses no algorithm: `none` and a shared secret are not Ed25519.
#[test]
fn a_proof_of_another_algorithm() {
    let Cast { world, mut erin, .. } = cast();
    world.log_in(&mut erin);
    let Session::Token { token, seed, .. } = &erin.session else { unreachable!("a token") };
    let proof = world.proof(seed, token, "GET", "/api/v1/whoami", &json!({}));
    let [header, claims, signature] = proof.split('.').collect::<Vec<_>>()[..] else { unreachable!() };
    let header: Value = serde_json::from_slice(&decode_url(header).unwrap()).unwrap();
    let authorization = format!("DPoP {token}");
    for (alg, typ) in [("none", "dpop+jwt"), ("HS256", "dpop+jwt"), ("EdDSA", "JWT")] {
        let mut other = header.clone();
        other["alg"] = json!(alg);
        other["typ"] = json!(typ);
        let other = encode_url(other.to_string().as_bytes());
        for signature in ["", signature] {
            let proof = format!("{other}.{claims}.{signature}");
            let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
            world.send("GET", "/api/v1/whoami", &headers, None).refused("dpop_proof");
        }
    }
}

/// A page elsewhere cannot make a browser act: the origin must be ours, and is demanded where it is absent.
#[test]
fn a_cookie_without_the_origin() {
    let Cast { world, mut erin, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let Session::Cookie(cookie) = &erin.session else { unreachable!("a cookie") };
    let cookie = format!("__Host-chancery={cookie}");
    let size = world.log_size();
    let sha256 = Sha256::of(b"x").to_hex();
    for (method, path) in [
        ("POST", format!("/api/v1/requests/{request}/cancel")),
        ("POST", format!("/api/v1/grants/{request}/end")),
        ("POST", format!("/api/v1/grants/{request}/credentials")),
        ("POST", format!("/api/v1/requests/{request}/decisions")),
        ("POST", "/api/v1/passkeys/options".to_owned()),
        ("POST", "/api/v1/drafts".to_owned()),
        ("PUT", format!("/api/v1/artifacts/{sha256}")),
        ("DELETE", "/api/v1/sessions/current".to_owned()),
    ] {
        for origin in [None, Some("null"), Some("http://localhost:8440.evil.example"), Some("")] {
            let mut headers = vec![("content-type", "text/plain"), ("cookie", cookie.as_str())];
            headers.extend(origin.map(|origin| ("origin", origin)));
            let answer = world.send(method, &path, &headers, Some(b"x".to_vec()));
            fails(&world, size, &answer, "origin");
        }
    }
    assert_eq!(world.view(&erin, &request)["state"], json!("pending"));
}

/// What a form of another site can send is no JSON: neither to act nor to sign a victim in as somebody else.
#[test]
fn a_form_of_another_site() {
    let Cast { world, mut mallory, .. } = cast();
    let offer = world.open("POST", "/api/v1/sessions/options", Some(&json!({"person": mallory.id}))).good();
    let document = offer["document"].as_str().unwrap();
    let assertion = mallory.assert::<SessionDocument>(document);
    let body = json!({"document": document, "assertion": assertion}).to_string().into_bytes();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let answer = world.send("POST", "/api/v1/sessions", &[("content-type", kind)], Some(body.clone()));
        answer.refused("media_type");
        assert_eq!(answer.header("set-cookie"), None);
        let own = world.credentials(&mallory.session, "POST", "/api/v1/drafts");
        let mut headers = vec![("content-type", kind)];
        headers.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        world.send("POST", "/api/v1/drafts", &headers, Some(b"{}".to_vec())).refused("media_type");
    }
}

/// Anybody can write `X-Forwarded-For`; only a proxy that the operator named is believed, and only its own word.
#[test]
fn a_forged_address() {
    let ask = |world: &World, forwarded: &str| {
        let body = json!({"public_key": "AAAA"}).to_string().into_bytes();
        let headers = [("content-type", "application/json"), ("x-forwarded-for", forwarded)];
        world.send("POST", "/api/v1/logins", &headers, Some(body)).code()
    };
    let plain = World::with(|config| config.limits.open_requests_per_minute = 4);
    let proxied = World::with(|config| {
        config.limits.open_requests_per_minute = 4;
        config.signals.origin.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    for attempt in 0..4 {
        assert_eq!(ask(&plain, &format!("203.0.113.{attempt}")), "member_invalid");
        assert_eq!(ask(&proxied, &format!("203.0.113.{attempt}, 198.51.100.7")), "member_invalid");
    }
    assert_eq!(ask(&plain, "203.0.113.99"), "too_many_requests");
    assert_eq!(ask(&proxied, "203.0.113.99, 198.51.100.7"), "too_many_requests");
    // Nor can it be had by being unreadable: all who are unreadable are one.
    for _ in 0..4 {
        assert_eq!(ask(&proxied, "nonsense"), "member_invalid");
    }
    assert_eq!(ask(&proxied, "other nonsense"), "too_many_requests");
}

/// A session that somebody makes up for themself: too long, for another, never offered, or with no real key.
#[test]
fn a_session_of_ones_own_making() {
    let Cast { world, erin, mut mallory, .. } = cast();
    let offer = world.open("POST", "/api/v1/sessions/options", Some(&json!({"person": mallory.id}))).good();
    let document = offer["document"].as_str().unwrap();
    let size = world.log_size();
    let now = world.clock.now();
    let send = |mallory: &mut Person, document: &str| {
        let assertion = mallory.assert::<SessionDocument>(document);
        let body = json!({"document": document, "assertion": assertion});
        world.open("POST", "/api/v1/sessions", Some(&body))
    };
    let longer = altered(document, |said| said["expires_at"] = json!(now.plus(12 * 3600 + 1)));
    fails(&world, size, &send(&mut mallory, &longer), "session_too_long");
    let hers = altered(document, |said| said["person"] = json!(erin.id));
    fails(&world, size, &send(&mut mallory, &hers), "passkey_not_of_person");
    let elsewhere = altered(document, |said| said["log_origin"] = json!("log.invalid"));
    fails(&world, size, &send(&mut mallory, &elsewhere), "session_other_log");
    // Good in itself, and signed by its owner; but the server hands out what it offered, and only that.
    let unoffered = altered(document, |said| said["expires_at"] = json!(now.plus(12 * 3600)));
    fails(&world, size, &send(&mut mallory, &unoffered), "offer_used");
    // A key for which anybody can make signatures.
    let mut neutral = [0_u8; 32];
    neutral[0] = 1;
    let weak = altered(document, |said| said["public_key"] = json!(encode_url(&neutral)));
    fails(&world, size, &send(&mut mallory, &weak), "session_key");
    // The honest one, once.
    send(&mut mallory, document).good();
    fails(&world, size, &send(&mut mallory, document), "offer_used");
}

/// Requests carry the session that signed them; it is held to its length and its person there as well.
#[test]
fn a_request_under_a_session_of_ones_own_making() {
    let Cast { world, mut erin, mut mallory, .. } = cast();
    world.log_in(&mut mallory);
    let draft = world.draft(&mallory, "staging");
    let good = signed_request(&mut mallory, &draft);
    let Session::Token { document, .. } = mallory.session.clone() else { unreachable!("a token") };
    let now = world.clock.now();
    let size = world.log_size();
    let longer = altered(&document, |said| said["expires_at"] = json!(now.plus(12 * 3600 + 1)));
    let hers = altered(&document, |said| said["person"] = json!(erin.id));
    let over = altered(&document, |said| {
        said["issued_at"] = json!("2026-11-23T10:00:00Z");
        said["expires_at"] = json!("2026-11-23T11:00:00Z");
    });
    for (session, by_erin, code) in [
        (longer, false, "session_too_long"),
        (over, false, "session_expired"),
        (hers.clone(), false, "passkey_not_of_person"),
        (hers, true, "session_other_person"),
    ] {
        let signer = if by_erin { &mut erin } else { &mut mallory };
        let introduction = signer.assert::<SessionDocument>(&session);
        let mut body = good.clone();
        body["signature"]["session"] = json!(session);
        body["signature"]["introduction"] = introduction;
        fails(&world, size, &world.call(&mallory, "POST", "/api/v1/requests", Some(&body)), code);
    }
    world.call(&mallory, "POST", "/api/v1/requests", Some(&good)).good();
}

/// Somebody sends a victim the link of their own login. What is signed is that very key and no other; the victim
/// sees its code, which the page computes from the key, and the token is worth nothing to whoever lacks the key.
#[test]
fn a_login_that_somebody_else_began() {
    let Cast { world, mut erin, .. } = cast();
    let key = Ed25519KeyPair::from_seed_unchecked(&random::<32>()).unwrap();
    let public_key = encode_url(key.public_key().as_ref());
    let begun = world.open("POST", "/api/v1/logins", Some(&json!({"public_key": public_key}))).good();
    // No other key can be slipped under the login's code.
    let other = encode_url(&random::<32>());
    let asked = json!({"person": erin.id, "login": begun["login"], "public_key": other});
    world.open("POST", "/api/v1/sessions/options", Some(&asked)).refused("member_invalid");
    let asked = json!({"person": erin.id, "login": begun["login"]});
    let offer = world.open("POST", "/api/v1/sessions/options", Some(&asked)).good();
    let document: Value = serde_json::from_str(offer["document"].as_str().unwrap()).unwrap();
    assert_eq!(document["public_key"], json!(public_key));
    let code: String = offer["code"].as_str().unwrap().split(' ').collect();
    assert!(Sha256::of(key.public_key().as_ref()).to_hex().starts_with(&code), "{code}");
    let page = String::from_utf8(world.open("GET", "/sign-in", None).bytes).unwrap();
    for said in ["If you did not just start it, close this page", "Is this the code in your terminal?"] {
        assert!(page.contains(said), "{said}");
    }
    let path = format!("/api/v1/logins/{}", begun["login"].as_str().unwrap());
    let body = json!({"document": offer["document"], "assertion": erin.assert::<SessionDocument>(offer["document"].as_str().unwrap())});
    let answer = world.open("POST", "/api/v1/sessions", Some(&body));
    assert!(answer.good().get("token").is_none());
    assert_eq!(answer.header("set-cookie"), None);
    // Whoever overhears the token has no key to it.
    let token = world.open("GET", &path, None).good()["token"].as_str().unwrap().to_owned();
    let proof = world.proof(&random(), &token, "GET", "/api/v1/whoami", &json!({}));
    let authorization = format!("DPoP {token}");
    let headers = [("authorization", authorization.as_str()), ("dpop", proof.as_str())];
    world.send("GET", "/api/v1/whoami", &headers, None).refused("dpop_proof");
}

/// A copy of a device-bound passkey does not know what the original signed meanwhile.
#[test]
fn a_copied_passkey() {
    let Cast { world, mut erin, .. } = cast();
    let copy = erin.passkey.clone();
    world.sign_in(&mut erin);
    erin.passkey = copy;
    let offer = world.open("POST", "/api/v1/sessions/options", Some(&json!({"person": erin.id}))).good();
    let document = offer["document"].as_str().unwrap().to_owned();
    let assertion = erin.assert::<SessionDocument>(&document);
    let size = world.log_size();
    let answer =
        world.open("POST", "/api/v1/sessions", Some(&json!({"document": document, "assertion": assertion})));
    fails(&world, size, &answer, "passkey_counter");
}
