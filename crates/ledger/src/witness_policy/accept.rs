//! Holding a checkpoint against a policy.

use std::collections::BTreeSet;

use super::{Quorum, Threshold, WitnessPolicy};
use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::cosignature::{self, Cosignature, CosignatureError};
use crate::note::{Note, NoteError};

/// A checkpoint that satisfied a policy, and the cosignatures of its witnesses that were verified on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedCheckpoint {
    checkpoint: SignedCheckpoint,
    cosignatures: Vec<Cosignature>,
    quorum_time_seconds: Option<u64>,
}

impl AcceptedCheckpoint {
    /// The checkpoint, with the log's signature verified.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Every cosignature by a witness of the policy, whether the quorum needed it or not.
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// When the quorum was complete by its witnesses' own clocks, in seconds since 1970-01-01 UTC: what this
    /// checkpoint covers is older. `None` if the policy demands no witness, and then no time is proved.
    ///
    /// One witness alone that claims an early time cannot move this before what the rest of its quorum says.
    pub fn quorum_time_seconds(&self) -> Option<u64> {
        self.quorum_time_seconds
    }
}

impl WitnessPolicy {
    /// Verifies that one of the policy's logs signed the checkpoint and that its quorum cosigned it.
    ///
    /// A wrong signature by a key that the policy knows refuses the whole note, even where the quorum would do
    /// without it.
    ///
    /// # Errors
    /// [`AcceptError`] names the log, the witness or the quorum that fails.
    pub fn accept(&self, bytes: &[u8]) -> Result<AcceptedCheckpoint, AcceptError> {
        self.accept_note(Note::parse(bytes)?)
    }

    /// The same for a note that has been read.
    ///
    /// # Errors
    /// As [`WitnessPolicy::accept`].
    pub fn accept_note(&self, note: Note) -> Result<AcceptedCheckpoint, AcceptError> {
        let mut signers = Vec::new();
        for log in &self.logs {
            if note.signature_by(&log.key)?.is_some() {
                note.verify(&log.key)?;
                signers.push(&log.key);
            }
        }
        let origin = note.text().split('\n').next().unwrap_or_default();
        let signer = signers.into_iter().find(|key| key.name().as_str() == origin);
        let signer =
            signer.ok_or_else(|| AcceptError::NoKnownLog { origin: origin.chars().take(80).collect() })?;
        let mut seen_by = Vec::new();
        for witness in &self.witnesses {
            if let Some(cosignature) = cosignature::verify(&note, &witness.key)? {
                seen_by.push((witness.name.as_str(), cosignature));
            }
        }
        let quorum_time_seconds = self.quorum_time(&seen_by)?;
        let cosignatures = seen_by.into_iter().map(|(_, cosignature)| cosignature).collect();
        let checkpoint = Checkpoint::open_note(note, signer)?;
        Ok(AcceptedCheckpoint { checkpoint, cosignatures, quorum_time_seconds })
    }

    /// The time of the cosignature that completes the quorum, taking them from the earliest on.
    fn quorum_time(&self, seen_by: &[(&str, Cosignature)]) -> Result<Option<u64>, AcceptError> {
        let Quorum::Named(quorum) = &self.quorum else { return Ok(None) };
        let mut by_time: Vec<_> = seen_by.iter().map(|(name, seen)| (seen.time_seconds(), *name)).collect();
        by_time.sort_unstable();
        let mut names = BTreeSet::new();
        for (time_seconds, name) in by_time {
            names.insert(name);
            if self.with_groups(&names).contains(quorum.as_str()) {
                return Ok(Some(time_seconds));
            }
        }
        let seen_by = self.with_groups(&names).into_iter().map(str::to_owned).collect();
        Err(AcceptError::NoQuorum { quorum: quorum.clone(), seen_by })
    }

    /// These witnesses and every group that has enough members; groups name only what stands before them.
    fn with_groups<'a>(&'a self, witnesses: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
        let mut seen_by = witnesses.clone();
        for group in &self.groups {
            let needed = match group.threshold {
                Threshold::Any => 1,
                Threshold::All => group.members.len(),
                Threshold::AtLeast(count) => count,
            };
            let members = group.members.iter().filter(|member| seen_by.contains(member.as_str())).count();
            if members >= needed {
                seen_by.insert(&group.name);
            }
        }
        seen_by
    }
}

/// Why a policy does not accept a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// The note is malformed, or a log's signature is wrong.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint's lines are wrong.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A witness's signature is wrong.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
    /// None of the policy's logs of that name signed.
    #[error("no log of the policy has signed as `{origin}`; add its key if you mean to trust it")]
    NoKnownLog {
        /// First line of the checkpoint, unverified, cut to 80 characters.
        origin: String,
    },
    /// Not enough witnesses.
    #[error("the quorum `{quorum}` has not cosigned, only `{}` has; ask the log for more cosignatures", seen_by.join(" "))]
    NoQuorum {
        /// Name of the quorum's witness or group.
        quorum: String,
        /// Witnesses and groups that have.
        seen_by: Vec<String>,
    },
}
