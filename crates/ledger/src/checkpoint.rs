//! Checkpoints: c2sp.org/tlog-checkpoint, a note that states a log's name, size and root.
//!
//! Extension lines are refused: no monitor can audit them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::decimal;
use crate::note::{KeyName, Note, NoteError, NoteSignature, SignerKey, VerifierKey};
use crate::tree::{Hash, HashParseError, Root, RootError};

/// The name of a log: a bare host name in lower case, one for each life of a log.
///
/// No path, port, plus or space, since other verifiers build an address from it. 1 to 253 characters, labels of
/// `a`–`z`, `0`–`9` and inner hyphens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same name, for the log's signing key.
    pub fn key_name(&self) -> KeyName {
        KeyName::of_host(&self.0)
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Origin, OriginError> {
        if text.len() <= 253 && text.split('.').all(is_label) {
            Ok(Origin(text.to_owned()))
        } else {
            Err(OriginError { name: text.escape_debug().take(80).collect() })
        }
    }
}

fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(allowed)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Origin, OriginError> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The text is no bare host name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot name a log; use a bare host name in lower case, such as `log.example.com`")]
pub struct OriginError {
    name: String,
}

/// What a log says of itself at one moment. Unsigned, it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    root: Root,
}

impl Checkpoint {
    /// States that the log of this name has this root.
    pub fn new(origin: Origin, root: Root) -> Checkpoint {
        Checkpoint { origin, root }
    }

    /// Reads the text of a note, its final newline included.
    ///
    /// # Errors
    /// [`CheckpointError`] for anything but three lines in their one spelling.
    pub fn parse_text(text: &str) -> Result<Checkpoint, CheckpointError> {
        let lines = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?;
        let lines: Vec<&str> = lines.split('\n').collect();
        let [origin, size, hash] = lines.as_slice() else { return Err(CheckpointError::Lines) };
        let size = decimal::parse(size).ok_or(CheckpointError::Size)?;
        let root = Root::new(size, Hash::from_base64(hash)?)?;
        Ok(Checkpoint { origin: origin.parse()?, root })
    }

    /// The text that is signed: three lines, each with its newline.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.root.size(), self.root.hash().to_base64())
    }

    /// Name of the log.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Size and root hash.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.root.size()
    }

    /// Signs as the log. The caller has made sure that the root extends every root signed before.
    ///
    /// # Errors
    /// [`CheckpointError`] if the key's name is not the origin, or the key is a witness's.
    pub fn sign(self, key: &SignerKey) -> Result<SignedCheckpoint, CheckpointError> {
        self.require_name(key.verifier())?;
        let mut note = Note::new(self.text())?;
        note.sign(key)?;
        Ok(SignedCheckpoint { checkpoint: self, note })
    }

    /// Reads a checkpoint and verifies the log's signature on it.
    ///
    /// # Errors
    /// [`CheckpointError`] names what is wrong with the note, its signature or its lines.
    pub fn open(bytes: &[u8], key: &VerifierKey) -> Result<SignedCheckpoint, CheckpointError> {
        Checkpoint::open_note(Note::parse(bytes)?, key)
    }

    /// Verifies the log's signature on a note that has been read.
    ///
    /// # Errors
    /// [`CheckpointError`] names what is wrong with its signature or its lines.
    pub fn open_note(note: Note, key: &VerifierKey) -> Result<SignedCheckpoint, CheckpointError> {
        note.verify(key)?;
        let checkpoint = Checkpoint::parse_text(note.text())?;
        checkpoint.require_name(key)?;
        Ok(SignedCheckpoint { checkpoint, note })
    }

    /// A key of another name must not speak for this log, whatever it signed.
    fn require_name(&self, key: &VerifierKey) -> Result<(), CheckpointError> {
        if key.name().as_str() == self.origin.as_str() {
            Ok(())
        } else {
            Err(CheckpointError::OtherLog { origin: self.origin.clone(), key: key.name().clone() })
        }
    }
}

/// A checkpoint on which the log's signature was made or verified in this process, with its note.
///
/// Cosignatures in the note are carried along; [`crate::cosignature::verify`] and
/// [`crate::witness_policy::WitnessPolicy::accept`] look at them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Name, size and root.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Size and root hash.
    pub fn root(&self) -> &Root {
        &self.checkpoint.root
    }

    /// The note with all its signature lines. Its `to_string` is what is stored and served.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Puts a witness's signature line under the others.
    ///
    /// # Errors
    /// [`NoteError`] if the note has its fill of signatures.
    pub fn add_signature(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        self.note.add(signature)
    }
}

/// Why a checkpoint is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note or its signature is wrong.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not three lines.
    #[error("a checkpoint is three lines: name, size, root; extension lines are not taken")]
    Lines,
    /// The first line is no log's name.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The second line is no size.
    #[error("the second line of a checkpoint is its size in decimal, without leading zeros")]
    Size,
    /// The third line is no hash.
    #[error(transparent)]
    Hash(#[from] HashParseError),
    /// Size and hash do not go together.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The key belongs to another log.
    #[error("the checkpoint is of the log `{origin}`, the key is of `{key}`; use the key of that log")]
    OtherLog {
        /// Name in the checkpoint.
        origin: Origin,
        /// Name of the key.
        key: KeyName,
    },
}
