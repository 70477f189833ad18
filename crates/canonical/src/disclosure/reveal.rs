//! Putting disclosed members back (RFC 9901, section 7.1).

use std::collections::{BTreeMap, BTreeSet};

use super::{DIGESTS_MEMBER, Disclosure, DisclosureError, encode_url};
use crate::base64::decode_url;
use crate::digest::Sha256;
use crate::json::{JsonError, MAX_DEPTH, Map, Value};

/// A document with its disclosed members in place and without `_sd` members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revealed {
    /// The document.
    pub value: Value,
    /// The digests for which no disclosure came: members that stay concealed or were redacted.
    pub missing: Vec<MissingDigest>,
}

/// A digest without a disclosure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingDigest {
    /// JSON pointer to the object whose member it stands for; empty for the document itself.
    pub object: String,
    /// The digest.
    pub digest: Sha256,
}

/// Puts disclosed members back, at every level, also inside disclosed values.
///
/// # Errors
/// Refuses a disclosure that no digest asks for, a digest that occurs twice, a member that already stands in
/// its object, a malformed `_sd` member, and concealed array elements.
pub fn reveal(mut document: Value, disclosures: &[Disclosure]) -> Result<Revealed, DisclosureError> {
    let mut revealer = Revealer { waiting: BTreeMap::new(), seen: BTreeSet::new(), missing: Vec::new() };
    for disclosure in disclosures {
        let digest = disclosure.digest();
        if revealer.waiting.insert(digest, disclosure).is_some() {
            return Err(duplicate(&digest));
        }
    }
    revealer.value(&mut document, Place::Document, 0)?;
    match revealer.waiting.values().next() {
        Some(unused) => Err(DisclosureError::Unused { name: unused.name().to_owned() }),
        None => Ok(Revealed { value: document, missing: revealer.missing }),
    }
}

struct Revealer<'a> {
    waiting: BTreeMap<Sha256, &'a Disclosure>,
    seen: BTreeSet<Sha256>,
    missing: Vec<MissingDigest>,
}

impl Revealer<'_> {
    fn value(&mut self, value: &mut Value, place: Place<'_>, depth: usize) -> Result<(), DisclosureError> {
        // Disclosed values can nest deeper together than each of them was when it was read.
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep.into());
        }
        match value {
            Value::Object(members) => self.object(members, place, depth),
            Value::Array(elements) => self.array(elements, place, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn array(
        &mut self,
        elements: &mut [Value],
        place: Place<'_>,
        depth: usize,
    ) -> Result<(), DisclosureError> {
        for (position, element) in elements.iter_mut().enumerate() {
            if element.get("...").is_some() {
                return Err(DisclosureError::ConcealedElement { array: place.pointer() });
            }
            self.value(element, Place::Element(&place, position), depth + 1)?;
        }
        Ok(())
    }

    fn object(
        &mut self,
        members: &mut Map<String, Value>,
        place: Place<'_>,
        depth: usize,
    ) -> Result<(), DisclosureError> {
        let digests = digests(members.remove(DIGESTS_MEMBER), place)?;
        for (name, value) in members.iter_mut() {
            self.value(value, Place::Member(&place, name), depth + 1)?;
        }
        for digest in digests {
            if !self.seen.insert(digest) {
                return Err(duplicate(&digest));
            }
            let Some(disclosure) = self.waiting.remove(&digest) else {
                self.missing.push(MissingDigest { object: place.pointer(), digest });
                continue;
            };
            let name = disclosure.name();
            if members.contains_key(name) {
                return Err(DisclosureError::NameClash { object: place.pointer(), name: name.to_owned() });
            }
            let mut value = disclosure.value().clone();
            self.value(&mut value, Place::Member(&place, name), depth + 1)?;
            members.insert(name.to_owned(), value);
        }
        Ok(())
    }
}

fn digests(list: Option<Value>, place: Place<'_>) -> Result<Vec<Sha256>, DisclosureError> {
    let malformed = || DisclosureError::MalformedDigests { object: place.pointer() };
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let list = list.as_array().ok_or_else(malformed)?;
    list.iter().map(|digest| digest.as_str().and_then(read_digest).ok_or_else(malformed)).collect()
}

fn read_digest(text: &str) -> Option<Sha256> {
    Sha256::try_from(decode_url(text).ok()?.as_slice()).ok()
}

/// Where a value stands. It becomes a JSON pointer only when there is something to say of it.
#[derive(Clone, Copy)]
enum Place<'a> {
    Document,
    Member(&'a Place<'a>, &'a str),
    Element(&'a Place<'a>, usize),
}

impl Place<'_> {
    /// A JSON pointer (RFC 6901).
    fn pointer(self) -> String {
        match self {
            Self::Document => String::new(),
            Self::Member(object, name) => {
                format!("{}/{}", object.pointer(), name.replace('~', "~0").replace('/', "~1"))
            }
            Self::Element(array, position) => format!("{}/{position}", array.pointer()),
        }
    }
}

fn duplicate(digest: &Sha256) -> DisclosureError {
    DisclosureError::DuplicateDigest { digest: encode_url(digest.as_bytes()) }
}
