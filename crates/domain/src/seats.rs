//! One human, one seat: whether distinct people can fill every stage, and who then sits where.
//!
//! A request is approved when a bipartite matching of distinct approvers onto all stage seats exists, so one
//! person who belongs to two stages fills one seat, and a person needed elsewhere is moved there.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::PersonId;
use crate::verdict::Stage;

/// Who fills which stage.
pub type Seating = BTreeMap<String, BTreeSet<PersonId>>;

/// One approval, as far as seats are concerned; in the order of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who approves.
    pub person: PersonId,
    /// Stages whose seats the approval names and the person is eligible for.
    pub stages: BTreeSet<String>,
}

/// The seats of all stages, filled by the claims in their order; `None` while one seat stays empty.
///
/// A claim may fill a seat of a stage only when the stages that it comes `after` could all be filled by the
/// claims before it.
pub fn fill(stages: &[Stage], claims: &[Claim]) -> Option<Seating> {
    // INVARIANT: where nobody is asked, nobody has approved. No stage, or one without a seat, is never filled.
    if stages.is_empty() || stages.iter().any(is_empty) {
        return None;
    }
    let edges = admitted(stages, claims);
    matching(stages, &edges, |_| true)
}

/// The stages that the claims fill so far, each counted by itself and with what it comes after.
pub fn filled(stages: &[Stage], claims: &[Claim]) -> BTreeSet<String> {
    let edges = admitted(stages, claims);
    let complete = |stage: &&Stage| closed(stages, &edges, &stage.id);
    stages.iter().filter(complete).map(|stage| stage.id.clone()).collect()
}

/// The first stage that could not be filled even if everyone eligible approved, in the best order.
///
/// `eligible` lists, for each stage id, the people who may sit there once those who never count are gone.
pub fn unfillable<'a>(
    stages: &'a [Stage],
    eligible: &BTreeMap<String, BTreeSet<PersonId>>,
) -> Option<&'a Stage> {
    let everyone: BTreeSet<&PersonId> = eligible.values().flatten().collect();
    let edges: Vec<Edge> = everyone
        .into_iter()
        .map(|person| {
            let may_sit =
                |stage: &&Stage| eligible.get(&stage.id).is_some_and(|people| people.contains(person));
            let stages = stages.iter().filter(may_sit).map(|stage| stage.id.clone()).collect();
            Edge { person: person.clone(), stages }
        })
        .collect();
    let mut wanted: BTreeSet<&str> = BTreeSet::new();
    stages.iter().find(|stage| {
        wanted.insert(&stage.id);
        is_empty(stage) || matching(stages, &edges, |id| wanted.contains(id)).is_none()
    })
}

/// A stage without a seat would be filled by nobody.
fn is_empty(stage: &Stage) -> bool {
    stage.quorum == 0
}

/// A person, and the stages in which they may take a seat.
struct Edge {
    person: PersonId,
    stages: BTreeSet<String>,
}

/// Drops from each claim the stages whose turn had not come. A person's later claim adds to an earlier one.
fn admitted(stages: &[Stage], claims: &[Claim]) -> Vec<Edge> {
    let mut edges: Vec<Edge> = Vec::new();
    for claim in claims {
        let in_turn = |stage: &&Stage| {
            claim.stages.contains(&stage.id)
                && stage.after.iter().all(|before| closed(stages, &edges, before))
        };
        let admitted: BTreeSet<String> =
            stages.iter().filter(in_turn).map(|stage| stage.id.clone()).collect();
        match edges.iter_mut().find(|edge| edge.person == claim.person) {
            // INVARIANT: one human has one edge, however often they approve, so they can fill one seat at most.
            Some(edge) => edge.stages.extend(admitted),
            None => edges.push(Edge { person: claim.person.clone(), stages: admitted }),
        }
    }
    edges
}

/// Whether the stage, with all that it comes after, can be filled.
fn closed(stages: &[Stage], edges: &[Edge], id: &str) -> bool {
    let mut wanted = BTreeSet::from([id]);
    let mut open = vec![id];
    while let Some(next) = open.pop() {
        let Some(stage) = stages.iter().find(|stage| stage.id == next) else { return false };
        open.extend(stage.after.iter().map(String::as_str).filter(|before| wanted.insert(before)));
    }
    matching(stages, edges, |stage| wanted.contains(stage)).is_some()
}

/// A matching that fills every seat of the wanted stages, by augmenting paths (Kuhn).
fn matching(stages: &[Stage], edges: &[Edge], wanted: impl Fn(&str) -> bool) -> Option<Seating> {
    let seats: Vec<&str> = stages
        .iter()
        .filter(|stage| wanted(&stage.id))
        .flat_map(|stage| {
            std::iter::repeat_n(
                stage.id.as_str(),
                usize::try_from(stage.quorum).unwrap_or(usize::MAX).min(edges.len() + 1),
            )
        })
        .collect();
    if seats.len() > edges.len() {
        return None;
    }
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    for seat in 0..seats.len() {
        if !augment(seat, &seats, edges, &mut taken, &mut BTreeSet::new()) {
            return None;
        }
    }
    let mut seating = Seating::new();
    for (person, seat) in taken {
        let (Some(stage), Some(edge)) = (seats.get(seat), edges.get(person)) else { continue };
        seating.entry((*stage).to_owned()).or_default().insert(edge.person.clone());
    }
    Some(seating)
}

/// Seats somebody at `seat`, moving others to where they also may sit. `taken` maps person to seat.
fn augment(
    seat: usize,
    seats: &[&str],
    edges: &[Edge],
    taken: &mut BTreeMap<usize, usize>,
    visited: &mut BTreeSet<usize>,
) -> bool {
    let Some(stage) = seats.get(seat) else { return false };
    for (person, edge) in edges.iter().enumerate() {
        if !edge.stages.contains(*stage) || !visited.insert(person) {
            continue;
        }
        let free = match taken.get(&person).copied() {
            None => true,
            Some(other) => augment(other, seats, edges, taken, visited),
        };
        if free {
            taken.insert(person, seat);
            return true;
        }
    }
    false
}
