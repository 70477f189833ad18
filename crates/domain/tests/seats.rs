//! One human, one seat: matchings over stages, drawn as tables, and against brute force.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use chancery_domain::id::PersonId;
use chancery_domain::seats::{Claim, fill, filled, unfillable};
use chancery_domain::verdict::{Selector, Stage};
use proptest::prelude::*;

fn person(n: usize) -> PersonId {
    format!("01ARZ3NDEKTSV4RRFFQ69G5F{:02}", n).parse().unwrap()
}

fn stage(id: &str, quorum: u32, after: &[&str]) -> Stage {
    let after = after.iter().map(ToString::to_string).collect();
    Stage { id: id.into(), quorum, from: Selector::Role(id.into()), after }
}

/// `"0:dba+owner 1:owner"` → claims in order.
fn claims(text: &str) -> Vec<Claim> {
    let claim = |part: &str| {
        let (who, stages) = part.split_once(':').unwrap();
        Claim { person: person(who.parse().unwrap()), stages: stages.split('+').map(Into::into).collect() }
    };
    text.split_whitespace().map(claim).collect()
}

fn check(stages: &[Stage], text: &str, expected: &str) {
    let drawn = match fill(stages, &claims(text)) {
        None => format!(
            "open, filled: {}",
            filled(stages, &claims(text)).into_iter().collect::<Vec<_>>().join(" ")
        ),
        Some(seating) => {
            let seat = |(stage, people): (String, BTreeSet<PersonId>)| {
                let digits: Vec<String> =
                    people.iter().map(|p| p.as_str()[24..].trim_start_matches('0').to_owned()).collect();
                let digits: Vec<&str> = digits.iter().map(|d| if d.is_empty() { "0" } else { d }).collect();
                format!("{stage}={}", digits.join(","))
            };
            seating.into_iter().map(seat).collect::<Vec<_>>().join(" ")
        }
    };
    assert_eq!(drawn.trim_end(), expected, "claims {text}");
}

#[test]
fn one_person_fills_one_seat() {
    let two = [stage("dba", 1, &[]), stage("owner", 1, &[])];
    check(&two, "", "open, filled:");
    check(&two, "0:dba", "open, filled: dba");
    // In both teams, and approving twice: still one human.
    check(&two, "0:dba+owner", "open, filled: dba owner");
    check(&two, "0:dba 0:owner", "open, filled: dba owner");
    check(&two, "0:dba+owner 1:owner", "dba=0 owner=1");
    // The first is moved to where the second cannot sit.
    check(&two, "0:dba+owner 1:dba", "dba=1 owner=0");
    check(&[stage("dba", 2, &[])], "0:dba 0:dba", "open, filled:");
    check(&[stage("dba", 2, &[])], "0:dba 1:dba", "dba=0,1");
    check(&[stage("dba", u32::MAX, &[])], "0:dba 1:dba", "open, filled:");
}

#[test]
fn a_stage_waits_for_what_it_comes_after() {
    let chain = [stage("first", 1, &[]), stage("then", 1, &["first"])];
    check(&chain, "1:then 0:first", "open, filled: first");
    check(&chain, "0:first 1:then", "first=0 then=1");
    // Approving again, once it is their turn, adds to the earlier approval.
    check(&chain, "1:then 0:first 1:then", "first=0 then=1");
    check(&chain, "0:first+then", "open, filled: first");
    let circle = [stage("a", 1, &["b"]), stage("b", 1, &["a"])];
    check(&circle, "0:a 1:b 0:a 1:b", "open, filled:");
    check(&[stage("a", 1, &["gone"])], "0:a", "open, filled:");
}

#[test]
fn nobody_fills_nothing() {
    check(&[], "", "open, filled:");
    check(&[], "0:dba", "open, filled:");
    check(&[stage("dba", 0, &[])], "0:dba", "open, filled: dba");
    check(&[stage("dba", 1, &[]), stage("owner", 0, &[])], "0:dba 1:owner", "open, filled: dba owner");
    let empty = [stage("dba", 0, &[])];
    let eligible = BTreeMap::from([("dba".to_owned(), BTreeSet::from([person(0)]))]);
    assert_eq!(unfillable(&empty, &eligible).map(|stage| stage.id.as_str()), Some("dba"));
}

#[test]
fn a_stage_that_nobody_can_fill_is_named() {
    let stages = [stage("dba", 1, &[]), stage("owner", 1, &[])];
    let eligible = |dba: &[usize], owner: &[usize]| {
        let people = |list: &[usize]| list.iter().map(|n| person(*n)).collect::<BTreeSet<_>>();
        BTreeMap::from([("dba".to_owned(), people(dba)), ("owner".to_owned(), people(owner))])
    };
    for (dba, owner, expected) in [
        (vec![0], vec![1], None),
        (vec![], vec![1], Some("dba")),
        (vec![0], vec![], Some("owner")),
        (vec![0], vec![0], Some("owner")),
        (vec![0, 1], vec![0], None),
    ] {
        let named = unfillable(&stages, &eligible(&dba, &owner)).map(|stage| stage.id.as_str());
        assert_eq!(named, expected, "dba {dba:?} owner {owner:?}");
    }
}

/// Tries every assignment of people to seats: the definition, without cleverness.
fn brute(seats: &[usize], people: &[BTreeSet<usize>], used: &mut Vec<bool>) -> bool {
    let Some((stage, rest)) = seats.split_first() else { return true };
    for index in 0..people.len() {
        if !used[index] && people[index].contains(stage) {
            used[index] = true;
            if brute(rest, people, used) {
                return true;
            }
            used[index] = false;
        }
    }
    false
}

proptest! {
    #[test]
    fn agrees_with_brute_force(
        quorums in prop::collection::vec(1_u32..3, 1..4),
        people in prop::collection::vec(prop::collection::btree_set(0_usize..4, 0..4), 0..6),
    ) {
        let names = ["a", "b", "c", "d"];
        let stages: Vec<Stage> = quorums.iter().enumerate().map(|(n, q)| stage(names[n], *q, &[])).collect();
        let claims: Vec<Claim> = people.iter().enumerate()
            .map(|(n, of)| Claim { person: person(n), stages: of.iter().map(|s| names[*s].to_owned()).collect() })
            .collect();
        let seats: Vec<usize> = quorums.iter().enumerate()
            .flat_map(|(n, q)| std::iter::repeat_n(n, *q as usize)).collect();
        let expected = brute(&seats, &people, &mut vec![false; people.len()]);
        let seating = fill(&stages, &claims);
        prop_assert_eq!(seating.is_some(), expected);
        if let Some(seating) = seating {
            let sitting: Vec<&PersonId> = seating.values().flatten().collect();
            let distinct: BTreeSet<&PersonId> = sitting.iter().copied().collect();
            prop_assert_eq!(distinct.len(), sitting.len(), "somebody sits twice");
            for stage in &stages {
                prop_assert_eq!(seating[&stage.id].len(), stage.quorum as usize);
            }
        }
    }
}
