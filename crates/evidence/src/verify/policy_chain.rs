//! Which policy bundle was active when.

use std::collections::BTreeSet;

use chancery_canonical::Sha256;
use chancery_domain::document::{IdentityDocument, challenge};
use chancery_domain::event::{Judged, PolicyActivated, PolicyEvent};
use chancery_domain::people::{Directory, POLICY_OWNER};
use chancery_domain::signature::{Authority, PersonSignature};
use chancery_domain::time::Timestamp;

use super::check::Finding;
use super::directories::Directories;
use super::log::{Content, Contents};
use super::streams::Recorded;
use super::verdict::Verdict;
use crate::identity::MAX_IDENTITY_OFFER_SECONDS;
use crate::signer::verify_signer;
use crate::trust::{TrustRoot, Versions};

/// Each activation follows the one before and was signed by enough owners; and each verdict is by the bundle that
/// was active when it was logged.
pub(super) fn policy_chain(
    events: &[Recorded<PolicyEvent>],
    judged: &[Recorded<Judged>],
    contents: &Contents,
    directories: &Directories,
    versions: &Versions<'_>,
) -> Finding<()> {
    let mut problems = Vec::new();
    let mut before: Option<&PolicyActivated> = None;
    let mut nonces = BTreeSet::new();
    for (earlier, recorded) in events.iter().enumerate() {
        let PolicyEvent::Activated(body) = &recorded.event;
        let said = |problem: String| format!("leaf {}: {problem}", recorded.index);
        let trust = versions.at(recorded.index, recorded.at);
        if let Err(problem) = follows(body, earlier, before, trust) {
            problems.push(said(problem));
        }
        let moment = Moment { recorded, contents, directory: directories.before(recorded.index), trust };
        match moment.authority(&body.authority) {
            Ok(Some(nonce)) if !nonces.insert(nonce.clone()) => {
                problems.push(said("its nonce was used before".into()))
            }
            Ok(_) => {}
            Err(problem) => problems.push(said(problem)),
        }
        before = Some(body);
    }
    for verdict in judged {
        if active(events, verdict).is_empty() {
            problems.push(format!(
                "leaf {}: it is by policy `{}`, which was not the active one",
                verdict.index, verdict.event.policy_sha256
            ));
        }
    }
    Finding::of(problems)
}

/// The number and the bundle before it, and for the first that trust.json names it.
fn follows(
    body: &PolicyActivated,
    earlier: usize,
    before: Option<&PolicyActivated>,
    trust: &TrustRoot,
) -> Result<(), String> {
    if usize::try_from(body.sequence) != Ok(earlier + 1) {
        return Err(format!("its sequence is {} where {} is next", body.sequence, earlier + 1));
    }
    if body.from != before.map(|before| before.to) {
        return Err("it does not start from the bundle that was active".to_owned());
    }
    let genesis = trust.document().policy.genesis_sha256;
    if before.is_none() && body.to != genesis {
        return Err(format!("the first policy is `{}`, your trust directory names `{genesis}`", body.to));
    }
    if !trust.knows_engine(&body.engine) {
        return Err(format!("your trust directory does not list the engine `{}`", body.engine));
    }
    Ok(())
}

struct Moment<'a> {
    recorded: &'a Recorded<PolicyEvent>,
    contents: &'a Contents,
    directory: &'a Directory,
    trust: &'a TrustRoot,
}

