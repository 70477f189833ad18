//! What the issuer mints, and everything that it does not: it gets evidence from a server that it does not trust.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;

use chancery_canonical::Sha256;
use chancery_domain::document::DecisionKind;
use chancery_domain::event::{LeaseIntended, RequestEvent, SSH_CERTIFICATE};
use chancery_domain::id::LeaseId;
use chancery_domain::state::State;
use chancery_domain::time::Timestamp;
use chancery_evidence::bundle::{Manifest, layout, pack};
use chancery_evidence::trust::IssuerKey;
use chancery_evidence::verify::{Options, verify_zip};
use chancery_issuer::issue::{IssueError, Issuer, Places, Prepared, read_certificate};
use chancery_issuer::plan::GrantFacts;
use chancery_issuer::ssh::{Authority, Certificate, Krl};
use chancery_testkit::corpus;
use chancery_testkit::scenario::Scenario;
use ring::rand::SystemRandom;
use tempfile::TempDir;

/// An approved and started grant, and an issuer with a folder of its own.
struct Scene {
    scenario: Scenario,
    issuer: Issuer,
    folder: TempDir,
    lease: LeaseId,
}

fn open(folder: &TempDir, now: Timestamp) -> Issuer {
    let path = |name: &str| folder.path().join(name);
    let (authority, revocation_list, book): (PathBuf, PathBuf, PathBuf) =
        (path("ca"), path("list.krl"), path("book"));
    if !authority.exists() {
        Authority::create(&authority, &SystemRandom::new()).unwrap();
    }
    let places = Places { authority: &authority, revocation_list: &revocation_list, book: &book };
    Issuer::open(&places, now, Box::new(SystemRandom::new())).unwrap()
}

impl Scene {
    fn new() -> Self {
        Self::lasting(300)
    }

    fn lasting(grant_seconds: u64) -> Self {
        let mut scenario = Scenario::new();
        scenario.document.clocks.grant_seconds = grant_seconds;
        scenario.submit();
        scenario.approve("owen");
        scenario.approve("sam");
        scenario.activate();
        let folder = tempfile::tempdir().unwrap();
        let issuer = open(&folder, scenario.world.now);
        let public_key = issuer.authority().line("").trim_end().to_owned();
        scenario.trust_document.issuers = vec![IssuerKey::Ssh { public_key }];
        let lease = "01ARZ3NDEKTSV4RRFFQ69G5FA1".parse().unwrap();
        Self { scenario, issuer, folder, lease }
    }

    fn ends_at(&self) -> Timestamp {
        let Some(State::Active(active)) = &self.scenario.state else { panic!("not active") };
        active.ends_at
    }

    fn prepare(&self, lease: &LeaseId) -> Result<Prepared, IssueError> {
        let Some(State::Active(active)) = &self.scenario.state else { panic!("not active") };
        let bundle = self.scenario.engine.bundle();
        let grant = GrantFacts {
            document: &self.scenario.document,
            entitlement: bundle.entitlement("ssh-admin").unwrap(),
            constraints: &self.scenario.standing.as_ref().unwrap().constraints,
            started_at: active.started_at,
            ends_at: active.ends_at,
        };
        self.issuer.prepare(lease, &grant)
    }

    fn announcement(&self, prepared: &Prepared) -> LeaseIntended {
        LeaseIntended {
            lease: self.lease.clone(),
            credential: SSH_CERTIFICATE.to_owned(),
            serial: prepared.serial.clone(),
            to_be_signed_sha256: prepared.to_be_signed_sha256,
            issuer_nonce: prepared.issuer_nonce.clone(),
            not_after: self.ends_at(),
        }
    }

    fn announce(&mut self, change: impl FnOnce(&mut LeaseIntended)) {
        let prepared = self.prepare(&self.lease.clone()).unwrap();
        let mut announcement = self.announcement(&prepared);
        change(&mut announcement);
        self.scenario.record(RequestEvent::LeaseIntended(announcement));
        self.scenario.wait(1);
    }

    fn mint(&self) -> Result<String, IssueError> {
        self.mint_at(self.scenario.world.now)
    }

    fn mint_at(&self, now: Timestamp) -> Result<String, IssueError> {
        self.issuer.mint(&self.lease, &self.scenario.bundle(), &self.scenario.trust(), now)
    }
}

/// How a dishonest server changes an announcement.
type Change = fn(&mut LeaseIntended);

