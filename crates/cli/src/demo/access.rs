//! From a request to a login, and to its end.

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use chancery_api::decision::DecisionKind;
use chancery_api::request::{Draft, DraftRequest, RequestView, SubmitRequest};
use chancery_canonical::base64::encode_url;
use chancery_domain::time::Timestamp;
use chancery_testkit::sshd::HOST;
use serde_json::{Map, Value, json};

use super::Scene;
use super::person::Person;
use super::story::{Story, Telling, require};
use crate::client::{Extras, random_text};
use crate::commands::grant::{Ready, credential_into};
use crate::commands::request::{check_draft, grouped, read};
use crate::failure::Failure;
use crate::moment;
use crate::ssh_key::{GrantKey, KeyFolder};

/// How long the revocation may take to reach the host, and a short grant to end.
const PATIENCE: Duration = Duration::from_secs(15);
const SHORT_GRANT_SECONDS: u64 = 4;
const COMMAND: &str = "echo \"logged in as $USER at $(date -u +%H:%M:%SZ)\"";

/// What Eve asks for.
struct Wish<'a> {
    principal: &'a str,
    reason: &'a str,
    ticket: Option<&'a str>,
    seconds: u64,
}

/// Policy says no, and how to do better.
pub fn policy_denies(story: &mut Story<'_>, scene: &Scene) -> Result<(), Failure> {
    story.step("denied", "Eve asks for root on production, without a ticket", |tell| {
        let wish = Wish { principal: "root", reason: "just looking", ticket: None, seconds: 900 };
        let view = submit(scene, &wish)?;
        require(view.state == "denied", format!("it is {}", view.state))?;
        let reasons = view.verdict.get("reasons").and_then(Value::as_array).cloned().unwrap_or_default();
        for reason in &reasons {
            let text = |name: &str| reason.get(name).and_then(Value::as_str).unwrap_or_default();
            tell.quote(&format!(
                "denied: {} [{}]\nremedy: {}",
                text("message"),
                text("rule"),
                text("remedy")
            ));
        }
        require(!reasons.is_empty(), "no reason is given")?;
        tell.shown("policy denies, says why and what to do; the denial stands in the log");
        tell.result(json!({"request": view.id, "state": view.state, "reasons": reasons, "exit": 3}));
        Ok(())
    })
}

/// A request that can be approved.
pub fn ask(story: &mut Story<'_>, scene: &Scene) -> Result<String, Failure> {
    story.step("request", "Eve asks properly: her own login, a reason, a ticket", |tell| {
        let view = submit(scene, &proper(scene, 900))?;
        require(view.state == "pending", format!("it is {}", view.state))?;
        tell.say(&format!(
            "signed by her session key; the SSH key in it proved that it is hers ({})",
            view.id
        ));
        let score = view.verdict.pointer("/risk/score").and_then(Value::as_i64).unwrap_or_default();
        let tier = view.verdict.pointer("/risk/tier").and_then(Value::as_str).unwrap_or_default();
        tell.say(&format!(
            "risk {score} ({tier}); the digest that everybody signs: {}",
            grouped(&view.request_sha256)
        ));
        for stage in &view.stages {
            let who: Vec<&str> = stage.eligible.iter().filter_map(|person| person.name.as_deref()).collect();
            tell.say(&format!("needs {} of {}: {}", stage.quorum, stage.id, who.join(", ")));
        }
        require(view.stages.len() == 2, "policy does not ask for two stages")?;
        tell.result(json!({"request": view.id, "request_sha256": view.request_sha256, "risk": score}));
        Ok(view.id)
    })
}

/// Nobody approves their own.
pub fn own_approval_is_refused(story: &mut Story<'_>, scene: &Scene, request: &str) -> Result<(), Failure> {
    story.step("self-approval", "Eve tries to approve her own request", |tell| {
        match scene.cast.engineer.decide(request, DecisionKind::Approve, None, told(scene, request)?) {
            Err(Failure::Problem(problem)) if problem.code == "self_approval" => {
                tell.quote(&format!("{}: {}\nnext: {}", problem.code, problem.reason, problem.remedy));
                tell.shown("refused by the server, whatever a page would show");
                tell.result(json!({"code": problem.code, "status": problem.status}));
                Ok(())
            }
            Err(other) => Err(other),
            Ok(_) => Err(Failure::Fault("she approved her own request".to_owned())),
        }
    })
}

