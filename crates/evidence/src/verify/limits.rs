//! What the verifier's own trust directory demands, and what no check can show.

use std::collections::BTreeSet;

use chancery_domain::event::{Approved, TrustEvent};
use chancery_domain::evolve::event_name;
use chancery_domain::seats::Seating;
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::VerdictDocument;
use chancery_ledger::VerifierKey;
use chancery_policy::Entitlement;

use super::Options;
use super::check::Finding;
use super::lifecycle::Case;
use super::log::Witnessed;
use super::requester::Asking;
use super::story::is_only_said;
use super::streams::{Recorded, Streams};
use crate::bundle::Manifest;
use crate::trust::{Lineage, TrustRoot, Versions};

/// The key of the bundle's log, and the versions of the root in its life. Files and signatures of the directory were
/// checked when it was read.
pub(super) fn trust_root<'a>(
    lineage: &'a Lineage,
    manifest: &Manifest,
    now: Option<Timestamp>,
) -> Finding<(&'a VerifierKey, Versions<'a>)> {
    let root = lineage.newest();
    let known = root.log_key(&manifest.origin).zip(lineage.versions(&manifest.origin));
    let Some((key, versions)) = known else {
        return Finding::fail(format!("your trust directory knows no log `{}`", manifest.origin));
    };
    let mut problems = Vec::new();
    if now.is_some_and(|now| now < root.document().created_at) {
        problems.push("your trust directory is dated in the future".to_owned());
    }
    if now.is_some_and(|now| root.is_expired(now)) {
        let end = root.document().expires_at;
        problems.push(format!("your trust directory ended at {end}: get the one that follows it"));
    }
    Finding::with((key, versions), problems)
}

/// A version says nothing of what happened after its end.
pub(super) fn expired_before(versions: &Versions<'_>, streams: &Streams) -> Option<String> {
    let root = |index, at| versions.at(index, at).document();
    let over = streams.request.iter().find(|one| one.at >= root(one.index, one.at).expires_at)?;
    let document = root(over.index, over.at);
    Some(format!(
        "version {} of your trust directory ended at {}, before leaf {}: get the one that follows it",
        document.version, document.expires_at, over.index
    ))
}

/// What the log says was sealed must be what the verifier has; a later version than theirs is needed for what came
/// after it.
pub(super) fn sealed_otherwise(lineage: &Lineage, origin: &str, streams: &Streams) -> Vec<String> {
    let newest = lineage.newest().document().version;
    let mut problems = Vec::new();
    for recorded in &streams.trust {
        let (index, (version, sha256)) = (recorded.index, recorded.event.sealed());
        problems.extend(
            begins_otherwise(lineage, origin, recorded).map(|problem| format!("leaf {index}: {problem}")),
        );
        let known = lineage.roots().find(|root| root.document().version == version);
        let later = streams.request.iter().find(|one| one.index > index);
        if known.is_some_and(|root| root.sha256() != sha256) {
            problems.push(format!("leaf {index}: the log sealed another version {version} than yours"));
        } else if let Some(later) = later.filter(|_| version > newest) {
            let said = "get it, and see with `chancery trust diff` that it follows yours";
            problems.push(format!(
                "leaf {index}: version {version} was sealed, and leaf {} came after it: {said}",
                later.index
            ));
        }
    }
    problems
}

/// Each version is in force from the leaf that says that it was sealed.
pub(super) fn in_force(versions: &mut Versions<'_>, streams: &Streams) {
    for recorded in &streams.trust {
        versions.sealed_at(recorded.event.sealed().0, recorded.index, recorded.at);
    }
}

/// A life of the log that follows another begins with where that one ended, as the trust root says it; no other does.
fn begins_otherwise(
    lineage: &Lineage,
    origin: &str,
    recorded: &Recorded<TrustEvent>,
) -> Option<&'static str> {
    let logs = &lineage.newest().document().logs;
    let position = logs.iter().position(|log| log.origin.as_str() == origin)?;
    let before = position.checked_sub(1).and_then(|before| logs.get(before));
    match (&recorded.event, before) {
        (TrustEvent::Sealed(_), None) => None,
        (TrustEvent::Sealed(_), Some(_)) if recorded.index > 0 => None,
        (TrustEvent::Sealed(_), Some(_)) => Some("it does not say where the life of the log before it ended"),
        (TrustEvent::Rotated(_), None) => {
            Some("your trust directory knows no life of the log before this one")
        }
        (TrustEvent::Rotated(body), Some(log)) => {
            let closed = log.closed.as_ref();
            let same = closed.is_some_and(|closed| closed.size == body.size && closed.root == body.root);
            let stands = same && body.origin == log.origin.as_str() && recorded.index == 0;
            (!stands).then_some("it says otherwise than your trust directory where the life before it ended")
        }
    }
}

