//! A sealed server with people who are signed in, for programs that only speak HTTP (`tests/interop/api`). Prints one
//! line of JSON: where it listens, each person's cookie, ids that exist, and bodies that are good. Ends with its input.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a program for tests may stop at the first error"
)]

#[path = "../../tests/world/mod.rs"]
mod world;

use std::io::{Read as _, Write as _};

use chancery_canonical::Sha256;
use chancery_domain::document::SessionDocument;
use chancery_server::{Clock, Config};
use serde_json::{Value, json};
use world::{ORIGIN, Person, Session, World, signed_request, ssh_draft};

fn main() {
    let world = World::by_clock(Clock::system().unwrap(), loosen);
    let (mut world, mut ada, mut ben) = world.enrol_and_seal();
    let mut admit = |name: &str, role: &str| {
        let mut person = world.admit(name, &[role], &mut ada, &mut ben);
        world.sign_in(&mut person);
        person
    };
    let (mut erin, mut olga) = (admit("Erin", "engineer"), admit("Olga", "service_owner"));
    let (mut sven, mut sara) = (admit("Sven", "security"), admit("Sara", "security"));
    let (iris, leaver) = (admit("Iris", "auditor"), admit("Lea", "engineer"));
    let pending = world.request(&mut erin, "production");
    let granted = world.request(&mut erin, "staging");
    // How many it takes depends on the hour.
    for approver in [&mut olga, &mut sven, &mut sara] {
        world.decide(approver, &granted, "approve", None);
    }
    let artifact = b"select 1;\n";
    let sha256 = Sha256::of(artifact).to_hex();
    let mut headers = world.credentials(&erin.session, "PUT", "/");
    headers.push(("content-type".to_owned(), "application/sql".to_owned()));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    world.send("PUT", &format!("/api/v1/artifacts/{sha256}"), &headers, Some(artifact.to_vec())).good();
    let token = world.invite(&ada, &["engineer"]);
    let said = json!({
        "base": format!("http://{}", world.address()),
        "origin": ORIGIN,
        "cookies": cookies(&[&ada, &ben, &erin, &olga, &sven, &iris]),
        "leaver": cookie(&leaver),
        "ids": [pending, granted],
        "persons": [ada.id, erin.id],
        "sha256": sha256,
        "bodies": bodies(&world, &mut erin, &pending, &token),
    });
    println!("{said}");
    std::io::stdout().flush().unwrap();
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).unwrap();
    world.stop();
}

/// Bodies that are good, each once or as often as one likes, by method and path.
fn bodies(world: &World, erin: &mut Person, pending: &str, token: &str) -> Value {
    let draft = world.draft(erin, "production");
    let submission = signed_request(erin, &draft);
    let offer = world.open("POST", "/api/v1/sessions/options", Some(&json!({"person": erin.id}))).good();
    let document = offer["document"].as_str().unwrap().to_owned();
    let assertion = erin.assert::<SessionDocument>(&document);
    json!({
        "/api/v1/drafts": ssh_draft(erin, "production"),
        "/api/v1/requests": submission,
        "/api/v1/requests/{id}/revisions": submission,
        "/api/v1/requests/{id}/decisions/options": {"decision": "approve", "request": pending},
        "/api/v1/sessions/options": {"person": erin.id},
        "/api/v1/sessions": {"document": document, "assertion": assertion},
        "/api/v1/enrolments/options": {"token": token},
        "/api/v1/identity/options": {"act": "person.suspended", "body": {"person": erin.id}},
        "/api/v1/recoveries": {"person": erin.id},
        "/api/v1/invitations": {"roles": ["engineer"], "attributes": {}},
        "/api/v1/logins": {"public_key": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    })
}

fn cookies(people: &[&Person]) -> Vec<String> {
    people.iter().map(|person| cookie(person)).collect()
}

fn cookie(person: &Person) -> String {
    match &person.session {
        Session::Cookie(cookie) => cookie.clone(),
        Session::Nobody | Session::Token { .. } => String::new(),
    }
}

/// What bounds one person and one address is lifted as far as it goes: here a few of them are everybody. The limits
/// are tested elsewhere (docs/testing.md, load and abuse).
fn loosen(config: &mut Config) {
    let limits = &mut config.limits;
    limits.requests_per_person_per_minute = 10_000_000;
    limits.open_requests_per_minute = 100_000;
    limits.open_requests_in_all_per_minute = 1_000_000;
    limits.pending_requests_per_person = 200;
    limits.submissions_per_person_per_hour = 100_000_000;
    limits.artifacts_per_person = 10_000;
    limits.sessions_per_person = 10_000;
    limits.waiting_passkeys_per_person = 100;
    limits.session_seconds = 12 * 3600;
}
