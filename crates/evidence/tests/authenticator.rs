//! Attestation of authenticators: hardware that was sold, the standard's own vector, and every way to be wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod vectors;
mod verification;

use std::collections::BTreeSet;

use chancery_canonical::{Bytes, Sha256};
use chancery_domain::document::DecisionKind;
use chancery_domain::event::RequestEvent;
use chancery_domain::time::Timestamp;
use chancery_evidence::authenticator::{Aaguid, AttestationRoot, RootCertificate, verify_attestation};
use chancery_evidence::bundle::layout;
use chancery_evidence::registration::RegistrationResponse;
use chancery_policy::{Bundle, Engine};
use chancery_testkit::passkey::{Deviation, Maker, SoftPasskey};
use chancery_testkit::people::{RP_ID as RP_ID_OF_WORLD, World, enrolled};
use chancery_testkit::scenario::{Scenario, default_policy};
use verification::{check_fails, check_passes, examined, options, resealed};

const RP_ID: &str = "chancery.example.org";
const ORIGIN: &str = "https://chancery.example.org";

fn day(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap()
}

fn register(maker: &Maker) -> (SoftPasskey, RegistrationResponse) {
    let mut passkey = SoftPasskey::new(RP_ID);
    let deviation = Deviation { maker: Some(maker.clone()), ..Deviation::default() };
    let response = passkey.register_with(&Sha256::of(b"challenge"), ORIGIN, &deviation);
    (passkey, response)
}

/// What comes of a registration under the honest maker's root.
#[track_caller]
fn check(what: &str, maker: &Maker, expected: &str) {
    let (_, response) = register(maker);
    let outcome = verify_attestation(&response, &[Maker::new().root()], day("2026-11-22"));
    assert_eq!(outcome.err().map_or("attested", |refusal| refusal.code()), expected, "{what}");
}

macro_rules! certificate {
    ($name:literal) => {
        Maker::with_certificate(include_bytes!(concat!(
            "../../testkit/fixtures/authenticator/",
            $name,
            ".der"
        )))
    };
}

#[test]
fn an_honest_maker_is_believed() {
    let (passkey, response) = register(&Maker::new());
    let roots = [Maker::new().root()];
    let attested = verify_attestation(&response, &roots, day("2026-11-22")).unwrap();
    assert_eq!(attested.aaguid().to_string(), "00112233-4455-6677-8899-aabbccddeeff");
    assert!(attested.is(&enrolled(&passkey)));
    assert!(!attested.is(&enrolled(&SoftPasskey::new(RP_ID))), "another passkey");
    let synced = chancery_domain::event::Passkey { backup_eligible: true, ..enrolled(&passkey) };
    assert!(!attested.is(&synced));
}

#[test]
fn others_are_not() {
    let honest = Maker::new();
    check("honest", &honest, "attested");
    check("a certificate for all models", &certificate!("without-model"), "attested");
    check("nobody speaks", &Maker { certificates: Vec::new(), ..honest.clone() }, "attestation_no_maker");
    check(
        "a signature over something else",
        &Maker { lies: true, ..honest.clone() },
        "attestation_signature",
    );
    check("another algorithm", &Maker { algorithm: -257, ..honest.clone() }, "attestation_signature");
    check("an unknown algorithm", &Maker { algorithm: -65535, ..honest.clone() }, "attestation_algorithm");
    check("no certificate", &Maker::with_certificate(b"\x30\x00"), "attestation_certificate");
    check("a certificate for another model", &certificate!("other-model"), "attestation_other_model");
    check("a critical extension", &certificate!("critical-model"), "attestation_certificate");
    check("an authority", &certificate!("authority"), "attestation_untrusted");
    check("another unit", &certificate!("other-unit"), "attestation_certificate");
    check("no country", &certificate!("without-country"), "attestation_certificate");
    check("expired", &certificate!("expired"), "attestation_untrusted");
    check("a certificate for web servers", &certificate!("for-servers"), "attestation_untrusted");
    let other_model = Maker { aaguid: [7; 16], ..certificate!("without-model") };
    check("a model that is not listed", &other_model, "attestation_model_not_listed");
    let twice =
        Maker { certificates: [honest.certificates.clone(), vec![vec![0; 40]; 4]].concat(), ..honest };
    check("too many certificates", &twice, "attestation_statement_malformed");

    let mut passkey = SoftPasskey::new(RP_ID);
    let unattested = passkey.register(&Sha256::of(b"challenge"), ORIGIN);
    let outcome = verify_attestation(&unattested, &[Maker::new().root()], day("2026-11-22"));
    assert_eq!(outcome.unwrap_err().code(), "attestation_no_maker");
}

