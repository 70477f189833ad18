//! What is asked again between the approval and each credential: policy, and whether the parties are still in.

use chancery_domain::count;
use chancery_domain::event::Phase;
use chancery_domain::seats::Seating;

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
    let moments = [activated.index].into_iter().chain(case.intended.iter().map(|intended| intended.index));
    for index in moments {
        if let Err(refusal) = count::check_parties(asked, directories.before(index)) {
            problems.push(format!("leaf {index}: {refusal}"));
        }
    }
    problems
}
