//! Getting in as somebody who lost their keys, or as the last administrator.

use crate::world::{Answer, ORIGIN, Person, Session, World, random, trust};
use crate::{Cast, cast, fails};
use chancery_canonical::base64::{decode_url, encode_url};
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::document::IdentityDocument;
use chancery_domain::people::RECOVERY_SECONDS;
use chancery_evidence::recovery::recovery_challenge;
use chancery_evidence::trust::Recovery;
use chancery_evidence::verify::{Options, verify_zip};
use chancery_server::{RecoveryLinkOptions, SealOptions, recovery_link};
use chancery_testkit::passkey::SoftPasskey;
use chancery_testkit::people::{recovery_key, recovery_public_key};
use ring::signature::KeyPair as _;
use serde_json::{Value, json};

/// Begins a recovery; the token of its link.
fn begin(world: &World, by: &Person, whom: &Person) -> String {
    let answer = world.call(by, "POST", "/api/v1/recoveries", Some(&json!({"person": whom.id}))).good();
    answer["token"].as_str().unwrap().to_owned()
}

/// Makes a key with a link, and returns it with the name of the enrolment that waits.
fn make_key(world: &World, token: &str, name: &str) -> (Person, String) {
    let options = world.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": token}))).good();
    let mut passkey = SoftPasskey::new("localhost");
    let offered = decode_url(options["public_key"]["challenge"].as_str().unwrap()).unwrap();
    let registration = passkey.register(&Sha256::try_from(offered.as_slice()).unwrap(), ORIGIN);
    let body = json!({"token": token, "name": name, "registration": registration});
    let outcome = world.open("POST", "/api/v1/enrolments", Some(&body)).good();
    assert_eq!(outcome["status"], json!("waiting"), "{outcome}");
    let id = outcome["person"].as_str().unwrap().to_owned();
    let person = Person { id, name: name.to_owned(), passkey, session: Session::Nobody, ssh_seed: random() };
    (person, outcome["enrolment"].as_str().unwrap().to_owned())
}

/// A recovery that two administrators signed: the person with their new key, not signed in.
fn recovered(world: &World, whom: &Person, by: &mut Person, and: &mut Person) -> Person {
    let token = begin(world, by, whom);
    let (person, enrolment) = make_key(world, &token, &whom.name);
    assert_eq!(person.id, whom.id);
    world.act("person.recovered", &json!({"enrolment": enrolment}), &mut [by, and]);
    person
}

fn offer(world: &World, by: &Person, act: &str, body: &Value) -> Answer {
    world.call(by, "POST", "/api/v1/identity/options", Some(&json!({"act": act, "body": body})))
}

/// Offers an act and signs it with the person's key.
fn sign(world: &World, by: &mut Person, act: &str, body: &Value) -> Answer {
    let offered = offer(world, by, act, body);
    if offered.status >= 300 {
        return offered;
    }
    let document = offered.json()["document"].as_str().unwrap().to_owned();
    let assertion = by.assert::<IdentityDocument>(&document);
    let body = json!({"document": document, "assertion": assertion});
    world.call(by, "POST", "/api/v1/identity", Some(&body))
}

/// A further administrator.
fn administrator(world: &World, name: &str, ada: &mut Person, ben: &mut Person) -> Person {
    world.admit(name, &["identity_admin"], ada, ben)
}

#[test]
fn a_day_later_the_new_key_counts_and_the_evidence_says_so() {
    let Cast { world, mut erin, olga, mut ada, mut ben, .. } = cast();
    let mut olga_again = recovered(&world, &olga, &mut ada, &mut ben);
    let request = world.request(&mut erin, "staging");
    world.sign_in(&mut olga_again);
    let who = world.call(&olga_again, "GET", "/api/v1/whoami", None).good();
    assert_eq!((&who["held"], &who["recovery"]["lost"][0]["backup_eligible"]), (&json!(true), &json!(false)));
    // Everybody sees that it runs, and the sign-in of an old key above all.
    let seen = world.call(&erin, "GET", &format!("/api/v1/persons/{}", olga.id), None).good();
    assert_eq!(seen["recovery"]["counts_from"], who["recovery"]["counts_from"]);
    let mut olga = olga;
    world.sign_in(&mut olga);
    assert_eq!(world.call(&olga, "GET", "/api/v1/whoami", None).good()["held"], json!(true));
    let size = world.log_size();
    for by in [&mut olga_again, &mut olga] {
        fails(&world, size, &world.decide(by, &request, "approve", None), "session_held");
        let draft = world.call(by, "POST", "/api/v1/drafts", Some(&crate::world::ssh_draft(by, "staging")));
        fails(&world, size, &draft, "session_held");
    }
    // A command line that was signed in by the new key may not ask either, within the day.
    world.clock.advance(RECOVERY_SECONDS - 60);
    world.log_in(&mut olga_again);
    fails(&world, size, &world.decide(&mut olga_again, &request, "approve", None), "session_held");
    world.clock.advance(120);
    // The day is over for the old key as well: it neither counts nor stops anything, and its sessions ended.
    world.call(&olga, "GET", "/api/v1/whoami", None).refused("session_unknown");
    for person in [&mut erin, &mut olga_again] {
        world.sign_in(person);
    }
    let request = world.request(&mut erin, "staging");
    let view = world.decide(&mut olga_again, &request, "approve", None).good();
    assert_eq!(view["request"]["state"], json!("approved"), "{view}");
    assert_eq!(world.failed_checks(&erin, &request), Vec::<String>::new());
    let zip = world.call(&erin, "GET", &format!("/api/v1/requests/{request}/evidence"), None).bytes;
    let verification = verify_zip(&zip, &trust(&world.data().join("trust")), &Options::default());
    assert!(
        verification.not_proved.iter().any(|said| said.contains(&olga.id)),
        "{:?}",
        verification.not_proved
    );
}

