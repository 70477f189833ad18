//! Nobody decides on what they asked for or what is for them: on every path the same reason, and it is logged.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]

mod world;

use chancery_canonical::base64::decode_url;
use chancery_canonical::{Canonical, Sha256};
use chancery_testkit::passkey::SoftPasskey;
use serde_json::{Value, json};
use world::{ORIGIN, Person, World, random, signed_decision, signed_request, ssh_draft};

/// Refused when it is offered and when it is sent all the same; logged once.
#[track_caller]
fn check(world: &World, person: &mut Person, request: &str, honest: &Value) {
    let before = world.log_size();
    world.decide(person, request, "approve", None).refused("self_approval");
    // A document as the server would have offered it to somebody else, with their own name and key in it.
    let mut document: Value = serde_json::from_str(honest["document"].as_str().unwrap()).unwrap();
    document["approver"] = json!(person.id);
    document["credential_id_sha256"] = json!(Sha256::of(person.passkey.credential_id().as_bytes()));
    document["nonce"] = json!(chancery_canonical::base64::encode_url(&random::<32>()));
    let forged = json!({"document": Canonical::of(&document).unwrap()});
    let signed = signed_decision(person, &forged);
    let path = format!("/api/v1/requests/{request}/decisions");
    for _ in 0..2 {
        let answer = world.call(person, "POST", &path, Some(&signed));
        answer.refused("self_approval");
        assert_eq!(answer.status, 403);
    }
    let view = world.view(person, request);
    assert_eq!(view["state"], json!("pending"));
    assert_eq!(view["actions"]["approve"]["code"], json!("self_approval"));
    let refused = |entry: &&Value| {
        entry["kind"] == json!("decision.refused") && entry["person"]["person"] == json!(person.id)
    };
    assert_eq!(view["timeline"].as_array().unwrap().iter().filter(refused).count(), 1, "{view:#}");
    assert!(world.log_size() <= before + 1);
}

#[test]
fn no_path_leads_to_ones_own_approval() {
    let (world, mut ada, mut ben) = World::sealed();
    // Everybody here could approve what others ask for.
    let roles = &["engineer", "service_owner", "security"];
    let mut erin = world.admit("Erin", roles, &mut ada, &mut ben);
    let mut bea = world.admit("Bea", roles, &mut ada, &mut ben);
    let mut olga = world.admit("Olga", roles, &mut ada, &mut ben);
    let role = |person: &Person, role: &str| json!({"person": person.id, "role": role});
    world.act("role.granted", &role(&erin, "identity_admin"), &mut [&mut ada, &mut ben]);

    let mut draft = ssh_draft(&bea, "staging");
    draft["beneficiary"] = json!(bea.id);
    let drafted = world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).good();
    // The beneficiary holds the key that the request names.
    std::mem::swap(&mut erin.ssh_seed, &mut bea.ssh_seed);
    let body = signed_request(&mut erin, &drafted);
    std::mem::swap(&mut erin.ssh_seed, &mut bea.ssh_seed);
    let request =
        world.call(&erin, "POST", "/api/v1/requests", Some(&body)).good()["id"].as_str().unwrap().to_owned();
    let asked = world.approval(&request);
    let options = format!("/api/v1/requests/{request}/decisions/options");
    let honest = world.call(&olga, "POST", &options, Some(&asked)).good();

    check(&world, &mut erin, &request, &honest);
    world.log_in(&mut erin);
    check(&world, &mut erin, &request, &honest);
    check(&world, &mut bea, &request, &honest);

    // A second key of the requester's is the requester.
    let mut second = SoftPasskey::new("localhost");
    let offer = world.call(&erin, "POST", "/api/v1/passkeys/options", None).good();
    let challenge = decode_url(offer["public_key"]["challenge"].as_str().unwrap()).unwrap();
    let registration = second.register(&Sha256::try_from(challenge.as_slice()).unwrap(), ORIGIN);
    let body = json!({"registration": registration});
    let waiting = world.call(&erin, "POST", "/api/v1/passkeys", Some(&body)).good();
    assert_eq!(waiting["status"], json!("waiting"));
    world.act("passkey.enrolled", &json!({"enrolment": waiting["enrolment"]}), &mut [&mut erin]);
    std::mem::swap(&mut erin.passkey, &mut second);
    world.sign_in(&mut erin);
    check(&world, &mut erin, &request, &honest);

    // Somebody else may.
    assert_eq!(
        world.decide(&mut olga, &request, "approve", None).good()["request"]["state"],
        json!("approved")
    );
}