/// Two people, two seats.
pub fn two_people_approve(story: &mut Story<'_>, scene: &Scene, request: &str) -> Result<(), Failure> {
    story.step("approval", "Two other people approve, each with their passkey", |tell| {
        let mut leaves = Vec::new();
        for (person, expected) in [(&scene.cast.owner, "pending"), (&scene.cast.security, "approved")] {
            let outcome = person.decide(request, DecisionKind::Approve, None, told(scene, request)?)?;
            let leaf = outcome.receipt.leaf_index;
            require(outcome.request.state == expected, format!("it is {} now", outcome.request.state))?;
            tell.say(&format!("{} approves: leaf {leaf}, the request is {expected}", person.name));
            leaves.push(leaf);
        }
        tell.shown(
            "each signed request, verdict, seat, clocks and a nonce; each holds a receipt with its proof",
        );
        tell.result(json!({"leaves": leaves, "state": "approved"}));
        Ok(())
    })
}

/// The issuer mints from evidence.
pub fn credential_is_issued(story: &mut Story<'_>, scene: &Scene, request: &str) -> Result<Ready, Failure> {
    story.step("credential", "The issuer checks the evidence from its bytes, then signs a certificate", |tell| {
        let ready = credential(scene, request)?;
        let (text, kept) = describe(&ready)?;
        tell.quote(&kept);
        require(text.contains(scene.host.login_user()), "the certificate is for another account")?;
        tell.shown("one account on one host, one key, until the clock ends it; the key never left Eve's side");
        tell.result(json!({"serial": ready.credential.serial, "not_after": ready.credential.not_after, "ssh_keygen": text}));
        Ok(ready)
    })
}

/// A real login.
pub fn login_works(story: &mut Story<'_>, scene: &Scene, ready: &Ready) -> Result<(), Failure> {
    story.step("login", "Eve logs in with ssh", |tell| {
        works(tell, scene, ready)?;
        let words = scene.host.last_words(&["Accepted publickey"])?.unwrap_or_default();
        tell.quote(&words);
        require(words.contains("CA "), "sshd does not say that it accepted a certificate")?;
        tell.result(json!({"sshd": words}));
        Ok(())
    })
}

/// Ended early by a person.
pub fn revocation_ends_it(
    story: &mut Story<'_>,
    scene: &Scene,
    request: &str,
    ready: &Ready,
) -> Result<(), Failure> {
    story.step("revocation", "Sol ends the grant early", |tell| {
        let begun = Instant::now();
        scene.cast.security.decide(request, DecisionKind::Revoke, Some("the disk is clean again"), None)?;
        let words = wait_until_refused(scene, ready, &["revoked", "Revoked"])?;
        tell.say(&format!(
            "after {:.1} s the host refuses the same certificate:",
            begun.elapsed().as_secs_f32()
        ));
        tell.quote(&words);
        let state = read(scene.cast.engineer.client()?, request)?.state;
        require(state == "revoked", format!("the request is {state}"))?;
        tell.shown("revoked by a signature, on the host's revocation list");
        tell.result(json!({"state": state, "milliseconds": begun.elapsed().as_millis(), "sshd": words}));
        Ok(())
    })
}

/// Ended by the clock.
pub fn the_clock_ends_it(story: &mut Story<'_>, scene: &Scene) -> Result<(), Failure> {
    story.step("expiry", "A second grant, of four seconds", |tell| {
        let view = submit(scene, &proper(scene, SHORT_GRANT_SECONDS))?;
        for person in [&scene.cast.owner, &scene.cast.security] {
            person.decide(&view.id, DecisionKind::Approve, None, told(scene, &view.id)?)?;
        }
        let ready = credential(scene, &view.id)?;
        works(tell, scene, &ready)?;
        let end: Timestamp = ready
            .credential
            .not_after
            .parse()
            .map_err(|fault| Failure::Fault(format!("the certificate's end: {fault}")))?;
        while moment::unix_now() < end.unix() {
            thread::sleep(Duration::from_millis(100));
        }
        let words = wait_until_refused(scene, &ready, &["expired"])?;
        tell.say("four seconds later, with nobody doing anything:");
        tell.quote(&words);
        tell.shown("no grant outlives its clock");
        tell.result(json!({"request": view.id, "not_after": ready.credential.not_after, "sshd": words}));
        Ok(())
    })
}

/// A request like the first proper one, left undecided but for the second seat.
pub fn ask_once_more(scene: &Scene) -> Result<RequestView, Failure> {
    let view = submit(scene, &proper(scene, 900))?;
    scene.cast.security.decide(&view.id, DecisionKind::Approve, None, told(scene, &view.id)?)?;
    read(scene.cast.engineer.client()?, &view.id)
}

