//! Other people's tools and the verifier look at what is left: evidence, certificates, revocation list, database.

use std::fs;
use std::path::Path;
use std::process::Command;

use chancery_evidence::verify::{NewerLog, Options, Outcome, verify_zip};
use chancery_issuer::issue::read_certificate;
use chancery_issuer::ssh::{Certificate, Krl};
use serde_json::Value;

use crate::auditor::Auditor;
use crate::installation::{Installation, Pair};
use crate::process::run;
use crate::promises::{Certificate as Held, Promises};
use crate::site::{Lost, Site};

/// The number of a revocation list, from its bytes (PROTOCOL.krl: magic, format version, number).
pub fn list_number(list: &[u8]) -> Option<u64> {
    let number = list.strip_prefix(b"SSHKRL\n\0")?.get(4..12)?;
    Some(u64::from_be_bytes(number.try_into().ok()?))
}

/// How often the same evidence is asked for, when what it is about goes on meanwhile.
const READINGS: usize = 3;

/// Every certificate that a client holds has evidence that verifies, against the log as it is now.
/// At most `most` are looked at, spread over the whole run.
///
/// A timer may fire between evidence and log: the log then rightly has what the evidence has not. Evidence that is
/// asked for afterwards must have it.
pub fn evidence(
    site: &Site,
    installation: &Installation,
    auditor: &mut Auditor,
    promises: &mut Promises,
    most: usize,
) -> Result<(), Lost> {
    let certificates: Vec<_> = promises.certificates.values().cloned().collect();
    let step = certificates.len().div_ceil(most.max(1)).max(1);
    let mut rest: Vec<_> = certificates.into_iter().step_by(step).collect();
    for reading in 1..=READINGS {
        let mut bundles = Vec::new();
        for held in rest {
            let Pair { requester, .. } = &installation.pairs[held.pair];
            let path = format!("/api/v1/requests/{}/evidence", held.request);
            bundles.push((requester.call(site, "GET", &path, None)?.bytes, held));
        }
        auditor.follow(site, promises)?;
        rest = Vec::new();
        for (zip, held) in bundles {
            let (problems, is_overtaken) = evidence_problems(installation, auditor, &held, &zip);
            if is_overtaken && reading < READINGS {
                rest.push(held);
            } else {
                promises.violations.extend(problems);
            }
        }
    }
    Ok(())
}

/// What a stranger finds wrong with the evidence of a certificate, and whether it is only that the log says more.
fn evidence_problems(
    installation: &Installation,
    auditor: &Auditor,
    held: &Held,
    zip: &[u8],
) -> (Vec<String>, bool) {
    let leaf = |index: u64| auditor.leaves.get(usize::try_from(index).unwrap()).cloned();
    let newer = NewerLog { checkpoint: &auditor.newest, leaf: &leaf };
    let options = Options {
        newer_log: Some(&newer),
        require_replay: true,
        certificates: Some(&read_certificate),
        now: None,
        ..Options::default()
    };
    let verification = verify_zip(zip, &installation.trust(), &options);
    let mut problems = Vec::new();
    for check in &verification.checks {
        if let Outcome::Fail(found) = &check.outcome {
            problems.push(format!("evidence of `{}`, {}: {found:?}", held.request, check.name));
        }
    }
    if verification.logged.is_none() {
        problems.push(format!("certificate {} has no checkpointed approval", held.serial));
    }
    (problems, verification.failed() == ["newer-log"])
}

/// The list revokes exactly the serials that the log says are revoked, and OpenSSH reads the same of it.
pub fn revocations(installation: &Installation, promises: &mut Promises, revoked: &[(u64, u64)]) {
    let path = installation.data().join("krl/ssh.krl");
    let bytes = fs::read(&path).unwrap();
    promises.saw_list(list_number(&bytes).unwrap_or_default());
    let Some(first) = promises.certificates.values().next() else { return };
    let authority = *Certificate::parse(&first.line).unwrap().authority();
    let list = match Krl::decode(&bytes, &authority) {
        Ok(list) => list,
        Err(fault) => return promises.violated(format!("the revocation list is damaged: {fault}")),
    };
    for (serial, number) in revoked {
        if !list.revokes(*serial, "") || list.number() < *number {
            promises.violated(format!("serial {serial} is revoked in the log and not by list {number}"));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("ssh-keygen");
    command.arg("-Q").arg("-f").arg(&path);
    for held in promises.certificates.values() {
        let file = folder.path().join(format!("{}-cert.pub", held.serial));
        fs::write(&file, &held.line).unwrap();
        command.arg(file);
    }
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    for held in promises.certificates.values().cloned().collect::<Vec<_>>() {
        let name = format!("/{}-cert.pub ", held.serial);
        let line = said.lines().find(|line| line.contains(&name)).unwrap_or("nothing");
        let expected = list.revokes(held.serial, "");
        if line.ends_with(if expected { ": REVOKED" } else { ": ok" }) {
            continue;
        }
        promises.violated(format!("ssh-keygen says of serial {}: {line}", held.serial));
    }
}

/// What `chancery server doctor` finds bad: among it, rows that differ from what the events make.
pub fn doctor(data: &Path) -> Vec<String> {
    let place = data.to_str().unwrap();
    let ran = run(&["server", "doctor", "--data", place, "--output", "jsonl"]);
    let said = String::from_utf8(ran.stdout).unwrap();
    let findings: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let bad = findings.iter().filter(|finding| finding["health"] == "BAD");
    let mut bad: Vec<String> = bad.map(|finding| format!("doctor: {finding}")).collect();
    if !findings.iter().any(|finding| finding["subject"] == "integrity") {
        bad.push(format!(
            "doctor did not examine the journal: {said} {:?}",
            String::from_utf8_lossy(&ran.stderr)
        ));
    }
    bad
}

/// No effect failed so often that an operator has to look.
pub fn effects(site: &Site, promises: &mut Promises) {
    let metrics = site.open("GET", "/metrics", None).unwrap();
    let said = String::from_utf8(metrics.bytes).unwrap();
    let alarmed = said.lines().find(|line| line.contains("alarmed") && !line.starts_with('#'));
    if alarmed.is_none_or(|line| !line.ends_with(" 0")) {
        promises.violated(format!("effects that failed too often: {alarmed:?}"));
    }
}
