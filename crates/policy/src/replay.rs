//! Whether a recorded verdict comes out again, byte for byte, of the recorded bundle and input.

use std::collections::BTreeMap;

use chancery_canonical::disclosure;
use chancery_canonical::{Canonical, Disclosure};

use crate::bundle::{Bundle, BundleError};
use crate::evaluate::{Engine, PolicyFault};
use crate::input::ConcealedInput;

/// What a replay shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The same bytes came out.
    Same,
    /// Other bytes came out.
    Different {
        /// The verdict as it comes out now.
        computed: Canonical,
        /// JSON pointers to what differs; empty when the recorded bytes are not even a document.
        pointers: Vec<String>,
    },
    /// Personal strings that the evaluation read were redacted since.
    NotReplayable {
        /// JSON pointers to the objects whose members are missing.
        missing: Vec<String>,
    },
}

/// Why nothing can be replayed at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The bundle is refused.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// No verdict can be written, or the disclosures do not belong to the input.
    #[error(transparent)]
    Fault(#[from] PolicyFault),
}

/// Judges again and compares bytes.
///
/// # Errors
/// A bundle that is refused, disclosures that do not belong to the input.
pub fn replay(
    files: &BTreeMap<String, Vec<u8>>,
    input: &Canonical,
    disclosures: &[Disclosure],
    recorded: &[u8],
) -> Result<Replay, ReplayError> {
    let engine = Engine::prepare(Bundle::from_files(files.clone())?)?;
    Ok(replay_with(&engine, input, disclosures, recorded)?)
}

/// The same by a prepared engine, for whoever replays more than one verdict of a bundle.
///
/// # Errors
/// Disclosures that do not belong to the input.
pub fn replay_with(
    engine: &Engine,
    input: &Canonical,
    disclosures: &[Disclosure],
    recorded: &[u8],
) -> Result<Replay, PolicyFault> {
    let revealed = disclosure::reveal(input.value(), disclosures)?;
    if !revealed.missing.is_empty() {
        let mut missing: Vec<String> = revealed.missing.into_iter().map(|missing| missing.object).collect();
        missing.dedup();
        return Ok(Replay::NotReplayable { missing });
    }
    let input = ConcealedInput { document: input.clone(), disclosures: disclosures.to_vec() };
    let computed = engine.judge(&input)?.verdict.canonical().clone();
    if computed.as_bytes() == recorded {
        return Ok(Replay::Same);
    }
    let pointers = match Canonical::parse(recorded) {
        Ok(recorded) => differences(&recorded, &computed),
        Err(_) => Vec::new(),
    };
    Ok(Replay::Different { computed, pointers })
}

/// The members of the verdict that differ.
fn differences(recorded: &Canonical, computed: &Canonical) -> Vec<String> {
    let (recorded, computed) = (recorded.value(), computed.value());
    let names = |value: &chancery_canonical::json::Value| -> Vec<String> {
        value.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
    };
    let mut all = names(&recorded);
    all.extend(names(&computed));
    all.sort();
    all.dedup();
    all.retain(|name| recorded.get(name) != computed.get(name));
    all.into_iter().map(|name| format!("/{name}")).collect()
}