#[test]
fn a_root_speaks_for_its_own_models_only() {
    let (_, response) = register(&Maker::new());
    let honest = Maker::new().root();
    let other_list = AttestationRoot { aaguids: [Aaguid::new([7; 16])].into(), ..honest.clone() };
    let pem = include_str!("../../testkit/fixtures/authenticator/other-root.pem");
    let namesake = AttestationRoot { certificate: RootCertificate::from_pem(pem).unwrap(), ..honest.clone() };
    for (roots, expected) in [
        (vec![], "attestation_model_not_listed"),
        (vec![other_list.clone()], "attestation_model_not_listed"),
        // A root of the same name and another key that claims the model.
        (vec![namesake.clone()], "attestation_untrusted"),
        (vec![namesake, other_list, honest], "attested"),
    ] {
        let outcome = verify_attestation(&response, &roots, day("2026-11-22"));
        assert_eq!(outcome.err().map_or("attested", |refusal| refusal.code()), expected);
    }
}

#[test]
fn every_bit_of_the_statement_counts() {
    let (passkey, response) = register(&Maker::new());
    let roots = [Maker::new().root()];
    let bytes = response.attestation_object.as_bytes();
    for place in 0..bytes.len() {
        for mask in [0x01, 0x80] {
            let mut flipped = bytes.to_vec();
            if let Some(byte) = flipped.get_mut(place) {
                *byte ^= mask;
            }
            let changed =
                RegistrationResponse { attestation_object: Bytes::new(flipped).unwrap(), ..response.clone() };
            let believed = verify_attestation(&changed, &roots, day("2026-11-22"))
                .is_ok_and(|attested| attested.is(&enrolled(&passkey)));
            assert!(!believed, "byte {place} of {} with {mask:#x}", bytes.len());
        }
    }
}

// ------------------------------------------------------------------------------- what nobody here made

#[test]
fn a_security_key_that_was_sold() {
    let response = vectors::yubikey_5_nano();
    let root = RootCertificate::from_pem(vectors::YUBICO_ROOT).unwrap();
    let model: Aaguid = "cb69481e-8ff7-4039-93ec-0a2729a154a8".parse().unwrap();
    let root = AttestationRoot { certificate: root, aaguids: BTreeSet::from([model]) };
    let attested = verify_attestation(&response, std::slice::from_ref(&root), day("2026-11-22")).unwrap();
    assert_eq!(attested.aaguid(), model);
    // Its certificate ends in September 2050, and began in August 2014.
    for date in ["2050-09-05", "2014-07-31"] {
        let outcome = verify_attestation(&response, std::slice::from_ref(&root), day(date));
        assert_eq!(outcome.unwrap_err().code(), "attestation_untrusted", "{date}");
    }
}

#[test]
fn the_standards_own_vector() {
    // Its root is not printed with the vector, so what is tested is all before the root: format, signature, model.
    let response = vectors::packed_es256();
    let model: Aaguid = "876ca4f5-2071-c3e9-b255-09ef2cdf7ed6".parse().unwrap();
    let outcome = verify_attestation(&response, &[], day("2026-11-22")).unwrap_err();
    assert!(outcome.to_string().contains(&model.to_string()), "{outcome}");
    assert_eq!(outcome.code(), "attestation_model_not_listed");
}

