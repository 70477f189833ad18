//! Lists of requests: filters, pages, and who may see which row.

use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::people::{AUDITOR, IDENTITY_ADMIN, POLICY_OWNER};
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Stage;
use chancery_store::{MAX_PAGE, RequestFilter, RequestRow, Store as _};

use crate::app::summarise_request::Summary;
use crate::app::{App, Snapshot};
use crate::problem::Problem;

/// As what a reader asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What they asked for.
    Requester,
    /// What they may decide on.
    Approver,
    /// What they may see.
    Any,
}

impl Role {
    /// Reads the query.
    pub fn parse(text: Option<&str>) -> Result<Self, Problem> {
        match text {
            Some("requester") => Ok(Self::Requester),
            Some("approver") => Ok(Self::Approver),
            Some("any") | None => Ok(Self::Any),
            Some(_) => Err(Problem::member("role", "is not `requester`, `approver` or `any`")),
        }
    }
}

/// A part of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// It waits, a seat is open that the reader may take now, and they have not decided.
    NeedsMe,
    /// It waits, and the reader asked for it or has decided.
    WaitingOthers,
    /// The reader decided within the last 24 hours.
    DecidedToday,
    /// The reader asked for it.
    Mine,
}

/// How far `decided_today` looks back.
const TODAY_SECONDS: u64 = 24 * 3600;

impl View {
    /// Reads the query.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match text {
            "needs_me" => Ok(Self::NeedsMe),
            "waiting_others" => Ok(Self::WaitingOthers),
            "decided_today" => Ok(Self::DecidedToday),
            "mine" => Ok(Self::Mine),
            _ => {
                let known = "is not `needs_me`, `waiting_others`, `decided_today` or `mine`";
                Err(Problem::member("view", known))
            }
        }
    }

    /// Narrows what is read, so that an index finds it.
    fn narrow(self, filter: &mut RequestFilter, reader: &PersonId, now: Timestamp) {
        match self {
            Self::NeedsMe => filter.states = vec!["pending".to_owned()],
            Self::WaitingOthers => {
                filter.states = vec!["pending".to_owned()];
                filter.participant = Some(reader.clone());
            }
            Self::DecidedToday => {
                filter.participant = Some(reader.clone());
                filter.updated_since = Some(today(now));
            }
            Self::Mine => filter.requester = Some(reader.clone()),
        }
    }

    fn wants(self, row: &RequestRow, reader: &PersonId, people: &Snapshot, now: Timestamp) -> bool {
        match self {
            Self::NeedsMe => Audience::of(row).is_awaited(reader, people),
            Self::WaitingOthers => row.requester == *reader || Summary::of(row).decided_by.contains(reader),
            Self::DecidedToday => Summary::of(row).decided_at.get(reader).is_some_and(|at| *at >= today(now)),
            Self::Mine => true,
        }
    }
}

fn today(now: Timestamp) -> Timestamp {
    Timestamp::from_unix(now.unix().saturating_sub_unsigned(TODAY_SECONDS)).unwrap_or(now)
}

/// A list that is asked for.
#[derive(Clone, Debug)]
pub struct Listing {
    /// As what.
    pub role: Role,
    /// Which part of the inbox, if one.
    pub view: Option<View>,
    /// In one of these states; empty for any.
    pub states: Vec<String>,
    /// For this entitlement.
    pub entitlement: Option<String>,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows on a page.
    pub limit: Option<String>,
}

/// How many rows; 50 when nothing is said.
pub fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let number = text.unwrap_or("50").parse::<usize>().ok();
    number
        .filter(|number| (1..=MAX_PAGE).contains(number))
        .ok_or_else(|| Problem::member("limit", format!("is no number from 1 to {MAX_PAGE}")))
}

