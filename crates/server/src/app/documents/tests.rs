use serde_json::json;

use super::*;

fn document(number: usize) -> Canonical {
    Canonical::of(&json!({ "number": number })).unwrap_or_else(|error| unreachable!("{error}"))
}

#[test]
fn what_is_asked_for_stays_and_the_rest_goes() {
    let known = Documents::default();
    let (wanted, unwanted) = (document(0), document(1));
    known.keep(&wanted);
    known.keep(&unwanted);
    for number in 2..4 * GENERATION {
        assert_eq!(known.find(&wanted.digest()), Some(wanted.clone()), "at {number}");
        known.keep(&document(number));
    }
    assert_eq!(known.find(&unwanted.digest()), None);
    let kept = (0..4 * GENERATION).filter(|number| known.find(&document(*number).digest()).is_some()).count();
    assert!(kept <= 2 * GENERATION, "{kept}");
}

#[test]
fn long_ones_are_not_kept() {
    let known = Documents::default();
    let long = Canonical::of(&json!("x".repeat(LONGEST))).unwrap_or_else(|error| unreachable!("{error}"));
    known.keep(&long);
    assert_eq!(known.find(&long.digest()), None);
}