// ------------------------------------------------------------------------------------------ in evidence

/// The default policy, with hardware demanded of whoever approves.
fn hardware_policy() -> Engine {
    let mut files = default_policy().bundle().files().clone();
    let rule = "package chancery\n\nobligation contains \"hardware_passkey\" if true\n";
    files.insert("chancery/rules/hardware.rego".to_owned(), rule.into());
    Engine::prepare(Bundle::from_files(files).unwrap()).unwrap()
}

fn hardware(maker: &Maker) -> Scenario {
    let mut world = World::new();
    world.maker = Some(maker.clone());
    let mut scenario = Scenario::in_world(world, hardware_policy());
    scenario.trust_document.attestation_roots = vec![Maker::new().root()];
    scenario.submit();
    scenario.approve("owen");
    scenario.approve("sam");
    scenario
}

#[test]
fn approvals_by_hardware_verify() {
    check_passes(&hardware(&Maker::new()));
}

#[test]
fn approvals_by_anything_else_do_not() {
    // The server wrote into the log that a maker was believed who is none of yours.
    for maker in [
        Maker { lies: true, ..Maker::new() },
        Maker { certificates: Vec::new(), ..Maker::new() },
        certificate!("expired"),
        certificate!("other-model"),
    ] {
        check_fails(&hardware(&maker), &["passkey-attestation"]);
    }
    let mut scenario = hardware(&Maker::new());
    scenario.trust_document.attestation_roots = Vec::new();
    check_fails(&scenario, &["passkey-attestation"]);
}

#[test]
fn a_server_cannot_seat_somebody_without_hardware() {
    // Sam has a key of a believed maker and one that nobody speaks for; the second signs, and the log says that it
    // was good enough.
    let mut world = World::new();
    world.maker = Some(Maker::new());
    let mut scenario = Scenario::in_world(world, hardware_policy());
    let (sam, unattested) = (scenario.world.id("sam"), SoftPasskey::new(RP_ID_OF_WORLD));
    let body = serde_json::json!({ "person": sam, "passkey": enrolled(&unattested) });
    scenario.world.change(&sam, "passkey.enrolled", body, &["sam"]);
    scenario.sync_people();
    scenario.submit();
    scenario.approve("owen");
    let attested = std::mem::replace(&mut scenario.world.person_mut("sam").passkey, unattested);
    let refused = scenario.decide("sam", DecisionKind::Approve).unwrap_err();
    assert_eq!(refused.code(), "hardware_passkey_needed");
    let document = scenario.offer("sam", DecisionKind::Approve);
    let recorded = scenario.world.sign_decision("sam", &document);
    scenario.record(RequestEvent::DecisionRecorded(recorded));
    scenario.world.person_mut("sam").passkey = attested;
    verification::approve_anyway(&mut scenario, &[("service_owner", "owen"), ("security", "sam")]);
    check_fails(&scenario, &["quorum"]);
}

#[test]
fn registrations_are_exactly_those_that_the_log_names() {
    let scenario = hardware(&Maker::new());
    let whole = scenario.bundle();
    let paths: Vec<String> =
        whole.keys().filter(|path| path.starts_with(layout::REGISTRATION_PREFIX)).cloned().collect();
    assert_eq!(paths.len(), 6, "{paths:?}");
    let [first, second] = [&paths[0], &paths[1]];
    let mut cases = Vec::new();
    let mut files = whole.clone();
    files.remove(first);
    cases.push(("one missing", files));
    let mut files = whole.clone();
    files.insert(first.clone(), whole[second].clone());
    cases.push(("two of them swapped", files));
    let mut files = whole.clone();
    files.insert(format!("{}spare.json", layout::REGISTRATION_PREFIX), whole[second].clone());
    cases.push(("one more", files));
    for (what, files) in cases {
        let verification = examined(&resealed(files), &scenario.trust(), &options());
        assert_eq!(verification.failed(), ["passkey-attestation"], "{what}: {}", verification.to_text());
    }
}
