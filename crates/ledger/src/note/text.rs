//! The note itself: parsing, printing, signing and verifying.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{KeyError, KeyId, KeyName, KeyType, SignerKey, VerifierKey};

/// The longest note that is read, in bytes: room for a checkpoint with [`MAX_SIGNATURES`] post-quantum ones.
pub const MAX_NOTE_BYTES: usize = 256 * 1024;

/// The most signature lines a note may have. (The specification asks for at least 16.)
pub const MAX_SIGNATURES: usize = 64;

/// A text with signature lines under it.
///
/// INVARIANT: the text ends in a newline, holds no other control characters, and printing gives back exactly
/// the bytes that were parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// A note over a text, without signatures as yet.
    ///
    /// # Errors
    /// [`NoteError`] if the text does not end in a newline, or holds other control characters.
    pub fn new(text: String) -> Result<Note, NoteError> {
        check_characters(&text)?;
        if !text.ends_with('\n') || text.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Text);
        }
        Ok(Note { text, signatures: Vec::new() })
    }

    /// Reads a note with at least one signature line. Nothing is verified.
    ///
    /// # Errors
    /// [`NoteError`] for anything but the form that c2sp.org/signed-note prescribes, in its one spelling.
    pub fn parse(bytes: &[u8]) -> Result<Note, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong { length: bytes.len() });
        }
        let all = str::from_utf8(bytes).map_err(|_| NoteError::Characters)?;
        check_characters(all)?;
        // The last empty line parts text and signatures; the text may have empty lines of its own.
        let (text, signatures) = all.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let mut note = Note::new(format!("{text}\n"))?;
        let lines = signatures.strip_suffix('\n').ok_or(NoteError::FinalNewline)?;
        for line in lines.split('\n') {
            note.add(line.parse()?)?;
        }
        Ok(note)
    }

    /// The text, its final newline included: the bytes that are signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines, known or not, verified or not.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Puts a signature line under the others.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`] if there are [`MAX_SIGNATURES`] already.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.len() >= MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Signs the text with a key of type [`KeyType::Ed25519`].
    ///
    /// # Errors
    /// [`NoteError::WrongKeyType`] for a cosignature key, which signs a time as well.
    pub fn sign(&mut self, key: &SignerKey) -> Result<(), NoteError> {
        require_type(key.verifier(), KeyType::Ed25519)?;
        self.add(NoteSignature::new(key.verifier(), key.sign(self.text.as_bytes())))
    }

    /// Checks that a key of type [`KeyType::Ed25519`] signed the text.
    ///
    /// # Errors
    /// [`NoteError`] if it did not sign, signed twice, or its signature is wrong.
    pub fn verify(&self, key: &VerifierKey) -> Result<(), NoteError> {
        require_type(key, KeyType::Ed25519)?;
        let line = self.signature_by(key)?.ok_or_else(|| NoteError::Unsigned { name: key.name().clone() })?;
        if key.signed(self.text.as_bytes(), &line.signature) {
            Ok(())
        } else {
            Err(NoteError::BadSignature { name: key.name().clone() })
        }
    }

    /// The line under this key's name and id, unverified; `None` if there is none.
    ///
    /// # Errors
    /// [`NoteError::SignedTwice`] if there are two: which of them counts would be up to the reader.
    pub fn signature_by(&self, key: &VerifierKey) -> Result<Option<&NoteSignature>, NoteError> {
        let id = key.key_id();
        let mut lines = self.signatures.iter().filter(|line| line.id == id && line.name == *key.name());
        let first = lines.next();
        if lines.next().is_some() {
            return Err(NoteError::SignedTwice { name: key.name().clone() });
        }
        Ok(first)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(formatter, "{signature}"))
    }
}

pub(crate) fn require_type(key: &VerifierKey, wanted: KeyType) -> Result<(), NoteError> {
    if key.key_type() == wanted {
        Ok(())
    } else {
        Err(NoteError::WrongKeyType { name: key.name().clone(), found: key.key_type(), wanted })
    }
}

fn check_characters(text: &str) -> Result<(), NoteError> {
    let refused = |byte: u8| byte < 0x20 && byte != b'\n';
    if text.bytes().any(refused) { Err(NoteError::Characters) } else { Ok(()) }
}

/// One signature line: `— name base64(key id ‖ signature)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    id: KeyId,
    signature: Vec<u8>,
}

impl NoteSignature {
    pub(crate) fn new(key: &VerifierKey, signature: Vec<u8>) -> NoteSignature {
        NoteSignature { name: key.name().clone(), id: key.key_id(), signature }
    }

    /// The name of the key that is said to have signed.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of that key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The bytes after the id; their form depends on the key's type.
    pub fn bytes(&self) -> &[u8] {
        &self.signature
    }
}

/// The line without its newline.
impl fmt::Display for NoteSignature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.as_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        write!(formatter, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// Reads a line without its newline, as a witness answers with it.
impl FromStr for NoteSignature {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<NoteSignature, NoteError> {
        let rest = line.strip_prefix("\u{2014} ").ok_or(NoteError::SignatureLine)?;
        let (name, encoded) = rest.split_once(' ').ok_or(NoteError::SignatureLine)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::SignatureLine)?;
        match bytes.split_first_chunk() {
            Some((id, signature)) if !signature.is_empty() => Ok(NoteSignature {
                name: name.parse()?,
                id: KeyId::from_bytes(*id),
                signature: signature.to_vec(),
            }),
            _ => Err(NoteError::SignatureLine),
        }
    }
}

/// Why bytes are no note, or a note is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Over the size limit.
    #[error("a note of `{length}` bytes is over the limit of {MAX_NOTE_BYTES}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// Not UTF-8, or with control characters.
    #[error("a note is UTF-8 without control characters other than newline; fetch it again unchanged")]
    Characters,
    /// The text has no newline at its end, or is too long.
    #[error("the text of a note ends in a newline and is at most {MAX_NOTE_BYTES} bytes")]
    Text,
    /// There is no empty line with signatures after it.
    #[error("the note has no signatures; they follow its last empty line")]
    NoSignatures,
    /// The last line is cut off.
    #[error("the note does not end in a newline; it may be cut off, fetch it again")]
    FinalNewline,
    /// A line after the empty line is no signature.
    #[error("a signature line is an em dash, a key's name and base64, with single spaces between")]
    SignatureLine,
    /// A name in a signature line is not allowed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Over the limit of signature lines.
    #[error("the note has more than {MAX_SIGNATURES} signatures; drop those nobody asked for")]
    TooManySignatures,
    /// The key has no signature here.
    #[error("the note is not signed by `{name}`; check that the key is the right one")]
    Unsigned {
        /// Name of the key.
        name: KeyName,
    },
    /// The key has two lines.
    #[error("the note carries two signatures of `{name}`; keep one")]
    SignedTwice {
        /// Name of the key.
        name: KeyName,
    },
    /// The signature does not belong to the text.
    #[error("the signature of `{name}` is not over this text; the note was changed or forged")]
    BadSignature {
        /// Name of the key.
        name: KeyName,
    },
    /// A log's key where a witness's belongs, or the other way round.
    #[error("the key `{name}` is of type {found:?} where {wanted:?} is needed")]
    WrongKeyType {
        /// Name of the key.
        name: KeyName,
        /// The type it has.
        found: KeyType,
        /// The type that is needed.
        wanted: KeyType,
    },
}