/// Alone, twice, for oneself, or with somebody who administers nothing: no recovery.
#[test]
fn one_administrator_alone() {
    let Cast { world, mut erin, mut mallory, mut ada, ben, .. } = cast();
    let size = world.log_size();
    let begin_for = |by: &Person, person: &str| {
        world.call(by, "POST", "/api/v1/recoveries", Some(&json!({"person": person})))
    };
    fails(&world, size, &begin_for(&mallory, &erin.id), "forbidden");
    fails(&world, size, &begin_for(&ada, &ada.id), "forbidden");
    begin_for(&ada, "01ARZ3NDEKTSV4RRFFQ69G5FAV").refused("not_found");
    let (_, enrolment) = make_key(&world, &begin(&world, &ada, &erin), "Erin");
    let body = json!({"enrolment": enrolment});
    let offered = offer(&world, &ada, "person.recovered", &body).good();
    let document = offered["document"].as_str().unwrap().to_owned();
    let signed = |by: &mut Person| {
        let body = json!({"document": document, "assertion": by.assert::<IdentityDocument>(&document)});
        world.call(by, "POST", "/api/v1/identity", Some(&body))
    };
    assert_eq!(signed(&mut ada).good()["status"], json!("waiting"));
    fails(&world, size, &signed(&mut ada), "identity_signed_twice");
    fails(&world, size, &signed(&mut mallory), "identity_not_entitled");
    fails(&world, size, &signed(&mut erin), "identity_own_recovery");
    // The recovery of an administrator: that one is none of the two.
    let (_, enrolment) = make_key(&world, &begin(&world, &ada, &ben), "Ben");
    let body = json!({"enrolment": enrolment});
    fails(&world, size, &offer(&world, &ben, "person.recovered", &body), "forbidden");
    let outcome = sign(&world, &mut ada, "person.recovered", &body).good();
    assert_eq!((&outcome["status"], &outcome["needed"]), (&json!("waiting"), &json!(2)));
}

/// Ada and Carol recover Ben; Ben's new key would then recover Ada with Carol, the same day.
#[test]
fn a_circle_of_recoveries() {
    let Cast { world, mut ada, mut ben, .. } = cast();
    let mut carol = administrator(&world, "Carol", &mut ada, &mut ben);
    let mut ben_again = recovered(&world, &ben, &mut ada, &mut carol);
    world.sign_in(&mut ben_again);
    begin(&world, &carol, &ada);
    let size = world.log_size();
    let answer = world.call(&ben_again, "POST", "/api/v1/recoveries", Some(&json!({"person": ada.id})));
    fails(&world, size, &answer, "session_held");
    let (_, enrolment) = make_key(&world, &begin(&world, &carol, &ada), "Ada");
    let body = json!({"enrolment": enrolment});
    sign(&world, &mut carol, "person.recovered", &body).good();
    fails(&world, size, &sign(&world, &mut ben_again, "person.recovered", &body), "passkey_waits");
    // Signed within the day and handed in after it.
    let waiting = world.call(&carol, "GET", "/api/v1/identity/waiting", None).good();
    let document = waiting["items"][0]["document"].as_str().unwrap().to_owned();
    let assertion = ben_again.assert::<IdentityDocument>(&document);
    world.clock.advance(RECOVERY_SECONDS - 1);
    world.sign_in(&mut ben_again);
    let body = json!({"document": document, "assertion": assertion});
    fails(&world, size, &world.call(&ben_again, "POST", "/api/v1/identity", Some(&body)), "passkey_waits");
    world.clock.advance(1);
    fails(&world, size, &world.call(&ben_again, "POST", "/api/v1/identity", Some(&body)), "offer_used");
}