impl Listing {
    /// One page of rows that this person may see, and where the next begins.
    pub async fn rows(
        &self,
        app: &App,
        reader: &PersonId,
        people: &Snapshot,
    ) -> Result<(Vec<RequestRow>, Option<String>), Problem> {
        let limit = limit(self.limit.as_deref())?;
        let mut after: Option<RequestId> = match &self.cursor {
            Some(cursor) => {
                Some(cursor.parse().map_err(|_| Problem::member("cursor", "is none that was given"))?)
            }
            None => None,
        };
        let now = app.now();
        let mut filter = RequestFilter {
            states: self.states.clone(),
            requester: (self.role == Role::Requester).then(|| reader.clone()),
            entitlement: self.entitlement.clone(),
            ..RequestFilter::default()
        };
        if let Some(view) = self.view {
            view.narrow(&mut filter, reader, now);
        }
        let mut rows = Vec::new();
        // At most ten pages are read for one answer; the cursor says where to go on.
        for _ in 0..10 {
            let page = app.store.request_rows(filter.clone(), after.clone(), MAX_PAGE).await?;
            for row in page.rows {
                if rows.len() >= limit {
                    return Ok((rows, after.map(|id| id.to_string())));
                }
                after = Some(row.id.clone());
                let viewed = self.view.is_none_or(|view| view.wants(&row, reader, people, now));
                if viewed && self.has_state(&row) && self.wants(&row, reader, people) {
                    rows.push(row);
                }
            }
            if page.next.is_none() {
                return Ok((rows, None));
            }
        }
        Ok((rows, after.map(|id| id.to_string())))
    }

    /// A view reads states of its own choice.
    fn has_state(&self, row: &RequestRow) -> bool {
        self.states.is_empty() || self.states.contains(&row.state)
    }

    fn wants(&self, row: &RequestRow, reader: &PersonId, people: &Snapshot) -> bool {
        match self.role {
            Role::Requester => true,
            Role::Approver => may_sit(row, reader, people),
            Role::Any => visible(row, reader, people),
        }
    }
}

/// Whether a person may see a request, by its row.
pub async fn visible_row(
    app: &App,
    id: &RequestId,
    reader: &PersonId,
    people: &Snapshot,
) -> Result<bool, Problem> {
    Ok(app.store.request_row(id).await?.is_some_and(|row| visible(&row, reader, people)))
}

fn visible(row: &RequestRow, reader: &PersonId, people: &Snapshot) -> bool {
    Audience::of(row).admits(reader, people)
}

/// Whether a person may take a seat in one of the stages that the row remembers.
fn may_sit(row: &RequestRow, reader: &PersonId, people: &Snapshot) -> bool {
    Audience::of(row).may_sit(reader, people)
}

/// Who may see a request, by its row. Made once for many readers.
pub struct Audience<'row> {
    row: &'row RequestRow,
    summary: Summary,
}

impl<'row> Audience<'row> {
    /// Reads the stages that the row remembers.
    pub fn of(row: &'row RequestRow) -> Self {
        Self { row, summary: Summary::of(row) }
    }

    /// Whether this reader may see it.
    pub fn admits(&self, reader: &PersonId, people: &Snapshot) -> bool {
        let reads_all = people.active(reader).is_some_and(|known| {
            [AUDITOR, IDENTITY_ADMIN, POLICY_OWNER].iter().any(|role| known.roles.contains(*role))
        });
        reads_all
            || self.row.requester == *reader
            || self.row.beneficiary == *reader
            || self.row.participants.contains(reader)
            || self.may_sit(reader, people)
    }

    fn may_sit(&self, reader: &PersonId, people: &Snapshot) -> bool {
        if self.row.requester == *reader || self.row.beneficiary == *reader {
            return false;
        }
        self.summary.stages.iter().any(|stage| self.selects(stage, reader, people))
    }

    /// Whether a seat is open that this reader may take now, and they have not decided.
    fn is_awaited(&self, reader: &PersonId, people: &Snapshot) -> bool {
        let Summary { stages, waiting_for, decided_by, .. } = &self.summary;
        let open = |stage: &&Stage| {
            waiting_for.contains(&stage.id) && !stage.after.iter().any(|before| waiting_for.contains(before))
        };
        let party = self.row.requester == *reader || self.row.beneficiary == *reader;
        !party
            && !decided_by.contains(reader)
            && stages.iter().filter(open).any(|stage| self.selects(stage, reader, people))
    }

    fn selects(&self, stage: &Stage, reader: &PersonId, people: &Snapshot) -> bool {
        people.directory().selects(&stage.from, reader, &self.row.requester)
    }
}
