//! Every way in which a request, or the session that signs it, may not be the requester's.

use chancery_canonical::{Bytes, Canonical};
use chancery_domain::document::{RequestDocument, SessionDocument};
use chancery_domain::event::Submitted;
use chancery_domain::people::Directory;
use chancery_domain::signature::RequestSignature;
use chancery_evidence::request::verify_request;
use chancery_evidence::session::verify_session;
use chancery_testkit::people::{World, possession, ssh_line};
use serde_json::json;

fn world() -> (World, Directory) {
    let mut world = World::with_two_administrators();
    world.add_member("eve", &[], &["ada", "bob"]);
    world.add_member("mallory", &[], &["ada", "bob"]);
    let directory = world.directory();
    (world, directory)
}

fn outcome(
    world: &World,
    directory: &Directory,
    submitted: &Submitted,
    document: &Canonical,
) -> &'static str {
    match verify_request(submitted, document, &world.context(directory)) {
        Ok(signed) => {
            assert_eq!((signed.canonical(), signed.submitted()), (document, submitted));
            "signed"
        }
        Err(refusal) => refusal.code(),
    }
}

/// Changes the document before it is signed.
#[test]
fn what_a_document_may_say() {
    type Change = fn(&World, &mut RequestDocument);
    let table: [(&str, Change, &str); 8] = [
        ("nothing", |_, _| {}, "signed"),
        ("no key", |_, d| d.beneficiary.public_key = None, "signed"),
        ("another log", |_, d| d.log_origin = "other.chancery.test".into(), "request_other_log"),
        ("drafted five minutes ahead", |w, d| d.created_at = w.now.plus(300), "signed"),
        ("drafted in the future", |w, d| d.created_at = w.now.plus(301), "request_draft_time"),
        (
            "drafted long ago",
            |_, d| d.created_at = "2026-11-21T23:59:59Z".parse().unwrap(),
            "request_draft_time",
        ),
        (
            "the key of somebody else",
            |w, d| {
                d.beneficiary.public_key = Some(ssh_line(&w.person("mallory").ssh_key));
            },
            "possession",
        ),
        ("no key at all", |_, d| d.beneficiary.public_key = Some("ssh-ed25519 AAAA".into()), "ssh_key"),
    ];
    for (what, change, expected) in table {
        let (mut world, directory) = world();
        let mut document = world.request_document("eve", "one");
        change(&world, &mut document);
        let (submitted, canonical) = world.sign_request("eve", &document);
        assert_eq!(outcome(&world, &directory, &submitted, &canonical), expected, "{what}");
    }
}

/// Changes the event after the document was signed.
#[test]
fn what_an_event_may_say() {
    type Change = fn(&mut World, &mut Submitted, &RequestDocument);
    let table: [(&str, Change, &str); 11] = [
        ("nothing", |_, _, _| {}, "signed"),
        ("digest", |_, s, _| s.request_sha256 = chancery_canonical::Sha256::of(b"x"), "request_digest"),
        ("revision", |_, s, _| s.revision = 2, "request_differs"),
        ("requester", |w, s, _| s.requester = w.id("mallory"), "request_differs"),
        ("beneficiary", |w, s, _| s.beneficiary = w.id("mallory"), "request_differs"),
        ("entitlement", |_, s, _| s.entitlement = "prod-root".into(), "request_differs"),
        ("no possession", |_, s, _| s.possession = None, "possession_missing"),
        (
            "possession of another request",
            |w, s, d| {
                let other = w.request_document("eve", "other");
                assert_ne!(other, *d);
                s.possession = Some(possession(&w.person("eve").ssh_key, &other));
            },
            "possession",
        ),
        (
            "possession by another key",
            |w, s, d| {
                s.possession = Some(possession(&w.person("mallory").ssh_key, d));
            },
            "possession",
        ),
        ("possession is noise", |_, s, _| s.possession = Some(Bytes::new([7; 90]).unwrap()), "possession"),
        (
            "signed by somebody else",
            |w, s, d| {
                let (other, _) = w.sign_request("mallory", d);
                s.signature = other.signature;
            },
            "passkey_not_of_person",
        ),
    ];
    for (what, change, expected) in table {
        let (mut world, directory) = world();
        let document = world.request_document("eve", "one");
        let (mut submitted, canonical) = world.sign_request("eve", &document);
        change(&mut world, &mut submitted, &document);
        assert_eq!(outcome(&world, &directory, &submitted, &canonical), expected, "{what}");
    }
}

#[test]
fn a_swapped_ssh_key_breaks_the_signature() {
    let (mut world, directory) = world();
    let document = world.request_document("eve", "one");
    let (signed, _) = world.sign_request("eve", &document);
    let mut swapped = document;
    swapped.beneficiary.public_key = Some(ssh_line(&world.person("mallory").ssh_key));
    let canonical = Canonical::of(&swapped).unwrap();
    let submitted = Submitted {
        request_sha256: canonical.digest(),
        possession: Some(possession(&world.person("mallory").ssh_key, &swapped)),
        ..signed
    };
    assert_eq!(outcome(&world, &directory, &submitted, &canonical), "wrong_challenge");
}

