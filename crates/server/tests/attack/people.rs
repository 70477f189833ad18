//! Letting oneself in, or having more roles than were signed for.

use crate::world::{Answer, ORIGIN, Person, World};
use crate::{Cast, altered, cast, fails};
use chancery_canonical::Sha256;
use chancery_canonical::base64::{decode_url, encode_url};
use chancery_domain::document::{IdentityDocument, SessionDocument};
use chancery_testkit::passkey::SoftPasskey;
use serde_json::{Value, json};

fn register(passkey: &mut SoftPasskey, offer: &Value) -> Value {
    let challenge = decode_url(offer["public_key"]["challenge"].as_str().unwrap()).unwrap();
    json!(passkey.register(&Sha256::try_from(challenge.as_slice()).unwrap(), ORIGIN))
}

/// A link lets one person in, however many hold it at the same moment.
#[test]
fn a_link_that_several_use() {
    let Cast { world, ada, .. } = cast();
    let token = world.invite(&ada, &["security"]);
    let enrol = |name: &str| {
        let options = world.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": token})));
        if options.status != 200 {
            return options;
        }
        let registration = register(&mut SoftPasskey::new("localhost"), &options.json());
        let body = json!({"token": token, "name": name, "registration": registration});
        world.open("POST", "/api/v1/enrolments", Some(&body))
    };
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let names = ["A", "B", "C", "D", "E", "F"];
        let started: Vec<_> = names.map(|name| scope.spawn(move || enrol(name))).into_iter().collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().filter(|answer| answer.status == 201).count() <= 1);
    let waiting = world.call(&ada, "GET", "/api/v1/enrolments", None).good();
    assert!(waiting["items"].as_array().unwrap().len() <= 1, "{waiting:#}");
    if !waiting["items"].as_array().unwrap().is_empty() {
        enrol("G").refused("link_expired");
    }
}

/// A registration with another's credential id but a key of one's own: the bytes of the id are exchanged, which no
/// attestation forbids.
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

/// A credential id is somebody's, once and for all; with another key under it nobody becomes them.
#[test]
fn a_credential_id_of_somebody_else() {
    let Cast { world, mut erin, mallory, ada, .. } = cast();
    let size = world.log_size();
    let offer = world.call(&mallory, "POST", "/api/v1/passkeys/options", None).good();
    let body = json!({"registration": borrowed(&offer, &erin)});
    fails(&world, size, &world.call(&mallory, "POST", "/api/v1/passkeys", Some(&body)), "passkey_exists");
    let token = world.invite(&ada, &["engineer"]);
    let offer = world.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": token}))).good();
    let body = json!({"token": token, "name": "Eve", "registration": borrowed(&offer, &erin)});
    fails(&world, size, &world.open("POST", "/api/v1/enrolments", Some(&body)), "passkey_exists");
    world.sign_in(&mut erin);
}

/// Offers an act, and returns its document.
fn offered(world: &World, by: &Person, act: &str, body: &Value) -> String {
    let asked = json!({"act": act, "body": body});
    let offer = world.call(by, "POST", "/api/v1/identity/options", Some(&asked)).good();
    offer["document"].as_str().unwrap().to_owned()
}

fn sign(world: &World, by: &mut Person, shown: &str, sent: &str) -> Answer {
    let assertion = by.assert::<IdentityDocument>(shown);
    let body = json!({"document": sent, "assertion": assertion});
    world.call(by, "POST", "/api/v1/identity", Some(&body))
}

/// What was signed is one act on one person; it is no other act, and not the same act on somebody else.
#[test]
fn a_signature_for_another_act() {
    let Cast { world, erin, mallory, mut ada, mut ben, .. } = cast();
    let suspend = offered(&world, &ada, "person.suspended", &json!({"person": erin.id}));
    let role = |person: &Person, role: &str| json!({"person": person.id, "role": role});
    let grant = offered(&world, &ada, "role.granted", &role(&erin, "auditor"));
    let theirs = offered(&world, &ada, "role.granted", &role(&mallory, "auditor"));
    let size = world.log_size();
    for (shown, sent) in [(&suspend, &grant), (&grant, &theirs), (&grant, &suspend)] {
        fails(&world, size, &sign(&world, &mut ada, shown, sent), "wrong_challenge");
    }
    // A document of the signer's own, that the server never offered.
    let own = altered(&grant, |said| said["body"]["role"] = json!("identity_admin"));
    fails(&world, size, &sign(&world, &mut ada, &own, &own), "offer_used");
    // Nor is a signature under a sign-in one under an act.
    let assertion = ada.assert::<SessionDocument>(&grant);
    let body = json!({"document": grant, "assertion": assertion});
    fails(&world, size, &world.call(&ada, "POST", "/api/v1/identity", Some(&body)), "wrong_challenge");
    assert_eq!(sign(&world, &mut ada, &grant, &grant).good()["status"], json!("waiting"));
    assert_eq!(sign(&world, &mut ben, &grant, &grant).good()["status"], json!("recorded"));
}

/// Two administrators are two people; and a bystander's signature neither counts nor spoils theirs.
#[test]
fn one_administrator_who_signs_twice() {
    let Cast { world, mut erin, mut mallory, mut ada, mut ben, .. } = cast();
    let body = json!({"person": erin.id, "role": "security"});
    let grant = offered(&world, &ada, "role.granted", &body);
    assert_eq!(sign(&world, &mut ada, &grant, &grant).good()["status"], json!("waiting"));
    let size = world.log_size();
    fails(&world, size, &sign(&world, &mut ada, &grant, &grant), "identity_signed_twice");
    world.log_in(&mut ada);
    fails(&world, size, &sign(&world, &mut ada, &grant, &grant), "identity_signed_twice");
    for bystander in [&mut mallory, &mut erin] {
        let answer = sign(&world, bystander, &grant, &grant);
        assert_eq!(answer.status, 403, "{}", answer.code());
        fails(&world, size, &answer, &answer.code());
    }
    assert_eq!(sign(&world, &mut ben, &grant, &grant).good()["status"], json!("recorded"));
}