impl Moment<'_> {
    /// Checks who said so, and returns the nonce that they used up.
    fn authority(&self, authority: &Authority) -> Result<Option<String>, String> {
        let PolicyEvent::Activated(body) = &self.recorded.event;
        match authority {
            Authority::Genesis if body.sequence == 1 => Ok(None),
            Authority::Genesis => Err("only the first policy stands by itself: owners must sign".to_owned()),
            Authority::RecoveryKeys { .. } => Err("recovery keys activate no policy".to_owned()),
            Authority::People { document, signatures } => {
                let said: IdentityDocument = document.decode().map_err(|error| error.to_string())?;
                self.document(&said)?;
                self.signatures(&challenge::<IdentityDocument>(document), signatures, said.issued_at)?;
                Ok(Some(said.nonce))
            }
        }
    }

    /// The document authorises exactly this event, here and now.
    fn document(&self, document: &IdentityDocument) -> Result<(), String> {
        let Some(Content::Event(leaf)) = self.contents.get(&self.recorded.index) else {
            return Err("its leaf cannot be read".to_owned());
        };
        let mut body = leaf.body.clone();
        body.remove("authority");
        if document.act != leaf.kind || document.body != body {
            return Err("its owners signed something else".to_owned());
        }
        if document.log_origin != self.trust.log_origin() {
            return Err(format!("its owners signed for the log `{}`", document.log_origin));
        }
        let length = document.expires_at.seconds_since(document.issued_at);
        let open = self.recorded.at >= document.issued_at && self.recorded.at < document.expires_at;
        if !open || length > MAX_IDENTITY_OFFER_SECONDS {
            return Err("it was recorded outside of the time in which it was offered for signing".to_owned());
        }
        Ok(())
    }

    fn signatures(
        &self,
        challenge: &Sha256,
        signatures: &[PersonSignature],
        at: Timestamp,
    ) -> Result<(), String> {
        let mut owners = BTreeSet::new();
        for PersonSignature { person, assertion } in signatures {
            let (site, directory) = (self.trust.relying_party(), self.directory);
            let signer = verify_signer(person, assertion, challenge, site, directory, at);
            let signer = signer.map_err(|refusal| format!("the signature of `{person}`: {refusal}"))?;
            if !signer.person.roles.contains(POLICY_OWNER) {
                return Err(format!("person `{person}` owns no policy"));
            }
            owners.insert(person);
        }
        let needed = self.trust.document().policy.owners_needed;
        if u32::try_from(owners.len()).is_ok_and(|found| found < needed) {
            return Err(format!("{} owners signed where {needed} are needed", owners.len()));
        }
        Ok(())
    }
}

/// The activations by which a verdict may be: that which was active at its leaf, if it was of the verdict's bundle;
/// or the one before, when its successor was recorded no earlier than the verdict and overtook it on the way into
/// the log.
fn active<'a>(events: &'a [Recorded<PolicyEvent>], verdict: &Recorded<Judged>) -> Vec<&'a PolicyActivated> {
    let before = events.partition_point(|activation| activation.index < verdict.index);
    let last = before.checked_sub(1).and_then(|last| events.get(last));
    let overtaken = before.checked_sub(2).and_then(|overtaken| events.get(overtaken));
    let overtaken = overtaken.filter(|_| last.is_some_and(|last| last.at >= verdict.at));
    let bodies = last.into_iter().chain(overtaken).map(|recorded| {
        let PolicyEvent::Activated(body) = &recorded.event;
        body
    });
    bodies.filter(|body| body.to == verdict.event.policy_sha256).collect()
}

/// Each verdict is by the engine for which its bundle was activated. Else a server could name an engine that nobody
/// has, and no verdict of its would ever be evaluated again.
pub(super) fn engines(
    events: &[Recorded<PolicyEvent>],
    verdicts: &[Verdict],
    versions: &Versions<'_>,
) -> Vec<String> {
    let said = |verdict: &Verdict| {
        let engine = &verdict.document.engine;
        let activated = active(events, &verdict.judged).iter().any(|body| body.engine == *engine);
        let trust = versions.at(verdict.judged.index, verdict.judged.at);
        let problem = match (activated, trust.knows_engine(engine)) {
            (true, true) => return None,
            (false, _) => "which is not the one for which its bundle was activated",
            (true, false) => "which your trust directory does not list",
        };
        Some(format!("leaf {}: its verdict is by the engine `{engine}`, {problem}", verdict.judged.index))
    };
    verdicts.iter().filter_map(said).collect()
}
