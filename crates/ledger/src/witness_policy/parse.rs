//! Reading a policy, line by line.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::{Group, Log, Quorum, Threshold, Witness, WitnessPolicy};
use crate::checkpoint::{Origin, OriginError};
use crate::decimal;
use crate::note::{KeyError, KeyType, VerifierKey};

/// The longest policy that is read, in bytes.
pub const MAX_POLICY_BYTES: usize = 64 * 1024;

/// The most logs, witnesses and groups, of each. (The specification asks for at least 32.)
pub const MAX_LINES_OF_A_KIND: usize = 64;

impl FromStr for WitnessPolicy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<WitnessPolicy, PolicyError> {
        let refused = |byte: u8| (byte < 0x20 && byte != b'\n' && byte != b'\t') || byte == 0x7f;
        if text.len() > MAX_POLICY_BYTES || text.bytes().any(refused) {
            return Err(PolicyError::Text);
        }
        let lines = text.strip_suffix('\n').ok_or(PolicyError::Text)?;
        let mut reader = Reader::default();
        for (number, line) in (1..).zip(lines.split('\n')) {
            let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            reader.line(&words).map_err(|error| PolicyError::Line { number, error })?;
        }
        let quorum = reader.quorum.ok_or(PolicyError::NoQuorum)?;
        Ok(WitnessPolicy { logs: reader.logs, witnesses: reader.witnesses, groups: reader.groups, quorum })
    }
}

#[derive(Default)]
struct Reader {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Quorum>,
    members: BTreeSet<String>,
}

impl Reader {
    fn line(&mut self, words: &[&str]) -> Result<(), LineError> {
        match words {
            [] => Ok(()),
            [comment, ..] if comment.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err(LineError::Syntax),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), LineError> {
        let key: VerifierKey = key.parse()?;
        // Its name is its origin, so it has to be one.
        let _: Origin = key.name().as_str().parse()?;
        if key.key_type() != KeyType::Ed25519 {
            return Err(LineError::KeyType);
        }
        if self.logs.iter().any(|log| log.key.public_key() == key.public_key()) {
            return Err(LineError::DuplicateKey);
        }
        self.logs.push(Log { key, url: url.map(str::to_owned) });
        limit(self.logs.len())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), LineError> {
        let key: VerifierKey = key.parse()?;
        if key.key_type() != KeyType::Cosignature {
            return Err(LineError::KeyType);
        }
        if self.witnesses.iter().any(|witness| witness.key.public_key() == key.public_key()) {
            return Err(LineError::DuplicateKey);
        }
        let name = self.new_name(name)?;
        self.witnesses.push(Witness { name, key, url: url.map(str::to_owned) });
        limit(self.witnesses.len())
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), LineError> {
        let name = self.new_name(name)?;
        let threshold = match threshold {
            "any" => Threshold::Any,
            "all" => Threshold::All,
            count => decimal::parse(count)
                .and_then(|count| usize::try_from(count).ok())
                .filter(|count| (1..=members.len()).contains(count))
                .map(Threshold::AtLeast)
                .ok_or(LineError::Threshold { members: members.len() })?,
        };
        if members.is_empty() {
            return Err(LineError::Syntax);
        }
        for member in members {
            self.require_defined(member)?;
            // One way only for each witness to contribute, so no witness counts twice.
            if !self.members.insert((*member).to_owned()) {
                return Err(LineError::MemberTwice { name: (*member).to_owned() });
            }
        }
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.groups.push(Group { name, threshold, members });
        limit(self.groups.len())
    }

    fn quorum(&mut self, name: &str) -> Result<(), LineError> {
        if self.quorum.is_some() {
            return Err(LineError::SecondQuorum);
        }
        self.quorum = Some(if name == "none" {
            Quorum::None
        } else {
            self.require_defined(name)?;
            Quorum::Named(name.to_owned())
        });
        Ok(())
    }

    fn new_name(&self, name: &str) -> Result<String, LineError> {
        if name == "none" || self.is_defined(name) {
            return Err(LineError::NameTaken { name: name.to_owned() });
        }
        Ok(name.to_owned())
    }

    fn require_defined(&self, name: &str) -> Result<(), LineError> {
        if self.is_defined(name) { Ok(()) } else { Err(LineError::Undefined { name: name.to_owned() }) }
    }

    fn is_defined(&self, name: &str) -> bool {
        self.witnesses.iter().any(|witness| witness.name == name)
            || self.groups.iter().any(|group| group.name == name)
    }
}

fn limit(count: usize) -> Result<(), LineError> {
    if count > MAX_LINES_OF_A_KIND { Err(LineError::TooMany) } else { Ok(()) }
}

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Too long, not ending in a newline, or with control characters.
    #[error("a policy is lines of text, each ended by a newline, of at most {MAX_POLICY_BYTES} bytes in all")]
    Text,
    /// No quorum line.
    #[error("the policy has no quorum line; write `quorum none` if no witness is demanded")]
    NoQuorum,
    /// A line is wrong.
    #[error("line {number} of the policy: {error}")]
    Line {
        /// Number of the line, from 1.
        number: usize,
        /// What is wrong with it.
        error: LineError,
    },
}

/// Why a line of a policy is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not one of the four forms.
    #[error("write `log VKEY`, `witness NAME VKEY`, `group NAME any|all|COUNT NAME…` or `quorum NAME`")]
    Syntax,
    /// The key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A log's key does not bear a log's name.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// A witness's key for a log, or the other way round.
    #[error("a log's key is of type 0x01, a witness's of type 0x04; swap them")]
    KeyType,
    /// The same public key twice.
    #[error("another line has the same public key; a key counts once")]
    DuplicateKey,
    /// The name is used already, or is `none`.
    #[error("the name `{name}` is taken; choose another")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The name is not defined above.
    #[error("`{name}` is no witness or group of the lines above; define it first")]
    Undefined {
        /// The name.
        name: String,
    },
    /// The name is already a member of a group.
    #[error("`{name}` is a member of a group already; a witness counts once")]
    MemberTwice {
        /// The name.
        name: String,
    },
    /// The threshold is no number between 1 and the number of members.
    #[error("the threshold is `any`, `all`, or a number from 1 to {members}")]
    Threshold {
        /// Number of members.
        members: usize,
    },
    /// Another quorum line.
    #[error("the policy has a quorum line already; keep one")]
    SecondQuorum,
    /// Over the limit.
    #[error("more than {MAX_LINES_OF_A_KIND} lines of this kind")]
    TooMany,
}
