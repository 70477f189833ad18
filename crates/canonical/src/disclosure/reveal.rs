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
pub fn reveal(document: &Value, disclosures: &[Disclosure]) -> Result<Revealed, DisclosureError> {
    let mut revealer = Revealer { waiting: BTreeMap::new(), seen: BTreeSet::new(), missing: Vec::new() };
    for disclosure in disclosures {
        let digest = disclosure.digest();
        if revealer.waiting.insert(digest, disclosure).is_some() {
            return Err(duplicate(&digest));
        }
    }
    let value = revealer.value(document, "", 0)?;
    match revealer.waiting.values().next() {
        Some(unused) => Err(DisclosureError::Unused { name: unused.name().to_owned() }),
        None => Ok(Revealed { value, missing: revealer.missing }),
    }
}

struct Revealer<'a> {
    waiting: BTreeMap<Sha256, &'a Disclosure>,
    seen: BTreeSet<Sha256>,
    missing: Vec<MissingDigest>,
}

impl Revealer<'_> {
    fn value(&mut self, value: &Value, pointer: &str, depth: usize) -> Result<Value, DisclosureError> {
        // Disclosed values can nest deeper together than each of them was when it was read.
        if depth > MAX_DEPTH {
            return Err(JsonError::TooDeep.into());
        }
        match value {
            Value::Object(members) => self.object(members, pointer, depth).map(Value::Object),
            Value::Array(elements) => self.array(elements, pointer, depth).map(Value::Array),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value.clone()),
        }
    }

    fn array(
        &mut self,
        elements: &[Value],
        pointer: &str,
        depth: usize,
    ) -> Result<Vec<Value>, DisclosureError> {
        let mut revealed = Vec::with_capacity(elements.len());
        for (position, element) in elements.iter().enumerate() {
            if element.get("...").is_some() {
                return Err(DisclosureError::ConcealedElement { array: pointer.to_owned() });
            }
            revealed.push(self.value(element, &format!("{pointer}/{position}"), depth + 1)?);
        }
        Ok(revealed)
    }

    fn object(
        &mut self,
        members: &Map<String, Value>,
        pointer: &str,
        depth: usize,
    ) -> Result<Map<String, Value>, DisclosureError> {
        let mut revealed = Map::new();
        for (name, value) in members.iter().filter(|(name, _)| *name != DIGESTS_MEMBER) {
            revealed.insert(name.clone(), self.value(value, &child(pointer, name), depth + 1)?);
        }
        for digest in digests(members, pointer)? {
            if !self.seen.insert(digest) {
                return Err(duplicate(&digest));
            }
            let Some(disclosure) = self.waiting.remove(&digest) else {
                self.missing.push(MissingDigest { object: pointer.to_owned(), digest });
                continue;
            };
            let name = disclosure.name();
            if revealed.contains_key(name) {
                let object = pointer.to_owned();
                return Err(DisclosureError::NameClash { object, name: name.to_owned() });
            }
            let value = self.value(disclosure.value(), &child(pointer, name), depth + 1)?;
            revealed.insert(name.to_owned(), value);
        }
        Ok(revealed)
    }
}

fn digests(members: &Map<String, Value>, pointer: &str) -> Result<Vec<Sha256>, DisclosureError> {
    let malformed = || DisclosureError::MalformedDigests { object: pointer.to_owned() };
    let Some(list) = members.get(DIGESTS_MEMBER) else {
        return Ok(Vec::new());
    };
    let list = list.as_array().ok_or_else(malformed)?;
    list.iter().map(|digest| digest.as_str().and_then(read_digest).ok_or_else(malformed)).collect()
}

fn read_digest(text: &str) -> Option<Sha256> {
    Sha256::try_from(decode_url(text).ok()?.as_slice()).ok()
}

fn child(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn duplicate(digest: &Sha256) -> DisclosureError {
    DisclosureError::DuplicateDigest { digest: encode_url(digest.as_bytes()) }
}
