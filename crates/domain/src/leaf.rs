//! The shape of what stands in the log (docs/spec/events.md): one leaf for each event, commitments only.

use std::fmt;
use std::str::FromStr;

use chancery_canonical::json::{JsonError, MAX_INTEGER, to_canonical};
use chancery_canonical::{Canonical, Sha256, present};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{AlertId, PersonId, RequestId};
use crate::time::Timestamp;

/// The most bytes one leaf may have.
pub const MAX_LEAF_BYTES: usize = 4096;

const API_VERSION: &str = "chancery/v1";
const LEAF_KIND: &str = "event";

/// What an event belongs to. Versions are counted within a stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Stream {
    /// One request, its grant and its leases: `request/<id>`.
    Request(RequestId),
    /// One person, their keys and roles: `identity/<person>`.
    Identity(PersonId),
    /// One alert: `alert/<id>`.
    Alert(AlertId),
    /// Which bundle is active: `policy`.
    Policy,
    /// What was sealed into trust.json: `trust`.
    Trust,
}

/// Why a text is not the name of a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a stream: expected `request/<id>`, `identity/<person>`, `alert/<id>`, `policy` or `trust`"
)]
pub struct StreamError(String);

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(id) => write!(f, "request/{id}"),
            Self::Identity(person) => write!(f, "identity/{person}"),
            Self::Alert(id) => write!(f, "alert/{id}"),
            Self::Policy => f.write_str("policy"),
            Self::Trust => f.write_str("trust"),
        }
    }
}

impl FromStr for Stream {
    type Err = StreamError;
    fn from_str(text: &str) -> Result<Self, StreamError> {
        let refused = || StreamError(text.chars().take(60).collect());
        match text.split_once('/') {
            None if text == "policy" => Ok(Self::Policy),
            None if text == "trust" => Ok(Self::Trust),
            Some(("request", id)) => id.parse().map(Self::Request).map_err(|_| refused()),
            Some(("identity", id)) => id.parse().map(Self::Identity).map_err(|_| refused()),
            Some(("alert", id)) => id.parse().map(Self::Alert).map_err(|_| refused()),
            None | Some(_) => Err(refused()),
        }
    }
}

impl TryFrom<String> for Stream {
    type Error = StreamError;
    fn try_from(text: String) -> Result<Self, StreamError> {
        text.parse()
    }
}

impl From<Stream> for String {
    fn from(stream: Stream) -> String {
        stream.to_string()
    }
}

/// An event's leaf. `kind` and `body` are those of `event.rs`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLeaf {
    /// What it belongs to.
    pub stream: Stream,
    /// 1 for the stream's first event, then without gaps.
    pub version: u64,
    /// RFC 6962 leaf hash of the stream's previous event; absent in the first.
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "present")]
    pub previous: Option<Sha256>,
    /// Dotted name of the event.
    pub kind: String,
    /// When it was recorded, by the server's clock.
    pub time: Timestamp,
    /// The event's content, personal values as `_sd` commitments.
    pub body: Map<String, Value>,
}

/// Why bytes are not an event's leaf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Not canonical JSON.
    #[error("the leaf is not canonical JSON: {0}")]
    Json(#[from] JsonError),
    /// Larger than 4 KiB.
    #[error("the leaf has {0} bytes, more than {MAX_LEAF_BYTES}")]
    TooLong(usize),
    /// Canonical, but of another shape.
    #[error("the leaf is not a `{API_VERSION}` event: {0}")]
    Shape(String),
}

/// An event's leaf but for its place in the stream, which only the one who appends knows: everything that takes time is
/// done, so that placing it is joining texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnplacedLeaf {
    /// Up to and with the event's kind.
    before: String,
    /// Stream and time.
    after: String,
}

impl UnplacedLeaf {
    /// The leaf of an event of this stream, kind, time and body.
    ///
    /// # Errors
    /// [`LeafError`] when the body has no canonical form.
    pub fn new(
        stream: &Stream,
        kind: &str,
        time: Timestamp,
        body: Map<String, Value>,
    ) -> Result<Self, LeafError> {
        // As deep as it will stand in the leaf, so that what is too deep there is refused here.
        let deep = to_canonical(&Value::Array(vec![Value::Array(vec![Value::Object(body)])]))?;
        let body = deep.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")).unwrap_or(&deep);
        let text = |text: &str| to_canonical(&Value::from(text));
        let (kind, stream, time) = (text(kind)?, text(&stream.to_string())?, text(&time.to_string())?);
        Ok(Self {
            before: format!(
                r#"{{"apiVersion":"{API_VERSION}","kind":"{LEAF_KIND}","spec":{{"body":{body},"kind":{kind}"#
            ),
            after: format!(r#","stream":{stream},"time":{time},"version":"#),
        })
    }

    /// The bytes of the leaf at this version, after the event whose leaf has the hash `previous`: exactly those of
    /// [`EventLeaf::to_bytes`].
    ///
    /// # Errors
    /// [`LeafError`] when the leaf would be longer than 4 KiB, or the version is no number of canonical JSON.
    pub fn place(&self, version: u64, previous: Option<Sha256>) -> Result<Vec<u8>, LeafError> {
        if version > MAX_INTEGER.unsigned_abs() {
            return Err(JsonError::IntegerTooLarge.into());
        }
        let previous = previous.map(|hash| format!(r#","previous":"{}""#, hash.to_hex())).unwrap_or_default();
        let text = format!("{}{previous}{}{version}}}}}", self.before, self.after);
        if text.len() > MAX_LEAF_BYTES { Err(LeafError::TooLong(text.len())) } else { Ok(text.into_bytes()) }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<Spec> {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    spec: Spec,
}

impl EventLeaf {
    /// The bytes that are hashed into the tree: JCS of `{"apiVersion":"chancery/v1","kind":"event","spec":…}`.
    ///
    /// # Errors
    /// [`LeafError`] when the leaf would be longer than 4 KiB or has no canonical form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LeafError> {
        let envelope = Envelope { api_version: API_VERSION.into(), kind: LEAF_KIND.into(), spec: self };
        let bytes = Canonical::of(&envelope)?.as_bytes().to_vec();
        if bytes.len() > MAX_LEAF_BYTES { Err(LeafError::TooLong(bytes.len())) } else { Ok(bytes) }
    }

    /// Reads a leaf back, refusing anything that [`EventLeaf::to_bytes`] would not have written.
    ///
    /// # Errors
    /// [`LeafError`], naming what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LeafError> {
        if bytes.len() > MAX_LEAF_BYTES {
            return Err(LeafError::TooLong(bytes.len()));
        }
        let envelope: Envelope<Self> =
            Canonical::parse(bytes)?.decode().map_err(|error| LeafError::Shape(error.to_string()))?;
        if envelope.api_version != API_VERSION || envelope.kind != LEAF_KIND {
            return Err(LeafError::Shape(format!("`{}` `{}`", envelope.api_version, envelope.kind)));
        }
        let leaf = envelope.spec;
        match (leaf.version, leaf.previous) {
            (0, _) => Err(LeafError::Shape("versions start at 1".into())),
            (1, Some(_)) => Err(LeafError::Shape("the first event of a stream has no `previous`".into())),
            (2.., None) => Err(LeafError::Shape("`previous` is missing".into())),
            (1, None) | (2.., Some(_)) => Ok(leaf),
        }
    }
}
