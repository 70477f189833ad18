//! The row of the read model that the events of one request make: what lists and queues are made of.

use std::collections::{BTreeMap, BTreeSet};

use chancery_domain::document::DecisionKind;
use chancery_domain::event::{Judged, Phase, RequestEvent};
use chancery_domain::evolve::evolve;
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::seats::{self, Claim};
use chancery_domain::state::{Pending, State};
use chancery_domain::time::Timestamp;
use chancery_domain::verdict::Stage;
use chancery_store::{Fault, RequestRow};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::load_request::{damaged, decider};
use super::record_events::Told;

/// Whatever lists show besides. What was recorded before a member was thought of lacks it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// The stages of the standing revision.
    pub stages: Vec<Stage>,
    /// Tier of risk.
    pub tier: String,
    /// Ids of stages that are not filled while it is pending, as far as can be told without verifying signatures.
    pub waiting_for: Vec<String>,
    /// Who decided on the standing revision while it is pending.
    pub decided_by: BTreeSet<PersonId>,
    /// When each person last decided, on any revision.
    pub decided_at: BTreeMap<PersonId, Timestamp>,
}

impl Summary {
    /// Reads the summary of a row. One that cannot be read is as good as none.
    pub fn of(row: &RequestRow) -> Self {
        serde_json::from_value(row.summary.clone()).unwrap_or_default()
    }

    /// Takes in where the request stands after all its events.
    fn stand(&mut self, state: &State) {
        let State::Pending(Pending { decisions, .. }) = state else { return };
        let approved = decisions.iter().filter(|one| one.decision == DecisionKind::Approve);
        let claims: Vec<Claim> =
            approved.map(|one| Claim { person: one.person.clone(), stages: one.stages.clone() }).collect();
        let filled = seats::filled(&self.stages, &claims);
        let open = self.stages.iter().filter(|stage| !filled.contains(&stage.id));
        self.waiting_for = open.map(|stage| stage.id.clone()).collect();
        self.decided_by = decisions.iter().map(|one| one.person.clone()).collect();
    }
}

/// What stands beside the judgement that fixed the stages.
#[derive(Default)]
struct Standing {
    risk_score: u32,
    subject: String,
    grant_seconds: u64,
}

impl Standing {
    fn take_in(&mut self, judged: &Judged, private: Option<&Value>, summary: &mut Summary) {
        self.risk_score = judged.risk_score;
        if judged.phase != Phase::Request {
            return;
        }
        let beside =
            |name: &str| private.and_then(|private| private.get(name)).cloned().unwrap_or(Value::Null);
        let text = |name: &str| beside(name).as_str().unwrap_or("").to_owned();
        summary.stages = serde_json::from_value(beside("stages")).unwrap_or_default();
        (summary.tier, self.subject) = (text("tier"), text("subject"));
        self.grant_seconds = judged.grant.as_ref().map_or(0, |grant| grant.max_seconds);
    }
}

/// The row. Never evidence: nothing in it was verified.
pub fn row(id: &RequestId, told: &[Told], version: u64) -> Result<RequestRow, Fault> {
    let mut state: Option<State> = None;
    let (mut standing, mut summary) = (Standing::default(), Summary::default());
    for Told { event, time, private } in told {
        if let Some(person) = decider(event) {
            summary.decided_at.insert(person, *time);
        }
        if let RequestEvent::Judged(judged) = event {
            standing.take_in(judged, private.as_ref(), &mut summary);
        }
        state = Some(evolve(id, state, event).map_err(damaged)?);
    }
    let (Some(state), Some(first), Some(last)) = (state, told.first(), told.last()) else {
        return Err(damaged("a request without events"));
    };
    summary.stand(&state);
    let asked = state.asked().clone();
    Ok(RequestRow {
        id: id.clone(),
        version,
        state: state.name().to_owned(),
        revision: asked.revision,
        requester: asked.requester,
        beneficiary: asked.beneficiary,
        participants: summary.decided_at.keys().cloned().collect(),
        entitlement: asked.entitlement,
        subject: standing.subject,
        grant_seconds: standing.grant_seconds,
        risk_score: standing.risk_score,
        created_at: first.time,
        updated_at: last.time,
        due_at: state.due_at(),
        summary: json!(summary),
    })
}