/// The floor of the version that was in force at the approval, and of that at each credential: who was let through once
/// is not let through again when the floor was raised since.
pub(super) fn floors(
    versions: &Versions<'_>,
    case: &Case,
    asking: &Asking,
    verdict: &VerdictDocument,
    approved: &Recorded<Approved>,
) -> Finding<()> {
    let credentials = case.intended.iter().map(|intended| (intended.index, intended.at));
    let mut roots: Vec<&TrustRoot> = Vec::new();
    for (index, at) in std::iter::once((approved.index, approved.at)).chain(credentials) {
        let root = versions.at(index, at);
        if !roots.contains(&root) {
            roots.push(root);
        }
    }
    let seats = &approved.event.seats;
    Finding::of(roots.into_iter().flat_map(|root| floor(root, case, asking, verdict, seats)).collect())
}

fn floor(
    root: &TrustRoot,
    case: &Case,
    asking: &Asking,
    verdict: &VerdictDocument,
    seats: &Seating,
) -> Vec<String> {
    let entitlement = &asking.document.entitlement.name;
    let mut problems = Vec::new();
    if !root.knows_engine(&verdict.engine) {
        problems.push(format!("your trust directory does not list the engine `{}`", verdict.engine));
    }
    let approvers: BTreeSet<_> = seats.values().flatten().collect();
    let seconds = case.judgement.as_ref().map_or(0, |judgement| judgement.grant.max_seconds);
    match root.floor(entitlement) {
        None => problems
            .push(format!("your trust directory has no floor for `{entitlement}`, so it cannot be granted")),
        Some(floor) => {
            problems
                .extend(floor.check(verdict.verdict, approvers.len(), seconds).err().map(|e| e.to_string()));
        }
    }
    problems
}

/// What the bundle does not show, however many checks pass.
pub(super) fn not_proved(
    options: &Options<'_>,
    witnessed: Option<&Witnessed>,
    entitlement: Option<&Entitlement>,
    streams: &Streams,
) -> Vec<String> {
    let mut said = vec!["what the approvers' eyes saw when they signed".to_owned()];
    if entitlement.is_some_and(Entitlement::independent_display) {
        said.push("that the page on which they signed was served apart from the server".to_owned());
    }
    let required = witnessed.is_some_and(|witnessed| witnessed.required);
    if required {
        let seen = witnessed.and_then(|witnessed| witnessed.complete_at_unix);
        let seen = seen.and_then(|seen| Timestamp::from_unix(i64::try_from(seen).ok()?).ok());
        said.push(match seen {
            Some(seen) => format!(
                "when each event happened; only that all of it did before {seen}, when enough witnesses had seen it"
            ),
            None => "when each event happened".to_owned(),
        });
    } else {
        said.push("that the log showed everybody the same: your policy.txt demands no witness".to_owned());
        said.push("when anything happened: all times are the server's own, seen by no witness".to_owned());
        said.push(
            "that server and issuer were apart: nothing that a witness cosigned shows it, and in a single process \
             whoever steals that process steals both"
                .to_owned(),
        );
    }
    if options.newer_log.is_none() {
        said.push(
            "that nothing came after this bundle, such as a revocation: give a newer log with --log"
                .to_owned(),
        );
        said.push(
            "that no event was left off the end of a stream of identity, policy or request, before the checkpoint or \
             after it, such as a suspension before a decision, and that no stream has two versions: give a newer log \
             with --log"
                .to_owned(),
        );
    }
    for (index, kind) in unsigned(streams) {
        said.push(format!("that the person named in `{kind}` at leaf {index} did that: the server says so"));
    }
    said.push("that the signals in the input were true: their sources did not sign them".to_owned());
    said.push("that the approvers did not act together against you".to_owned());
    said
}

/// Events in a person's name that the person did not sign.
fn unsigned(streams: &Streams) -> Vec<(u64, &'static str)> {
    let named = streams.request.iter().map(|recorded| (recorded.index, event_name(&recorded.event)));
    named.filter(|(_, kind)| is_only_said(kind)).collect()
}
