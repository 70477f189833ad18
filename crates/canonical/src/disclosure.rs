//! Salted disclosures for object members (RFC 9901, SD-JWT, sections 4.2.1 and 7.1).
//!
//! A member that is personal is replaced by the digest of a disclosure, `base64url([salt, name, value])`. The
//! document is signed and logged in that form; whoever may see the value gets the disclosure beside it. When
//! the disclosure is deleted, the value is gone and every signature and proof stays valid.
//!
//! Array elements (`{"...": digest}`) are not concealed here, and decoy digests are not made.

mod conceal;
mod reveal;

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base64::{decode_url, encode_url};
use crate::digest::Sha256;
use crate::json::{self, JsonError, Value};

pub use conceal::conceal;
pub use reveal::{MissingDigest, Revealed, reveal};

/// The member that holds the digests of an object's concealed members.
pub const DIGESTS_MEMBER: &str = "_sd";

/// Names that may not be concealed (RFC 9901, section 4.2.1), because they steer the encoding itself.
const RESERVED_NAMES: [&str; 3] = [DIGESTS_MEMBER, "_sd_alg", "..."];

/// Salts have at least this many bytes: 128 bits.
const MINIMUM_SALT_BYTES: usize = 16;

/// The longest encoded disclosure that is read, in bytes.
const MAX_ENCODED_BYTES: usize = 64 * 1024;

/// Why a disclosure cannot be made, read or applied. Pointers are JSON pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// The encoded text is not strict base64url, or too long.
    #[error(
        "disclosure is not strict base64url of at most {MAX_ENCODED_BYTES} characters: send it unchanged"
    )]
    Encoding,
    /// The content is not strict JSON.
    #[error("disclosure holds unacceptable JSON: {0}")]
    Json(#[from] JsonError),
    /// The content is not `[salt, name, value]`.
    #[error("disclosure is not `[salt, name, value]`: only object members can be disclosed")]
    NotAMember,
    /// The salt is not base64url of at least 16 bytes.
    #[error("salt is not base64url of 16 to 64 bytes: use a fresh random one")]
    WeakSalt,
    /// A name that the encoding reserves.
    #[error("member name `{name}` is reserved: choose another")]
    ReservedName {
        /// The name.
        name: String,
    },
    /// Nothing stands at the pointer, or it does not name an object member.
    #[error("no object member at `{pointer}`: name a member that exists")]
    NoMember {
        /// The pointer.
        pointer: String,
    },
    /// An `_sd` member that is not an array of digests.
    #[error("`_sd` in `{object}` is not an array of base64url SHA-256 digests")]
    MalformedDigests {
        /// Pointer to the object that holds it.
        object: String,
    },
    /// The same digest occurs twice: in the document, or from two disclosures.
    #[error("digest `{digest}` occurs twice: each may stand once")]
    DuplicateDigest {
        /// The digest, base64url.
        digest: String,
    },
    /// A disclosure would overwrite a member that already stands there.
    #[error("disclosed member `{name}` already stands in `{object}`")]
    NameClash {
        /// Pointer to the object.
        object: String,
        /// The member's name.
        name: String,
    },
    /// A disclosure that no digest asks for.
    #[error("disclosure of `{name}` belongs to no digest of the document: leave it out")]
    Unused {
        /// The member's name.
        name: String,
    },
    /// A concealed array element, which this encoding does not use.
    #[error("concealed array element in `{array}`: only object members can be concealed")]
    ConcealedElement {
        /// Pointer to the array.
        array: String,
    },
}

/// One disclosed object member. In JSON: the encoded text.
///
/// The text is kept as it came, since the digest is over the text and not over its content.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    encoded: String,
    name: String,
    value: Value,
}

impl Disclosure {
    /// Makes a disclosure from a fresh random salt.
    ///
    /// # Errors
    /// [`DisclosureError::ReservedName`], or [`DisclosureError::Json`] for a value that has no canonical form.
    pub fn new(salt: &[u8; 16], name: &str, value: Value) -> Result<Self, DisclosureError> {
        refuse_reserved(name)?;
        let content = json::canonical_of(&(encode_url(salt), name, &value))?;
        let encoded = encode_url(content.as_bytes());
        if encoded.len() > MAX_ENCODED_BYTES {
            return Err(DisclosureError::Encoding);
        }
        Ok(Self { encoded, name: name.to_owned(), value })
    }

    /// Reads an encoded disclosure. White space inside its JSON is allowed, as in RFC 9901's own examples.
    ///
    /// # Errors
    /// Every reason for which the text is not one disclosed object member.
    pub fn parse(encoded: &str) -> Result<Self, DisclosureError> {
        if encoded.len() > MAX_ENCODED_BYTES {
            return Err(DisclosureError::Encoding);
        }
        let bytes = decode_url(encoded).map_err(|_| DisclosureError::Encoding)?;
        let Value::Array(elements) = json::parse(&bytes)? else {
            return Err(DisclosureError::NotAMember);
        };
        let Ok([Value::String(salt), Value::String(name), value]) = <[Value; 3]>::try_from(elements) else {
            return Err(DisclosureError::NotAMember);
        };
        refuse_weak_salt(&salt)?;
        refuse_reserved(&name)?;
        Ok(Self { encoded: encoded.to_owned(), name, value })
    }

    /// The digest that stands for the member: SHA-256 over the ASCII bytes of the encoded text.
    pub fn digest(&self) -> Sha256 {
        Sha256::of(self.encoded.as_bytes())
    }

    /// The encoded text.
    pub fn as_str(&self) -> &str {
        &self.encoded
    }

    /// The member's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The member's value. It may itself hold `_sd` digests.
    pub fn value(&self) -> &Value {
        &self.value
    }
}

fn refuse_weak_salt(salt: &str) -> Result<(), DisclosureError> {
    match decode_url(salt) {
        Ok(bytes) if (MINIMUM_SALT_BYTES..=64).contains(&bytes.len()) => Ok(()),
        Ok(_) | Err(_) => Err(DisclosureError::WeakSalt),
    }
}

fn refuse_reserved(name: &str) -> Result<(), DisclosureError> {
    if RESERVED_NAMES.contains(&name) {
        return Err(DisclosureError::ReservedName { name: name.to_owned() });
    }
    Ok(())
}

impl fmt::Debug for Disclosure {
    // The value is what must not reach a log by accident.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Disclosure({}: {})", self.name, encode_url(self.digest().as_bytes()))
    }
}

impl Serialize for Disclosure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encoded)
    }
}

impl<'de> Deserialize<'de> for Disclosure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