#[test]
fn possession_without_a_key_and_documents_that_are_none() {
    let (mut world, directory) = world();
    let mut document = world.request_document("eve", "one");
    let proof = possession(&world.person("eve").ssh_key, &document);
    document.beneficiary.public_key = None;
    let (mut submitted, canonical) = world.sign_request("eve", &document);
    submitted.possession = Some(proof);
    assert_eq!(outcome(&world, &directory, &submitted, &canonical), "possession_unexpected");

    let mut value = canonical.value();
    value["more"] = json!(1);
    let canonical = Canonical::of(&value).unwrap();
    submitted.request_sha256 = canonical.digest();
    assert_eq!(outcome(&world, &directory, &submitted, &canonical), "request_malformed");
}

#[test]
fn people_who_are_out_do_not_ask_or_receive() {
    for (who, expected) in [("eve", "beneficiary_not_active"), ("mallory", "signer_suspended")] {
        let (mut world, _) = world();
        let mut document = world.request_document("eve", "one");
        document.beneficiary.public_key = None;
        if who == "mallory" {
            document.requester = world.id("mallory");
        }
        let signer = if who == "mallory" { "mallory" } else { "eve" };
        let (submitted, canonical) = world.sign_request(signer, &document);
        let id = world.id(who);
        world.change(&id, "person.suspended", json!({ "person": id }), &["ada"]);
        let directory = world.directory();
        assert_eq!(outcome(&world, &directory, &submitted, &canonical), expected);
    }
}

#[test]
fn a_session_key_signs_for_its_person_while_it_lasts() {
    // seconds of the session, seconds until the request, whose session, whose key signs, what comes of it
    for (seconds, later, person, key, expected) in [
        (3600, 0, "eve", "eve", "signed"),
        (3600, 3599, "eve", "eve", "signed"),
        (3600, 3600, "eve", "eve", "session_expired"),
        (12 * 3600, 0, "eve", "eve", "signed"),
        (12 * 3600 + 1, 0, "eve", "eve", "session_too_long"),
        (0, 0, "eve", "eve", "session_too_long"),
        (3600, 0, "mallory", "mallory", "session_other_person"),
        (3600, 0, "eve", "mallory", "session_signature"),
    ] {
        let (mut world, directory) = world();
        let mut session = world.session(person, seconds);
        session.key = world.session(key, 60).key;
        world.now = world.now.plus(later);
        let document = world.request_document("eve", "one");
        let (submitted, canonical) = world.sign_request_in("eve", &session, &document);
        let found = outcome(&world, &directory, &submitted, &canonical);
        assert_eq!(found, expected, "{seconds} {later} {person} {key}");
    }
}

#[test]
fn what_a_session_may_say() {
    type Change = fn(&World, &mut SessionDocument);
    let table: [(&str, Change, &str); 8] = [
        ("nothing", |_, _| {}, "introduced"),
        ("no key", |_, d| d.public_key = None, "introduced"),
        ("another log", |_, d| d.log_origin = "other.chancery.test".into(), "session_other_log"),
        ("another person", |w, d| d.person = w.id("mallory"), "passkey_not_of_person"),
        ("a short nonce", |_, d| d.nonce = "AAAA".into(), "session_nonce"),
        (
            "starts later",
            |w, d| {
                (d.issued_at, d.expires_at) = (w.now.plus(1), w.now.plus(60));
            },
            "session_not_yet",
        ),
        ("a key of small order", |_, d| d.public_key = Some("A".repeat(43)), "session_key"),
        ("half a key", |_, d| d.public_key = Some("AAAA".into()), "session_key"),
    ];
    for (what, change, expected) in table {
        let (mut world, directory) = world();
        let mut document = world.session_document("eve", 600);
        change(&world, &mut document);
        let session = world.introduce("eve", &document);
        let verified = verify_session(&session.document, &session.introduction, &world.context(&directory));
        let found = verified.map_or_else(|refusal| refusal.code(), |_| "introduced");
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn a_session_of_a_browser_signs_nothing() {
    let (mut world, directory) = world();
    let mut document = world.session_document("eve", 600);
    document.public_key = None;
    let session = world.introduce("eve", &document);
    let request = world.request_document("eve", "one");
    let (submitted, canonical) = world.sign_request_in("eve", &session, &request);
    assert_eq!(outcome(&world, &directory, &submitted, &canonical), "session_signature");
}

#[test]
fn an_introduction_of_one_session_does_not_introduce_another() {
    let (mut world, directory) = world();
    let (short, long) = (world.session("eve", 60), world.session("eve", 3600));
    let document = world.request_document("eve", "one");
    let (mut submitted, canonical) = world.sign_request_in("eve", &long, &document);
    if let RequestSignature::SessionKey { introduction, .. } = &mut submitted.signature {
        *introduction = short.introduction;
    }
    assert_eq!(outcome(&world, &directory, &submitted, &canonical), "wrong_challenge");
}
