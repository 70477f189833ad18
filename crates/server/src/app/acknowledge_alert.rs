//! Alerts: an administrator says that they looked at one, and whom it froze is free again.

use chancery_domain::alerts::acknowledge;
use chancery_domain::id::AlertId;
use chancery_domain::proof::AuthenticatedActor;
use chancery_store::Append;

use super::App;
use super::record_events::{MAX_ATTEMPTS, alert_append};
use crate::problem::Problem;

impl App {
    /// Records an acknowledgement, or nothing when somebody was first.
    pub(crate) async fn acknowledge_alert(
        &self,
        actor: &AuthenticatedActor,
        id: &AlertId,
    ) -> Result<(), Problem> {
        self.sealed()?;
        for _ in 0..MAX_ATTEMPTS {
            match self.try_acknowledge(actor, id).await {
                Err(problem) if problem.is_conflict() => {}
                answer => return answer,
            }
        }
        Err(Problem::fault("an acknowledgement met with conflicts without end"))
    }

    async fn try_acknowledge(&self, actor: &AuthenticatedActor, id: &AlertId) -> Result<(), Problem> {
        let (now, people) = (self.now(), self.people.now());
        let events = acknowledge(people.alerts(), id, actor, people.directory())?;
        let Some(event) = events.first() else { return Ok(()) };
        let mut append = Append::at(now);
        append.streams.push(alert_append(id.clone(), 1, event)?);
        self.append_alerts(append, events, &people).await?;
        Ok(())
    }
}
