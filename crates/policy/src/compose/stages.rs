//! Stages of one id become one: highest quorum, everybody's `from`, everybody's `after`.

use std::collections::{BTreeMap, BTreeSet};

use chancery_domain::verdict::{Reason, Selector, Stage};

use super::refusal;

/// The stages, sorted by id, or why they cannot be.
pub fn join<'a>(contributed: impl Iterator<Item = &'a Stage>) -> Result<Vec<Stage>, BTreeSet<Reason>> {
    let mut joined: BTreeMap<&str, Stage> = BTreeMap::new();
    let mut refusals = BTreeSet::new();
    for stage in contributed {
        if stage.quorum == 0 {
            refusals.insert(refusal(
                "chancery.empty_quorum",
                format!("stage `{}` asks for nobody's approval", stage.id),
                "ask the policy's owners for a quorum of at least 1",
            ));
        }
        let held = joined
            .entry(&stage.id)
            .or_insert_with(|| Stage { from: Selector::All(Vec::new()), ..stage.clone() });
        held.quorum = held.quorum.max(stage.quorum);
        held.after.extend(stage.after.iter().cloned());
        held.from = both(&held.from, &stage.from);
    }
    refusals.extend(wrong_order(&joined));
    for stage in joined.values_mut() {
        // The list of one is that one; the lattice's start, an empty list, is gone by now.
        stage.from = simplest(&stage.from);
    }
    if refusals.is_empty() { Ok(joined.into_values().collect()) } else { Err(refusals) }
}

/// Whoever both selectors mean: one flat, sorted list without repetitions.
///
/// INVARIANT: `held` is the flat list of this function, in which an empty one restricts nothing; a contributed
/// empty `all` means nobody, and stays in the list as what it is.
fn both(held: &Selector, more: &Selector) -> Selector {
    let mut parts = BTreeSet::new();
    if let Selector::All(held) = held {
        parts.extend(held.iter().cloned());
    }
    flatten(more, &mut parts);
    Selector::All(parts.into_iter().collect())
}

fn flatten(selector: &Selector, parts: &mut BTreeSet<Selector>) {
    match selector {
        Selector::All(inner) if !inner.is_empty() => {
            for selector in inner {
                flatten(selector, parts);
            }
        }
        Selector::All(_)
        | Selector::Any(_)
        | Selector::Not(_)
        | Selector::Role(_)
        | Selector::Group(_)
        | Selector::Attribute(_)
        | Selector::Person(_)
        | Selector::ManagerOf(_) => {
            parts.insert(selector.clone());
        }
    }
}

fn simplest(selector: &Selector) -> Selector {
    match selector {
        Selector::All(parts) => match parts.as_slice() {
            [only] => only.clone(),
            _ => selector.clone(),
        },
        other => other.clone(),
    }
}

/// `after` must name stages of this verdict, and must not lead round.
fn wrong_order(stages: &BTreeMap<&str, Stage>) -> Vec<Reason> {
    let mut refusals = Vec::new();
    for stage in stages.values() {
        for missing in stage.after.iter().filter(|id| !stages.contains_key(id.as_str())) {
            refusals.push(refusal(
                "chancery.unknown_stage",
                format!("stage `{}` comes after `{missing}`, which is no stage of this verdict", stage.id),
                "ask the policy's owners to correct the order of the stages",
            ));
        }
    }
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> = stages
        .iter()
        .map(|(id, stage)| {
            (*id, stage.after.iter().map(String::as_str).filter(|after| stages.contains_key(after)).collect())
        })
        .collect();
    loop {
        let ready: Vec<&str> =
            waiting.iter().filter(|(_, after)| after.is_empty()).map(|(id, _)| *id).collect();
        if ready.is_empty() {
            break;
        }
        for id in &ready {
            waiting.remove(id);
        }
        for after in waiting.values_mut() {
            after.retain(|id| !ready.contains(id));
        }
    }
    if let Some(id) = waiting.keys().next() {
        refusals.push(refusal(
            "chancery.circular_stages",
            format!("stage `{id}` waits for itself"),
            "ask the policy's owners to correct the order of the stages",
        ));
    }
    refusals
}