fn proper<'a>(scene: &'a Scene, seconds: u64) -> Wish<'a> {
    let reason = "the disk is full and the pager rings";
    Wish { principal: scene.host.login_user(), reason, ticket: Some("OPS-7"), seconds }
}

/// What `chancery request create` does, with the key in the demonstration's folder.
fn submit(scene: &Scene, wish: &Wish<'_>) -> Result<RequestView, Failure> {
    let client = scene.cast.engineer.client()?;
    let key = GrantKey::fresh()?;
    let wanted = DraftRequest {
        entitlement: "ssh-admin".to_owned(),
        parameters: Map::from_iter([
            ("host".to_owned(), json!(HOST)),
            ("principal".to_owned(), json!(wish.principal)),
            ("environment".to_owned(), json!("production")),
        ]),
        justification: Some(wish.reason.to_owned()),
        ticket: wish.ticket.map(str::to_owned),
        artifacts: Vec::new(),
        undo: Vec::new(),
        beneficiary: None,
        beneficiary_key: Some(key.line()),
        grant_seconds: wish.seconds,
        not_before: None,
        revises: None,
    };
    let draft: Draft = client.send("/api/v1/drafts", &wanted)?;
    let checked = check_draft(client, &wanted, &draft)?;
    let id = checked.request.id.as_str();
    key.keep(&key_folder(scene, id), id)?;
    let body = SubmitRequest {
        document: checked.document.as_str().to_owned(),
        disclosures: draft.disclosures.clone(),
        signature: client.session()?.sign_request(&checked.challenge),
        possession: Some(encode_url(&key.prove_possession(&checked.challenge)?)),
    };
    let idempotency_key = random_text()?;
    let extras = Extras { idempotency_key: Some(&idempotency_key), ..Extras::default() };
    client.send_with("/api/v1/requests", &body, extras)
}

/// The two digits that Eve reads out to whoever asks her, where the risk wants them.
fn told(scene: &Scene, request: &str) -> Result<Option<String>, Failure> {
    Ok(read(scene.cast.engineer.client()?, request)?.matching_number)
}

fn credential(scene: &Scene, request: &str) -> Result<Ready, Failure> {
    let engineer: &Person = &scene.cast.engineer;
    credential_into(engineer.client()?, request, &key_folder(scene, request))
}

fn key_folder(scene: &Scene, request: &str) -> KeyFolder {
    KeyFolder::at(scene.installation.folder().join("eve").join(request))
}

fn works(tell: &mut Telling<'_>, scene: &Scene, ready: &Ready) -> Result<(), Failure> {
    let ended = scene.host.log_in(ready, COMMAND)?;
    let (said, complained) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    require(ended.status.success(), format!("ssh was not let in: {complained}"))?;
    tell.quote(&format!("$ ssh {}@{HOST} …\n{said}", scene.host.login_user()));
    Ok(())
}

/// Until sshd itself says why it refuses this certificate.
fn wait_until_refused(scene: &Scene, ready: &Ready, words: &[&str]) -> Result<String, Failure> {
    let begun = Instant::now();
    loop {
        scene.host.refresh()?;
        let ended = scene.host.log_in(ready, "true")?;
        if !ended.status.success() {
            let complaint = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
            let words = scene.host.last_words(words)?;
            let words =
                words.ok_or_else(|| Failure::Fault(format!("refused for another reason: {complaint}")))?;
            return Ok(format!("sshd: {words}\nssh:  {complaint}"));
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::Fault("the host still lets the certificate in".to_owned()));
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// What `ssh-keygen -L` says: all of it, and the lines worth reading aloud.
fn describe(ready: &Ready) -> Result<(String, String), Failure> {
    let file: &PathBuf = &ready.certificate_file;
    let shown = Command::new("ssh-keygen").arg("-L").arg("-f").arg(file).output();
    let shown = shown.map_err(|fault| Failure::Fault(format!("cannot run `ssh-keygen`: {fault}")))?;
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    require(shown.status.success(), "`ssh-keygen -L` cannot read the certificate")?;
    let mut kept: Vec<&str> = Vec::new();
    let mut in_principals = false;
    for line in text.lines().skip(1) {
        let name = line.trim_start();
        in_principals = name.starts_with("Principals") || (in_principals && !name.contains(':'));
        let wanted = ["Type", "Key ID", "Serial", "Valid"].iter().any(|start| name.starts_with(start));
        if wanted || in_principals {
            kept.push(name);
        }
    }
    Ok((text.clone(), kept.join("\n")))
}
