//! Erasing personal values of one request. What was signed and logged stays; every proof stays valid.

use std::collections::BTreeSet;

use chancery_canonical::Sha256;
use chancery_canonical::base64::decode_url;
use chancery_domain::decide::{Command, Facts, decide};
use chancery_domain::id::RequestId;
use chancery_domain::people::AUDITOR;
use chancery_domain::proof::AuthenticatedActor;
use chancery_store::Erasure;

use super::App;
use super::load_request::LoadedRequest;
use super::people::disclosures;
use super::record_events::Record;
use crate::problem::Problem;

/// Most digests in one redaction: its event must fit one leaf.
const MAX_DIGESTS: usize = 32;

impl App {
    /// Erases the disclosures with these digests beside every event of the request.
    pub(crate) async fn redact_request(
        &self,
        actor: &AuthenticatedActor,
        id: &RequestId,
        digests: &[String],
    ) -> Result<(), Problem> {
        let (now, people) = (self.now(), self.people.now());
        let reader = people.active(actor.person());
        if !reader.is_some_and(|known| known.roles.contains(AUDITOR)) {
            return Err(Problem::forbidden("only an auditor may erase"));
        }
        let loaded = self.find_request(id, actor.person(), &people).await?;
        let wanted = parse(digests)?;
        let erase = erasures(&loaded, &wanted)?;
        let facts = Facts {
            now,
            directory: people.directory(),
            verdict: None,
            standing_verdict: None,
            approvals: &[],
            alerts: people.alerts(),
        };
        let events = decide(Some(&loaded.state), Command::Redact(actor.clone(), digests.to_vec()), &facts)?;
        let mut record = Record::of(id, Some(&loaded), now).with(events);
        record.erase = erase;
        self.record(record, &people).await?;
        self.requests.forget(id);
        Ok(())
    }
}

fn parse(digests: &[String]) -> Result<BTreeSet<Sha256>, Problem> {
    if digests.is_empty() || digests.len() > MAX_DIGESTS {
        return Err(Problem::member("/digests", format!("name 1 to {MAX_DIGESTS} digests")));
    }
    let mut wanted = BTreeSet::new();
    for (position, text) in digests.iter().enumerate() {
        let digest = decode_url(text).ok().and_then(|bytes| Sha256::try_from(bytes.as_slice()).ok());
        let pointer = format!("/digests/{position}");
        wanted
            .insert(digest.ok_or_else(|| Problem::member(&pointer, "is no base64url of a SHA-256 digest"))?);
    }
    Ok(wanted)
}

/// The digests that a redaction names; `None` when one is none.
pub fn digests_of(texts: &[String]) -> Option<BTreeSet<Sha256>> {
    texts.iter().map(|text| Sha256::try_from(decode_url(text).ok()?.as_slice()).ok()).collect()
}

/// Beside which events these disclosures stand; each must stand somewhere.
fn erasures(loaded: &LoadedRequest, wanted: &BTreeSet<Sha256>) -> Result<Vec<Erasure>, Problem> {
    let mut found = BTreeSet::new();
    let mut erasures = Vec::new();
    for placed in &loaded.events {
        let here =
            disclosures(placed.private.as_ref()).iter().map(|one| one.digest()).collect::<BTreeSet<_>>();
        let digests: Vec<Sha256> = here.intersection(wanted).copied().collect();
        if !digests.is_empty() {
            found.extend(digests.iter().copied());
            erasures.push(Erasure { leaf_index: placed.position.leaf_index, digests });
        }
    }
    if found == *wanted {
        return Ok(erasures);
    }
    Err(Problem::member("/digests", "one of them has no disclosure in this request, or it was erased before"))
}
