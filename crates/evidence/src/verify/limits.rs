//! What the verifier's own trust directory demands, and what no check can show.

use std::collections::BTreeSet;

use chancery_domain::event::TrustEvent;
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
use super::streams::Streams;
use crate::bundle::Manifest;
use crate::trust::TrustRoot;

/// The key of the bundle's log. The derived files of the directory were checked when it was read.
pub(super) fn trust_root<'a>(
    root: &'a TrustRoot,
    manifest: &Manifest,
    now: Option<Timestamp>,
) -> Finding<&'a VerifierKey> {
    let Some(key) = root.log_key(&manifest.origin) else {
        return Finding::fail(format!("your trust directory knows no log `{}`", manifest.origin));
    };
    let mut problems = Vec::new();
    // People sign for one life of the log; an older one needs the trust directory of its time.
    if manifest.origin != root.log_origin() {
        problems.push(format!("your trust directory is of the log's later life `{}`", root.log_origin()));
    }
    if now.is_some_and(|now| now < root.document().created_at) {
        problems.push("your trust directory is dated in the future".to_owned());
    }
    if now.is_some_and(|now| root.is_expired(now)) {
        let end = root.document().expires_at;
        problems.push(format!("your trust directory ended at {end}: get the one that follows it"));
    }
    Finding::with(key, problems)
}

/// A trust directory says nothing of what happened after its end.
pub(super) fn expired_before(root: &TrustRoot, streams: &Streams) -> Option<String> {
    let late = streams.request.iter().find(|recorded| root.is_expired(recorded.at))?;
    let end = root.document().expires_at;
    Some(format!(
        "your trust directory ended at {end}, before leaf {}: get the one that follows it",
        late.index
    ))
}

/// What the log says was sealed under this version must be what the verifier has.
pub(super) fn sealed_otherwise(root: &TrustRoot, streams: &Streams) -> Option<String> {
    let otherwise = streams.trust.iter().find(|recorded| {
        let TrustEvent::Sealed(sealed) = &recorded.event;
        sealed.version == root.document().version && sealed.sha256 != root.sha256()
    })?;
    Some(format!("leaf {}: the log sealed another trust.json under the version of yours", otherwise.index))
}

pub(super) fn floor(
    root: &TrustRoot,
    case: &Case,
    asking: &Asking,
    verdict: &VerdictDocument,
    seats: &Seating,
) -> Finding<()> {
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
    Finding::of(problems)
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
