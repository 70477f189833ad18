//! Everything that ends, or is told by a clock: cancel, end, and deadlines.

use chancery_domain::decide::{Command, Facts, decide};
use chancery_domain::id::RequestId;
use chancery_domain::proof::AuthenticatedActor;
use chancery_domain::time::Timestamp;

use super::App;
use super::record_events::{MAX_ATTEMPTS, Record};
use crate::problem::Problem;

/// What ends it.
#[derive(Clone, Debug)]
pub enum End {
    /// The requester takes it back, before it started.
    Cancel(AuthenticatedActor),
    /// The requester is done.
    Done(AuthenticatedActor),
    /// A deadline may have passed.
    Clock,
}

impl App {
    /// Ends a request, or does nothing where nothing is to be done; then returns the deadline that still runs.
    pub(crate) async fn end_request(&self, id: &RequestId, end: &End) -> Result<Option<Timestamp>, Problem> {
        for _ in 0..MAX_ATTEMPTS {
            match self.try_end(id, end).await {
                Err(problem) if problem.is_conflict() => {}
                answer => return answer,
            }
        }
        Err(Problem::fault("an end met with conflicts without end"))
    }

    async fn try_end(&self, id: &RequestId, end: &End) -> Result<Option<Timestamp>, Problem> {
        let (now, people) = (self.now(), self.people.now());
        let loaded = match end {
            End::Cancel(actor) | End::Done(actor) => self.find_request(id, actor.person(), &people).await?,
            End::Clock => {
                let loaded = self.load_request(id, &people).await?;
                loaded.ok_or_else(|| Problem::bug(format!("a clock for no request `{id}`")))?
            }
        };
        let command = match end {
            End::Cancel(actor) => Command::Cancel(actor.clone()),
            End::Done(actor) => Command::End(actor.clone()),
            End::Clock => Command::ClockFired,
        };
        let facts = Facts {
            now,
            directory: people.directory(),
            verdict: None,
            standing_verdict: Some(&loaded.standing_verdict),
            approvals: &loaded.approvals,
            alerts: people.alerts(),
        };
        let events = decide(Some(&loaded.state), command, &facts)?;
        if events.is_empty() {
            return Ok(loaded.state.due_at().filter(|due| *due > now));
        }
        let record = Record::of(id, Some(&loaded), now).with(events);
        self.record(record, &people).await?;
        Ok(None)
    }
}
