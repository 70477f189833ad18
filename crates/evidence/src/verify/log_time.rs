//! Times in the log: the server writes them, so each is held against those before it.

use chancery_domain::time::Timestamp;

use super::log::{Content, Contents};

/// How much earlier than the latest time before it an event may be dated, in seconds: appends of different streams
/// may overtake each other on the way into the log, and not by more.
const MAX_STEP_BACK_SECONDS: u64 = 300;

/// All events of the bundle by index, whatever their stream.
pub(super) fn log_time(contents: &Contents) -> Vec<String> {
    let mut problems = Vec::new();
    let mut latest: Option<(u64, Timestamp)> = None;
    for (index, content) in contents {
        let Content::Event(leaf) = content else { continue };
        if let Some((earlier, time)) = latest
            && leaf.time.plus(MAX_STEP_BACK_SECONDS) < time
        {
            problems.push(format!("leaf {index} is dated {}, leaf {earlier} before it {time}", leaf.time));
        }
        if latest.is_none_or(|(_, time)| leaf.time > time) {
            latest = Some((*index, leaf.time));
        }
    }
    problems
}
