//! Which logs a verifier believes, and how many witnesses it demands: c2sp.org/tlog-policy.
//!
//! The text names logs, witnesses, groups of them with a threshold, and one quorum. A checkpoint is accepted
//! if one of the logs signed it and the quorum cosigned it. The text has to be UTF-8 here, where the
//! specification would let any bytes stand in comments and names.

mod accept;
mod parse;

pub use accept::{AcceptError, AcceptedCheckpoint};
pub use parse::{LineError, MAX_LINES_OF_A_KIND, MAX_POLICY_BYTES, PolicyError};

use std::fmt;

use crate::note::VerifierKey;

/// A parsed policy.
///
/// INVARIANT: names are unique and defined before they are used, no name is a member of two groups, no two logs
/// or two witnesses share a public key, and thresholds are between 1 and the number of members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessPolicy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Quorum,
}

/// A log whose checkpoints may be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its key, of type Ed25519; the key's name is the log's origin.
    pub key: VerifierKey,
    /// Where it may be reached.
    pub url: Option<String>,
}

/// A witness whose cosignature may count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its name within this policy.
    pub name: String,
    /// Its key, of type cosignature.
    pub key: VerifierKey,
    /// Where it may be reached.
    pub url: Option<String>,
}

/// A group, which has witnessed a checkpoint when enough of its members have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name within this policy.
    pub name: String,
    /// How many members it takes.
    pub threshold: Threshold,
    /// Names of witnesses and earlier groups, at least one.
    pub members: Vec<String>,
}

/// How many members of a group it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// One.
    Any,
    /// Every one.
    All,
    /// This many.
    AtLeast(usize),
}

/// What has to have witnessed a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quorum {
    /// Nothing: the log's own word is enough.
    None,
    /// The witness or group of this name.
    Named(String),
}

impl WitnessPolicy {
    /// The logs, in the order of the text.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses, in the order of the text.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The groups, in the order of the text.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// What has to have witnessed a checkpoint.
    pub fn quorum(&self) -> &Quorum {
        &self.quorum
    }
}

/// The policy as text that parses to the same policy; comments are gone.
impl fmt::Display for WitnessPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = |url: &Option<String>| url.as_ref().map(|url| format!(" {url}")).unwrap_or_default();
        for log in &self.logs {
            writeln!(formatter, "log {}{}", log.key, address(&log.url))?;
        }
        for witness in &self.witnesses {
            writeln!(formatter, "witness {} {}{}", witness.name, witness.key, address(&witness.url))?;
        }
        for group in &self.groups {
            writeln!(formatter, "group {} {} {}", group.name, group.threshold, group.members.join(" "))?;
        }
        match &self.quorum {
            Quorum::None => writeln!(formatter, "quorum none"),
            Quorum::Named(name) => writeln!(formatter, "quorum {name}"),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Threshold::Any => formatter.write_str("any"),
            Threshold::All => formatter.write_str("all"),
            Threshold::AtLeast(count) => write!(formatter, "{count}"),
        }
    }
}
