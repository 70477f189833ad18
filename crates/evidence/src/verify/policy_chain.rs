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
use crate::identity::MAX_IDENTITY_OFFER_SECONDS;
use crate::signer::verify_signer;
use crate::trust::TrustRoot;

/// One activation.
pub(super) struct Activation {
    index: u64,
    at: Timestamp,
    policy_sha256: Sha256,
}

/// Each activation follows the one before and was signed by enough owners; and each verdict is by the bundle that
/// was active when it was logged.
pub(super) fn policy_chain(
    events: &[Recorded<PolicyEvent>],
    judged: &[Recorded<Judged>],
    contents: &Contents,
    directories: &Directories,
    trust: &TrustRoot,
) -> Finding<()> {
    let mut problems = Vec::new();
    let mut active: Vec<Activation> = Vec::new();
    let mut nonces = BTreeSet::new();
    for recorded in events {
        let PolicyEvent::Activated(body) = &recorded.event;
        let said = |problem: String| format!("leaf {}: {problem}", recorded.index);
        if let Err(problem) = follows(body, active.len(), active.last(), trust) {
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
        active.push(Activation { index: recorded.index, at: recorded.at, policy_sha256: body.to });
    }
    for verdict in judged {
        if !was_active(&active, verdict) {
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
    before: Option<&Activation>,
    trust: &TrustRoot,
) -> Result<(), String> {
    if usize::try_from(body.sequence) != Ok(earlier + 1) {
        return Err(format!("its sequence is {} where {} is next", body.sequence, earlier + 1));
    }
    if body.from != before.map(|before| before.policy_sha256) {
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
            Authority::People { document, signatures } => {
                let said: IdentityDocument = document.decode().map_err(|error| error.to_string())?;
                self.document(&said)?;
                self.signatures(&challenge::<IdentityDocument>(document), signatures)?;
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

    fn signatures(&self, challenge: &Sha256, signatures: &[PersonSignature]) -> Result<(), String> {
        let mut owners = BTreeSet::new();
        for PersonSignature { person, assertion } in signatures {
            let signer =
                verify_signer(person, assertion, challenge, self.trust.relying_party(), self.directory);
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

/// Active at its leaf; or replaced by one that was recorded no earlier than the verdict and overtook it on the
/// way into the log.
fn was_active(active: &[Activation], verdict: &Recorded<Judged>) -> bool {
    let before = active.partition_point(|activation| activation.index < verdict.index);
    let Some(last) = before.checked_sub(1).and_then(|last| active.get(last)) else { return false };
    let overtaken = before.checked_sub(2).and_then(|last| active.get(last)).filter(|_| last.at >= verdict.at);
    let named = verdict.event.policy_sha256;
    last.policy_sha256 == named || overtaken.is_some_and(|overtaken| overtaken.policy_sha256 == named)
}
