//! Clear values beside commitments.

use std::collections::{BTreeMap, BTreeSet};

use chancery_canonical::base64::decode_url;
use chancery_canonical::disclosure::{DIGESTS_MEMBER, reveal};
use chancery_canonical::json::Value;
use chancery_canonical::{Canonical, Disclosure, Sha256};
use chancery_domain::document::DecisionDocument;
use chancery_domain::event::{RequestEvent, from_parts};
use chancery_domain::leaf::EventLeaf;

use super::check::Finding;
use super::log::{Content, Contents};
use super::requester::Asking;
use super::verdict::Verdict;
use crate::bundle::{BundleFiles, layout};

/// Every disclosure of the bundle that was found to belong somewhere.
#[derive(Default)]
pub(super) struct Disclosed {
    /// Of the request document, its members in place.
    pub request: Option<Value>,
    /// Beside leaves, by index: name and value.
    pub leaves: BTreeMap<u64, Vec<(String, Value)>>,
    /// How many commitments have no clear value here.
    pub withheld: usize,
}

/// Reads a file of disclosures: a canonical JSON array of their encoded texts.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Disclosure>, String> {
    Canonical::parse(bytes).and_then(|text| text.decode()).map_err(|error| error.to_string())
}

pub(super) fn disclosures(
    files: &BundleFiles,
    asking: &Asking,
    verdicts: &[Verdict],
    contents: &Contents,
) -> Finding<Disclosed> {
    let mut disclosed = Disclosed::default();
    let mut problems = Vec::new();
    match documents(files, layout::REQUEST_DISCLOSURES, &asking.canonical) {
        Ok((value, withheld)) => {
            disclosed.request = Some(value);
            disclosed.withheld += withheld;
        }
        Err(problem) => problems.push(problem),
    }
    let mut known: BTreeSet<String> = BTreeSet::from([layout::REQUEST_DISCLOSURES.to_owned()]);
    for verdict in verdicts {
        if let Err(problem) = documents(files, &verdict.disclosures_path, &verdict.input) {
            problems.push(problem);
        }
        known.insert(verdict.disclosures_path.clone());
    }
    for (index, content) in contents {
        let Content::Event(leaf) = content else { continue };
        let path = layout::disclosures(*index);
        match beside_leaf(files, &path, leaf) {
            Ok((clear, withheld)) => {
                disclosed.withheld += withheld;
                disclosed.leaves.insert(*index, clear);
            }
            Err(problem) => problems.push(problem),
        }
        known.insert(path);
    }
    for path in files.keys().filter(|path| path.starts_with("disclosures/") && !known.contains(*path)) {
        problems.push(format!("`{path}` belongs to nothing in the bundle"));
    }
    Finding::with(disclosed, problems)
}

/// Disclosures of a document; a file that is not there discloses nothing.
fn documents(files: &BundleFiles, path: &str, document: &Canonical) -> Result<(Value, usize), String> {
    let said = |problem: String| format!("`{path}`: {problem}");
    let disclosures = files.get(path).map_or(Ok(Vec::new()), |bytes| read(bytes)).map_err(said)?;
    let revealed = reveal(document.value(), &disclosures).map_err(|error| said(error.to_string()))?;
    Ok((revealed.value, revealed.missing.len()))
}

/// Disclosures beside a leaf: of its `_sd` digests, and of the reason that a decision names by digest.
fn beside_leaf(
    files: &BundleFiles,
    path: &str,
    leaf: &EventLeaf,
) -> Result<(Vec<(String, Value)>, usize), String> {
    let said = |problem: String| format!("`{path}`: {problem}");
    let mut committed = BTreeSet::new();
    for value in leaf.body.values() {
        collect(value, &mut committed);
    }
    if let Some(Value::Array(digests)) = leaf.body.get(DIGESTS_MEMBER) {
        committed.extend(digests.iter().filter_map(digest));
    }
    committed.extend(reason(leaf));
    let disclosures = files.get(path).map_or(Ok(Vec::new()), |bytes| read(bytes)).map_err(said)?;
    let mut clear = Vec::new();
    for disclosure in &disclosures {
        if !committed.remove(&disclosure.digest()) {
            return Err(said(format!(
                "the disclosure of `{}` belongs to nothing in the leaf",
                disclosure.name()
            )));
        }
        clear.push((disclosure.name().to_owned(), disclosure.value().clone()));
    }
    Ok((clear, committed.len()))
}

fn reason(leaf: &EventLeaf) -> Option<Sha256> {
    match from_parts::<RequestEvent>(&leaf.kind, &leaf.body) {
        Ok(RequestEvent::DecisionRecorded(body)) => {
            body.document.decode::<DecisionDocument>().ok()?.reason_sha256
        }
        Ok(_) | Err(_) => None,
    }
}

fn collect(value: &Value, into: &mut BTreeSet<Sha256>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(digests)) = members.get(DIGESTS_MEMBER) {
                into.extend(digests.iter().filter_map(digest));
            }
            members.values().for_each(|member| collect(member, into));
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn digest(value: &Value) -> Option<Sha256> {
    Sha256::try_from(decode_url(value.as_str()?).ok()?.as_slice()).ok()
}
