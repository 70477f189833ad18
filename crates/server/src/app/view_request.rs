//! The view of a request with what stands beside its events: the recorded input, who looked at it, the digits.

use chancery_api::request::{NumberMatching, RequestView, SeenView};
use chancery_canonical::Canonical;
use chancery_domain::count;
use chancery_domain::document::DecisionKind;
use chancery_domain::event::{Phase, RequestEvent};
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::state::Pending;
use chancery_domain::time::Timestamp;
use chancery_store::{Append, AppendError, Store as _, Ticket};
use serde_json::json;

use super::load_request::{LoadedRequest, damaged};
use super::match_number::{needs_number, pending};
use super::show_request::show;
use super::{App, Snapshot};
use crate::problem::Problem;
use crate::routes::view;

/// Sort of ticket of an approver's first look; its key is the request and the person.
pub const SEEN: &str = "seen";
/// How long it is remembered: longer than the longest that a request may wait and its grant last.
const SEEN_SECONDS: u64 = 400 * 24 * 3600;

/// What a view shows that no event of the request says.
pub struct Beside {
    /// Title of the entitlement.
    pub title: String,
    /// What policy was asked in the request phase.
    pub input: Canonical,
    /// Who looked at it when.
    pub seen: Vec<SeenView>,
    /// For whoever may approve.
    pub matching: Option<NumberMatching>,
    /// For the requester alone.
    pub number: Option<String>,
}

impl App {
    /// The request as a reader sees it.
    pub(crate) async fn view_request(
        &self,
        loaded: &LoadedRequest,
        reader: &PersonId,
        people: &Snapshot,
    ) -> Result<RequestView, Problem> {
        let number = match loaded.asked().requester == *reader {
            true => self.number_of(loaded).await?,
            false => None,
        };
        let beside = Beside {
            title: view::title(self, &loaded.asked().entitlement),
            input: self.recorded_input(loaded).await?,
            seen: self.seen(&loaded.id, people).await?,
            matching: matching(loaded, reader, people),
            number,
        };
        Ok(show(loaded, reader, people, beside))
    }

    async fn recorded_input(&self, loaded: &LoadedRequest) -> Result<Canonical, Problem> {
        let revision = loaded.asked().revision;
        let judged = loaded.events.iter().find_map(|placed| match &placed.event {
            RequestEvent::Judged(one) if one.revision == revision && one.phase == Phase::Request => Some(one),
            _ => None,
        });
        let judged = judged.ok_or_else(|| damaged("no verdict of the request phase"))?;
        self.canonical(judged.input_sha256).await
    }

    async fn seen(&self, id: &RequestId, people: &Snapshot) -> Result<Vec<SeenView>, Problem> {
        let prefix = format!("{id}/");
        let mut seen = Vec::new();
        for ticket in self.store.tickets_of(SEEN, &prefix, self.now()).await? {
            let person = ticket.key.strip_prefix(&prefix).and_then(|person| person.parse().ok());
            let time = ticket.value.as_str();
            if let (Some(person), Some(time)) = (person, time) {
                seen.push(SeenView { person: view::reference(&person, people), time: time.to_owned() });
            }
        }
        seen.sort_by(|one, other| (&one.time, &one.person).cmp(&(&other.time, &other.person)));
        Ok(seen)
    }

    /// Remembers the first look of somebody who may decide, while the request waits; of anybody else it is nothing.
    pub(crate) async fn see_request(&self, reader: &PersonId, id: &RequestId) -> Result<(), Problem> {
        let (now, people) = (self.now(), self.people.now());
        let loaded = self.find_request(id, reader, &people).await?;
        if pending(&loaded).is_none() || !may_sit(&loaded, reader, &people) {
            return Ok(());
        }
        let mut append = Append::at(now);
        append.remember.push(first_look(id, reader, now));
        match self.store.append(append).await {
            Ok(_) | Err(AppendError::TicketTaken { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn first_look(id: &RequestId, person: &PersonId, now: Timestamp) -> Ticket {
    let key = format!("{id}/{person}");
    Ticket { kind: SEEN.to_owned(), key, value: json!(now), expires_at: now.plus(SEEN_SECONDS) }
}

fn may_sit(loaded: &LoadedRequest, person: &PersonId, people: &Snapshot) -> bool {
    let (asked, directory) = (loaded.asked(), people.directory());
    let stages = &loaded.standing_verdict.stages;
    count::check_person(person, asked, directory).is_ok()
        && !count::eligible_stages(person, stages, asked, directory).is_empty()
}

fn matching(loaded: &LoadedRequest, reader: &PersonId, people: &Snapshot) -> Option<NumberMatching> {
    view::may_decide(loaded, reader, DecisionKind::Approve, people).ok()?;
    let misses_left = pending(loaded).map_or(0, Pending::mismatches_left);
    Some(NumberMatching { needed: needs_number(loaded), misses_left })
}