/// Why nothing was minted, as text.
fn refusal(minted: Result<String, IssueError>) -> String {
    match minted {
        Ok(certificate) => panic!("minted {certificate}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_credential_follows_from_logged_evidence_once() {
    let mut scene = Scene::new();
    scene.announce(|_| {});
    let line = scene.mint().unwrap();
    let certificate = Certificate::parse(&line).unwrap();
    let contents = certificate.contents();
    assert_eq!(contents.principals, ["deploy@web-1.example"]);
    assert_eq!(contents.key_id, scene.scenario.document.id.as_str());
    assert_eq!(contents.valid_before, u64::try_from(scene.ends_at().unix()).unwrap());
    assert!(!contents.permit_port_forwarding && !contents.permit_agent_forwarding);
    certificate.verify(&scene.issuer.authority()).unwrap();
    assert_eq!(scene.mint().unwrap(), line, "a repeat gives the same one");
    let again = open(&scene.folder, scene.scenario.world.now);
    assert_eq!(again.minted(&scene.lease).unwrap(), Some(line), "after a restart too");
}

#[test]
fn nothing_is_minted_that_the_log_does_not_announce() {
    let mut scene = Scene::new();
    assert_eq!(refusal(scene.mint()), format!("lease `{}` was not prepared by this issuer", scene.lease));
    scene.prepare(&scene.lease.clone()).unwrap();
    assert_eq!(refusal(scene.mint()), "the evidence does not allow this: the lease was not announced");
    let other = "the evidence does not allow this: the announcement is not the one that was prepared";
    let changes: [(&str, Change); 3] = [
        ("nonce", |announced| announced.issuer_nonce = "AAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        ("serial", |announced| announced.serial = "7".to_owned()),
        ("digest", |announced| announced.to_be_signed_sha256 = Sha256::of(b"another certificate")),
    ];
    for (what, change) in changes {
        let mut scene = Scene::new();
        scene.announce(change);
        assert_eq!(refusal(scene.mint()), other, "{what}");
    }
    scene.announce(|announced| announced.lease = "01ARZ3NDEKTSV4RRFFQ69G5FA2".parse().unwrap());
    assert_eq!(refusal(scene.mint()), "the evidence does not allow this: the lease was not announced");
}

#[test]
fn nothing_is_minted_outside_the_grant() {
    let mut scene = Scene::new();
    scene.announce(|_| {});
    let over = "the evidence does not allow this: the grant's clock has not started or has run out";
    assert_eq!(refusal(scene.mint_at(scene.ends_at())), over);
    scene.scenario.decide("sam", DecisionKind::Revoke).unwrap();
    assert_eq!(refusal(scene.mint()), "the evidence does not allow this: the grant is not running");

    let mut scene = Scene::new();
    scene.announce(|announced| announced.not_after = announced.not_after.plus(1));
    assert!(refusal(scene.mint()).contains("lease-intended"), "a lease that outlives its grant");
}

#[test]
fn nothing_is_minted_that_was_announced_at_another_time_than_now() {
    let mut scene = Scene::lasting(900);
    scene.announce(|_| {});
    // Announced a second ago; the grant runs much longer than an announcement is good for.
    let announced = scene.scenario.world.now.unix() - 1;
    let at = |seconds: i64| Timestamp::from_unix(announced + seconds).unwrap();
    assert!(at(302) < scene.ends_at(), "{}", scene.ends_at());
    let stale = "the lease was not announced within 300 seconds of the issuer's clock";
    assert_eq!(refusal(scene.mint_at(at(301))), stale);
    assert_eq!(scene.issuer.minted(&scene.lease).unwrap(), None);
    let line = scene.mint_at(at(300)).unwrap();
    assert_eq!(scene.mint_at(at(301)).unwrap(), line, "what was minted stays minted");

    // A server whose clock runs ahead, by an issuer's that does not.
    let mut scene = Scene::lasting(900);
    scene.scenario.wait(301);
    scene.announce(|_| {});
    let announced = scene.scenario.world.now.unix() - 1;
    let at = |seconds: i64| Timestamp::from_unix(announced + seconds).unwrap();
    assert_eq!(refusal(scene.mint_at(at(-301))), stale);
    scene.mint_at(at(-300)).unwrap();
}

#[test]
fn nothing_is_minted_from_evidence_that_does_not_verify() {
    let mut scene = Scene::new();
    scene.announce(|_| {});
    let now = scene.scenario.world.now;
    let mut files = scene.scenario.bundle();
    files.get_mut("request.json").unwrap()[40] ^= 1;
    let minted = scene.issuer.mint(&scene.lease, &files, &scene.scenario.trust(), now);
    assert!(refusal(minted).starts_with("the evidence does not verify: "));
    // People of another installation prove nothing here, nor may their root take the place of the one that was followed.
    let mut other = Scenario::new();
    other.trust_document.issuers.clone_from(&scene.scenario.trust_document.issuers);
    let minted = scene.issuer.mint(&scene.lease, &scene.scenario.bundle(), &other.trust(), now);
    assert!(refusal(minted).contains("does not follow"));
    let announced = || {
        let mut scene = Scene::new();
        scene.announce(|_| {});
        scene
    };
    let scene = announced();
    other.trust_document.issuers.clone_from(&scene.scenario.trust_document.issuers);
    let minted = scene.issuer.mint(&scene.lease, &scene.scenario.bundle(), &other.trust(), now);
    assert!(refusal(minted).contains("identity-chain"));
    let mut scene = announced();
    scene.scenario.trust_document.issuers = Scenario::new().trust_document.issuers;
    let unnamed = "the evidence does not allow this: the trust directory does not name this issuer's key";
    assert_eq!(refusal(scene.mint()), unnamed);
    let mut scene = announced();
    scene.scenario.trust_document.floors.clear();
    assert!(refusal(scene.mint()).contains("floor"));
}

#[test]
fn what_is_taken_back_stays_taken_back() {
    let scene = Scene::new();
    let now = scene.scenario.world.now;
    let first = scene.issuer.revoke(41, now).unwrap();
    assert_eq!(scene.issuer.revoke(41, now).unwrap(), first, "a repeat changes nothing");
    assert!(scene.issuer.revoke(42, now).unwrap() > first);
    let again = open(&scene.folder, now);
    let list = Krl::load(&scene.folder.path().join("list.krl"), &again.authority()).unwrap().unwrap();
    assert!(list.revokes(41, "") && list.revokes(42, "") && !list.revokes(43, ""));
}

#[test]
fn a_certificate_has_one_spelling() {
    let mut scene = Scene::new();
    scene.announce(|_| {});
    let line = scene.mint().unwrap();
    assert_eq!(read_certificate(&line).unwrap().line, line);
    for other in [format!("{line}x"), format!("{line} more")] {
        assert!(
            read_certificate(&other).is_ok_and(|facts| facts.line != other)
                || read_certificate(&other).is_err()
        );
    }
    let changed = line.replacen("AAAA", "AAAB", 1);
    assert!(read_certificate(&changed).is_err());
}

/// The credential's line in the evidence, as it stands or changed, judged by the reader of real certificates.
#[test]
fn evidence_with_a_certificate_is_evidence_of_that_one() {
    let mut scene = Scene::new();
    scene.announce(|_| {});
    let line = scene.mint().unwrap();
    let mut thief = Scene::new();
    thief.announce(|_| {});
    let at = line.len() / 2;
    let flipped = |at: usize| {
        let mut bytes = line.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    for (name, text, failed) in [
        ("certificate-honest", line.clone(), &[] as &[&str]),
        ("certificate-with-a-newline", format!("{line}\n"), &["lease-intended"]),
        ("certificate-with-more", format!("{line} more"), &["lease-intended"]),
        ("certificate-cut", line[..at].to_owned(), &["lease-intended"]),
        ("certificate-of-another-type", line.replacen("ssh-ed25519", "ssh-rsa", 1), &["lease-intended"]),
        ("certificate-of-another-issuer", thief.mint().unwrap(), &["lease-intended"]),
        ("certificate-nonce-changed", flipped(100), &["lease-intended"]),
        ("certificate-content-changed", flipped(at), &["lease-intended"]),
        ("certificate-signature-changed", flipped(line.rfind(' ').unwrap() - 20), &["lease-intended"]),
        ("certificate-none", "no certificate".to_owned(), &["lease-intended"]),
    ] {
        let mut files = scene.scenario.bundle();
        files.insert(layout::credential(&scene.lease), text.into_bytes());
        Manifest::read(&files).unwrap().seal(&mut files).unwrap();
        let (zip, trust) = (pack(&files).unwrap(), scene.scenario.trust());
        corpus::keep_with(name, &zip, &trust, ("ssh", &read_certificate));
        let options = Options { certificates: Some(&read_certificate), ..Options::default() };
        let verification = verify_zip(&zip, &trust, &options);
        assert_eq!(verification.failed(), failed, "{name}: {}", verification.to_text());
    }
}
