//! Entitlements that only hardware may approve: whose maker is believed, by the server and by a stranger.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod world;

use chancery_server::Config;
use chancery_testkit::passkey::Maker;
use serde_json::{Value, json};
use world::{Person, World, signed_decision};

const ROOT: &str = include_str!("../../testkit/fixtures/authenticator/root.pem");
const MODEL: &str = "00112233-4455-6677-8899-aabbccddeeff";

/// An installation whose configuration believes one maker, with two administrators, not sealed.
fn with_a_believed_maker() -> World {
    let mut world = World::new();
    let file = world.data().join("chancery.toml");
    std::fs::write(world.data().join("maker.pem"), ROOT).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let root = format!("attestation_roots = [{{ certificate = \"maker.pem\", aaguids = [\"{MODEL}\"] }}]");
    assert!(text.contains("attestation_roots = []"), "{text}");
    std::fs::write(&file, text.replace("attestation_roots = []", &root)).unwrap();
    world.restart();
    world
}

fn sealed(mut world: World) -> (World, Person, Person) {
    let token = world.first_link.clone();
    let mut ada = world.enrol(&token, "Ada");
    world.sign_in(&mut ada);
    let token = world.invite(&ada, &[]);
    let mut ben = world.enrol(&token, "Ben");
    world.sign_in(&mut ben);
    world.seal();
    (world, ada, ben)
}

/// Asks for a role.
fn ask(world: &World, person: &mut Person) -> world::Answer {
    let draft = json!({
        "entitlement": "role-grant", "parameters": {"role": "auditor"},
        "justification": "the audit of the quarter", "ticket": "OPS-7", "grant_seconds": 600,
    });
    let draft = world.call(person, "POST", "/api/v1/drafts", Some(&draft)).good();
    world.submit(person, &draft)
}

fn attested(world: &World, person: &Person) -> Value {
    let view = world.call(person, "GET", &format!("/api/v1/persons/{}", person.id), None).good();
    view["passkeys"][0]["attested"].clone()
}

#[test]
fn only_hardware_approves_and_a_stranger_can_tell() {
    let mut world = with_a_believed_maker();
    // Enrolled before the seal and after it, by an authenticator whose maker speaks for it.
    world.maker = Some(Maker::new());
    let (mut world, mut ada, mut ben) = sealed(world);
    let mut sue = world.admit("Sue", &["security"], &mut ada, &mut ben);
    world.maker = None;
    let mut tom = world.admit("Tom", &["security"], &mut ada, &mut ben);
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    for (person, expected) in [(&ada, true), (&sue, true), (&tom, false), (&erin, false)] {
        assert_eq!(attested(&world, person), json!(expected), "{}", person.name);
    }

    let view = ask(&world, &mut erin).good();
    let id = view["id"].as_str().unwrap().to_owned();
    world.decide(&mut tom, &id, "approve", None).refused("hardware_passkey_needed");
    let view = world.view(&erin, &id);
    let eligible = view["stages"][0]["eligible"].as_array().unwrap().len();
    assert_eq!(eligible, 1, "only Sue can: {view}");
    world.decide(&mut sue, &id, "approve", None).good();
    assert_eq!(world.view(&erin, &id)["state"], json!("approved"));
    assert_eq!(world.failed_checks(&erin, &id), Vec::<String>::new());

    // What no issuer can make is said before anything starts.
    let size = world.log_size();
    world.call(&erin, "POST", &format!("/api/v1/grants/{id}/credentials"), None).refused("no_issuer");
    assert_eq!((world.log_size(), &world.view(&erin, &id)["state"]), (size, &json!("approved")));

    let zip = world.call(&erin, "GET", &format!("/api/v1/requests/{id}/evidence"), None).bytes;
    let names = String::from_utf8_lossy(&zip).matches("registrations/").count();
    assert!(names >= 2, "the registrations are in the evidence");
}

#[test]
fn a_request_that_nobody_could_approve_is_refused_at_once() {
    let (world, mut ada, mut ben) = World::sealed();
    world.admit("Sue", &["security"], &mut ada, &mut ben);
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    ask(&world, &mut erin).refused("stage_cannot_be_filled");
}

#[test]
fn a_swapped_key_of_ones_own_does_not_help() {
    let mut world = with_a_believed_maker();
    world.maker = Some(Maker::new());
    let (mut world, mut ada, mut ben) = sealed(world);
    let mut sue = world.admit("Sue", &["security"], &mut ada, &mut ben);
    let mut erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
    world.maker = None;
    let id = ask(&world, &mut erin).good()["id"].as_str().unwrap().to_owned();
    // An approval that was offered for the hardware key, signed by another one.
    let path = format!("/api/v1/requests/{id}/decisions");
    let offer = world.call(&sue, "POST", &format!("{path}/options"), Some(&world.approval(&id))).good();
    sue.passkey = chancery_testkit::passkey::SoftPasskey::new("localhost");
    let body = signed_decision(&mut sue, &offer);
    let answer = world.call(&sue, "POST", &path, Some(&body));
    assert!(answer.status >= 400 && world.view(&erin, &id)["state"] == json!("pending"), "{}", answer.code());
}

#[test]
fn registrations_that_lie_are_refused_and_others_are_only_not_hardware() {
    let world = with_a_believed_maker();
    for (maker, expected) in [
        (Maker { lies: true, ..Maker::new() }, Err("attestation_signature")),
        (certificate("other-model"), Err("attestation_other_model")),
        (Maker { certificates: Vec::new(), ..Maker::new() }, Ok(())),
        (certificate("expired"), Ok(())),
        (Maker { aaguid: [7; 16], ..certificate("without-model") }, Ok(())),
    ] {
        let mut passkey = chancery_testkit::passkey::SoftPasskey::new("localhost");
        let asked = json!({"token": world.first_link});
        let options = world.open("POST", "/api/v1/enrolments/options", Some(&asked)).good();
        assert_eq!(options["public_key"]["attestation"], json!("direct"));
        let offered = options["public_key"]["challenge"].as_str().unwrap();
        let offered = chancery_canonical::base64::decode_url(offered).unwrap();
        let challenge = chancery_canonical::Sha256::try_from(offered.as_slice()).unwrap();
        let deviation = chancery_testkit::passkey::Deviation { maker: Some(maker), ..Default::default() };
        let registration = passkey.register_with(&challenge, world::ORIGIN, &deviation);
        let body = json!({"token": world.first_link, "name": "Ada", "registration": registration});
        let answer = world.open("POST", "/api/v1/enrolments", Some(&body));
        match expected {
            Err(code) => answer.refused(code),
            Ok(()) => {
                answer.good();
                return;
            }
        }
    }
}

fn certificate(name: &str) -> Maker {
    let path = format!("{}/../testkit/fixtures/authenticator/{name}.der", env!("CARGO_MANIFEST_DIR"));
    Maker::with_certificate(&std::fs::read(path).unwrap())
}

#[test]
fn a_configuration_that_believes_nobody_real_is_refused() {
    let world = World::new();
    let file = world.data().join("chancery.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(world.data().join("maker.pem"), "no certificate").unwrap();
    for (roots, said) in [
        (r#"[{ certificate = "maker.pem", aaguids = [] }]"#, "not an X.509 certificate"),
        (r#"[{ certificate = "nowhere.pem", aaguids = [] }]"#, "nowhere.pem"),
        (r#"[{ certificate = "maker.pem", aaguids = ["x"] }]"#, "UUID"),
    ] {
        let text = text.replace("attestation_roots = []", &format!("attestation_roots = {roots}"));
        std::fs::write(&file, text).unwrap();
        let error = Config::read_from(&world.data()).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
