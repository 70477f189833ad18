//! What stood open once: each was an attack that went through.

use crate::world::{ORIGIN, Person, World, ssh_draft};
use crate::{Cast, cast, fails};
use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_url, encode_url};
use chancery_testkit::passkey::SoftPasskey;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Before the seal too: an event that nobody would admit must not get into the log, from which it never goes again.
#[test]
fn a_borrowed_credential_id_is_refused_before_the_seal_and_the_server_starts_again() {
    let mut world = World::new();
    let token = world.first_link.clone();
    let mut ada = world.enrol(&token, "Ada");
    world.sign_in(&mut ada);
    let token = world.invite(&ada, &[]);
    let size = world.log_size();
    let offer = world.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": token}))).good();
    let body = json!({"token": token, "name": "Eve", "registration": borrowed(&offer, &ada)});
    fails(&world, size, &world.open("POST", "/api/v1/enrolments", Some(&body)), "passkey_exists");
    world.restart();
    world.sign_in(&mut ada);
}

/// The log is public, and with it the digests of request, verdict and policy input. They are names of documents
/// that only those may read who may see the request.
#[test]
fn documents_are_not_read_by_their_public_digests() {
    let Cast { world, mut erin, mallory, .. } = cast();
    let request = world.request(&mut erin, "staging");
    let tile = world.open("GET", &format!("/log/tile/entries/000.p/{}", world.log_size()), None).bytes;
    let text = String::from_utf8_lossy(&tile).into_owned();
    let mut found = 0;
    for name in ["request_sha256", "verdict_sha256", "input_sha256"] {
        for (at, _) in text.match_indices(&format!("\"{name}\":\"")) {
            let sha256 = text.get(at + name.len() + 4..).and_then(|rest| rest.get(..64)).unwrap();
            found += 1;
            for path in [
                format!("/api/v1/requests/{request}/artifacts/{sha256}"),
                format!("/api/v1/artifacts/{sha256}"),
            ] {
                let answer = world.call(&mallory, "GET", &path, None);
                assert!([404, 405].contains(&answer.status), "{name}, {path}: {}", answer.status);
            }
            // Nor by naming it as a file of one's own request.
            let listed = json!({"name": "x", "media_type": "application/json", "size": 1, "sha256": sha256});
            let mut draft = ssh_draft(&erin, "staging");
            draft["artifacts"] = json!([listed]);
            let answer = world.call(&mallory, "POST", "/api/v1/drafts", Some(&draft));
            answer.refused("member_invalid");
            let text = String::from_utf8_lossy(&answer.bytes).into_owned();
            assert!(text.contains("put it first"), "{text}");
        }
    }
    assert!(found >= 3);
}

/// Whoever signed out, or was signed out, hears nothing more.
#[test]
fn a_stream_ends_with_its_session() {
    let Cast { world, mut erin, .. } = cast();
    let connection = follow(&world, &erin, "0");
    connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut first = [0; 512];
    assert!((&connection).read(&mut first).unwrap() > 0);
    world.call(&erin, "DELETE", "/api/v1/sessions/current", None);
    world.sign_in(&mut erin);
    let request = world.request(&mut erin, "staging");
    let mut rest = Vec::new();
    let _ = (&connection).read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains(&request), "the stream goes on without a session");
}

/// Whoever put some bytes first says nothing about what they are in another's request.
#[test]
fn a_first_upload_does_not_fix_the_media_type_for_others() {
    let Cast { world, erin, mallory, .. } = cast();
    let bytes = b"drop table ledger;";
    let sha256 = Sha256::of(bytes).to_hex();
    let path = format!("/api/v1/artifacts/{sha256}");
    let put = |person: &Person, media_type: &str| {
        let own = world.credentials(&person.session, "PUT", &path);
        let mut headers = vec![("content-type", media_type)];
        headers.extend(own.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        world.send("PUT", &path, &headers, Some(bytes.to_vec())).good();
    };
    put(&mallory, "image/png");
    let mut draft = ssh_draft(&erin, "staging");
    draft["artifacts"] =
        json!([{"name": "x", "media_type": "application/sql", "size": bytes.len(), "sha256": sha256}]);
    world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).refused("member_invalid");
    put(&erin, "application/sql");
    world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).good();
}

fn register(passkey: &mut SoftPasskey, offer: &Value) -> Value {
    let challenge = decode_url(offer["public_key"]["challenge"].as_str().unwrap()).unwrap();
    json!(passkey.register(&Sha256::try_from(challenge.as_slice()).unwrap(), ORIGIN))
}

fn borrowed(offer: &Value, victim: &Person) -> Value {
    let mut own = SoftPasskey::new("localhost");
    let mut registration = register(&mut own, offer);
    let mut object = decode_url(registration["attestation_object"].as_str().unwrap()).unwrap();
    let (mine, theirs) = (own.credential_id().as_bytes(), victim.passkey.credential_id().as_bytes());
    assert_eq!(mine.len(), theirs.len());
    let at = object.windows(mine.len()).position(|window| window == mine).unwrap();
    object[at..at + mine.len()].copy_from_slice(theirs);
    registration["attestation_object"] = json!(encode_url(&object));
    registration
}

fn follow(world: &World, person: &Person, last: &str) -> TcpStream {
    let mut connection = TcpStream::connect(world.address()).unwrap();
    let mut head = "GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n".to_owned();
    for (name, value) in world.credentials(&person.session, "GET", "/api/v1/events") {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    connection.write_all(format!("{head}last-event-id: {last}\r\n\r\n").as_bytes()).unwrap();
    connection
}