/// Mallory gets hold of the link first, and the administrators do not compare the fingerprint.
#[test]
fn a_stolen_link() {
    let Cast { world, mut erin, mut ada, mut ben, .. } = cast();
    let token = begin(&world, &ada, &erin);
    let (mut thief, enrolment) = make_key(&world, &token, "Erin");
    world.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": token}))).refused("link_expired");
    // Not a byte of power before two administrators signed.
    let asked = json!({"person": thief.id});
    let offer = world.open("POST", "/api/v1/sessions/options", Some(&asked)).good();
    let document = offer["document"].as_str().unwrap().to_owned();
    let assertion = thief.assert::<chancery_domain::document::SessionDocument>(&document);
    let body = json!({"document": document, "assertion": assertion});
    world.open("POST", "/api/v1/sessions", Some(&body)).refused("passkey_not_of_person");
    world.act("person.recovered", &json!({"enrolment": enrolment}), &mut [&mut ada, &mut ben]);
    // Erin's own key sees it at the next look, and stops it.
    let who = world.call(&erin, "GET", "/api/v1/whoami", None).good();
    let body = json!({"person": erin.id, "credential_id": who["recovery"]["credential_id"]});
    world.sign_in(&mut thief);
    let size = world.log_size();
    fails(&world, size, &sign(&world, &mut thief, "recovery.cancelled", &body), "passkey_waits");
    assert_eq!(sign(&world, &mut erin, "recovery.cancelled", &body).good()["status"], json!("recorded"));
    world.call(&thief, "GET", "/api/v1/whoami", None).refused("session_unknown");
    world.clock.advance(RECOVERY_SECONDS + 1);
    let offer = world.open("POST", "/api/v1/sessions/options", Some(&asked)).good();
    let document = offer["document"].as_str().unwrap().to_owned();
    let assertion = thief.assert::<chancery_domain::document::SessionDocument>(&document);
    let body = json!({"document": document, "assertion": assertion});
    world.open("POST", "/api/v1/sessions", Some(&body)).refused("passkey_not_of_person");
    world.sign_in(&mut erin);
    world.request(&mut erin, "staging");
}

/// A link ends by itself, and is for one person alone.
#[test]
fn an_old_link() {
    let Cast { world, erin, ada, .. } = cast();
    let token = begin(&world, &ada, &erin);
    world.clock.advance(8 * 24 * 3600);
    world.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": token}))).refused("link_expired");
}

/// A passkey that is taken away takes its sessions along.
#[test]
fn a_session_of_a_passkey_that_was_removed() {
    let Cast { world, erin, mut ada, .. } = cast();
    let id = encode_url(erin.passkey.credential_id().as_bytes());
    let body = json!({"person": erin.id, "credential_id": id});
    world.call(&erin, "GET", "/api/v1/whoami", None).good();
    sign(&world, &mut ada, "passkey.removed", &body).good();
    world.call(&erin, "GET", "/api/v1/whoami", None).refused("session_unknown");
}

// --------------------------------------------------------------------------------------------- recovery keys

/// Two administrators, and three recovery keys of which two are needed.
fn sealed_with_keys() -> (World, Person, Person) {
    let keys = ["k1", "k2", "k3"].map(recovery_public_key).to_vec();
    World::new().enrol_and_seal_with(SealOptions {
        recovery: Recovery { threshold: 2, keys },
        ..SealOptions::default()
    })
}

fn by_key(name: &str, document: &str) -> Value {
    let signed = recovery_challenge(&Canonical::parse(document.as_bytes()).unwrap());
    let key = recovery_key(name);
    json!({
        "public_key": encode_url(key.public_key().as_ref()),
        "signature": encode_url(key.sign(signed.as_bytes()).as_ref()),
    })
}

fn submit(world: &World, document: &str, names: &[&str]) -> Answer {
    let signatures: Vec<Value> = names.iter().map(|name| by_key(name, document)).collect();
    let body = json!({"document": document, "signatures": signatures});
    world.open("POST", "/api/v1/recoveries/signatures", Some(&body))
}

fn link(world: &mut World, person: Option<&Person>) -> String {
    world.stop();
    let person = person.map(|person| person.id.parse().unwrap());
    let options = RecoveryLinkOptions { person, clock: Some(world.clock.clone()) };
    let made = world.runtime.block_on(recovery_link(&world.data(), options)).unwrap();
    let text = std::fs::read_to_string(&made.file).unwrap();
    assert_eq!(text.trim(), made.url);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&made.file).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    world.start();
    made.url.split_once('#').unwrap().1.to_owned()
}

