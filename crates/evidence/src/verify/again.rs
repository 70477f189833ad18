//! What is asked again between the approval and each credential: policy, and whether the parties are still in.

use chancery_domain::count;
use chancery_domain::event::Phase;
use chancery_domain::seats::Seating;
use chancery_domain::verdict::Outcome;

use super::directories::Directories;
use super::lifecycle::Case;
use super::verdict::Verdict;

/// No grant starts without a verdict of the issue phase that the people in the seats satisfy, and nothing is
/// handed out for a requester or a beneficiary who is out at that moment.
pub(super) fn asked_again(
    case: &Case,
    seats: &Seating,
    verdicts: &[Verdict],
    directories: &Directories,
) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(activated) = &case.activated else { return problems };
    let asked = case.state.asked();
    let approved_at = case.approved.as_ref().map_or(0, |approved| approved.index);
    let again = verdicts.iter().rfind(|verdict| {
        let judged = &verdict.judged;
        judged.event.phase == Phase::Issue && (approved_at..activated.index).contains(&judged.index)
    });
    match again {
        None => problems.push("its grant started without policy being asked again".to_owned()),
        Some(again) => {
            let directory = directories.before(activated.index);
            if !count::seats_cover(seats, asked, &again.document, directory) {
                problems
                    .push("its grant started although policy, asked again, wanted other people".to_owned());
            }
        }
    }
    problems.extend(case.intended.iter().filter_map(|intended| {
        let newest = verdicts.iter().rfind(|verdict| {
            verdict.judged.event.phase == Phase::Issue && verdict.judged.index < intended.index
        })?;
        let covered = count::seats_cover(seats, asked, &newest.document, directories.before(intended.index));
        let problem = "the newest verdict before this credential did not allow it";
        (!covered).then(|| format!("leaf {}: {problem}", intended.index))
    }));
    let moments = [activated.index].into_iter().chain(case.intended.iter().map(|intended| intended.index));
    for index in moments {
        if let Err(refusal) = count::check_parties(asked, directories.before(index)) {
            problems.push(format!("leaf {index}: {refusal}"));
        }
    }
    problems
}

/// Verdicts that oblige to something which nobody here understands, and so nobody sees to.
pub(super) fn unknown_obligations(verdicts: &[Verdict]) -> Vec<String> {
    let unknown = |verdict: &Verdict| {
        let obligation = count::unknown_obligation(&verdict.document)?;
        let index = verdict.judged.index;
        Some(format!("leaf {index}: its verdict obliges to `{obligation}`, which is not known here"))
    };
    verdicts.iter().filter(|verdict| verdict.document.verdict != Outcome::Deny).filter_map(unknown).collect()
}