/// All administrators lost their keys; the holders of recovery keys make a new one, who counts a day later.
#[test]
fn a_lock_out_ends_with_recovery_keys_and_a_day() {
    let (mut world, ada, mut ben) = sealed_with_keys();
    let token = link(&mut world, None);
    let (mut nina, enrolment) = make_key(&world, &token, "Nina");
    let asked = json!({"enrolment": enrolment});
    let offered = world.open("POST", "/api/v1/recoveries/documents", Some(&asked)).good();
    let document = offered["document"].as_str().unwrap().to_owned();
    assert_eq!((&offered["needed"], offered["keys"].as_array().unwrap().len()), (&json!(2), 3));
    let size = world.log_size();
    fails(&world, size, &submit(&world, &document, &["k1"]), "recovery_too_few");
    fails(&world, size, &submit(&world, &document, &["k1", "k1"]), "recovery_signed_twice");
    fails(&world, size, &submit(&world, &document, &["k1", "k4"]), "recovery_unknown_key");
    let other =
        crate::altered(&document, |said| said["body"]["roles"] = json!(["identity_admin", "security"]));
    fails(&world, size, &submit(&world, &other, &["k1", "k2"]), "offer_used");
    assert_eq!(submit(&world, &document, &["k3", "k1"]).good()["status"], json!("recorded"));
    submit(&world, &document, &["k3", "k1"]).refused("offer_used");

    world.sign_in(&mut nina);
    let size = world.log_size();
    let suspend = json!({"person": ben.id});
    fails(&world, size, &sign(&world, &mut nina, "person.suspended", &suspend), "passkey_waits");
    // Ben does administer still, and could stop it.
    world.sign_in(&mut ben);
    let recovery = world.call(&nina, "GET", "/api/v1/whoami", None).good()["recovery"].clone();
    let stop = json!({"person": nina.id, "credential_id": recovery["credential_id"]});
    offer(&world, &ben, "recovery.cancelled", &stop).good();
    world.clock.advance(RECOVERY_SECONDS);
    world.sign_in(&mut nina);
    // One administrator may be left, since recovery keys can make another; none may not.
    assert_eq!(sign(&world, &mut nina, "person.suspended", &suspend).good()["status"], json!("recorded"));
    sign(&world, &mut nina, "person.suspended", &json!({"person": ada.id})).good();
    let own = json!({"person": nina.id});
    sign(&world, &mut nina, "person.suspended", &own).refused("last_administrator");
}

/// What recovery keys signed for one person is good for nobody else, and nothing else.
#[test]
fn recovery_signatures_for_somebody_else() {
    let (mut world, mut ada, mut ben) = sealed_with_keys();
    let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    let mut tokens = [Some(&ada), Some(&erin)].map(|whom| link(&mut world, whom)).into_iter();
    let mut document = |name: &str| {
        let (_, enrolment) = make_key(&world, &tokens.next().unwrap(), name);
        let asked = json!({"enrolment": enrolment});
        let offered = world.open("POST", "/api/v1/recoveries/documents", Some(&asked)).good();
        offered["document"].as_str().unwrap().to_owned()
    };
    let (for_ada, for_erin) = (document("Ada"), document("Erin"));
    let size = world.log_size();
    let signatures: Vec<Value> = ["k1", "k2"].iter().map(|name| by_key(name, &for_erin)).collect();
    let body = json!({"document": for_ada, "signatures": signatures});
    let answer = world.open("POST", "/api/v1/recoveries/signatures", Some(&body));
    fails(&world, size, &answer, "recovery_signature");
    submit(&world, &for_ada, &["k1", "k2"]).good();
    // An act that people were offered is none that recovery keys may authorise.
    world.sign_in(&mut ben);
    let grant = json!({"person": erin.id, "role": "security"});
    let offered = offer(&world, &ben, "role.granted", &grant).good();
    let grant = offered["document"].as_str().unwrap().to_owned();
    submit(&world, &grant, &["k1", "k2"]).refused("recovery_cannot");
}

/// Where none were sealed there are none, and no link is made that could lead to them.
#[test]
fn an_installation_without_recovery_keys() {
    let Cast { mut world, erin, ada, .. } = cast();
    let (_, enrolment) = make_key(&world, &begin(&world, &ada, &erin), "Erin");
    let asked = json!({"enrolment": enrolment});
    world.open("POST", "/api/v1/recoveries/documents", Some(&asked)).refused("recovery_no_keys");
    world.stop();
    let options = RecoveryLinkOptions { person: None, clock: Some(world.clock.clone()) };
    let refused = world.runtime.block_on(recovery_link(&world.data(), options)).unwrap_err();
    assert!(refused.to_string().contains("names no recovery keys"), "{refused}");
    world.start();
}
