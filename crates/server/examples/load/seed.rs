//! Fills a journal fast: requests that the server recorded are written again under other ids and for other people, through
//! the store, many in one append. Shapes and sizes are those of real events; their signatures are over the first one.

use chancery_domain::effect::Effect;
use chancery_domain::id::RequestId;
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_store::{
    Append, NewAttestation, NewEffect, NewEvent, RequestRow, SqliteStore, Store as _, StoredEvent,
    StreamAppend,
};
use serde_json::Value;

use crate::installation::fresh_id;

/// Requests in one append.
const TOGETHER: usize = 100;
/// People who ask, besides those who really are there.
const PEOPLE: usize = 1000;

/// A request as the server recorded it.
pub struct Pattern {
    row: RequestRow,
    events: Vec<StoredEvent>,
}

impl Pattern {
    pub async fn of(store: &SqliteStore, id: &str) -> Self {
        let id: RequestId = id.parse().unwrap();
        let events = store.stream(&Stream::Request(id.clone()), 1).await.unwrap();
        Self { row: store.request_row(&id).await.unwrap().unwrap(), events }
    }

    /// The same as a request that is over.
    pub fn ended(self) -> Self {
        Self {
            row: RequestRow { state: "expired".to_owned(), due_at: None, ..self.row },
            events: self.events,
        }
    }

    /// The same as it was when it began to wait.
    pub fn waiting(self) -> Self {
        let judged = self.events.iter().position(|event| event.leaf.kind == "request.judged").unwrap();
        let events = self.events[..=judged].to_vec();
        let (state, version) = ("pending".to_owned(), events.len() as u64);
        let due_at = Some(self.row.created_at.plus(24 * 3600));
        let row = RequestRow { state, version, due_at, participants: Vec::new(), ..self.row };
        Self { row, events }
    }

    /// Events of one such request.
    pub fn events(&self) -> usize {
        self.events.len()
    }

    /// Writes so many more of them.
    pub async fn repeat(&self, store: &SqliteStore, count: usize, requesters: &[String]) {
        let time = store.newest_time().await.unwrap().unwrap();
        let mut left = count;
        while left > 0 {
            let mut append = Append::at(time);
            for number in 0..left.min(TOGETHER) {
                let requester = requesters.get((left + number) % (requesters.len() + PEOPLE));
                let stranger = || format!("01STRANGER{:016}", (left + number) % PEOPLE);
                self.once(&mut append, &requester.cloned().unwrap_or_else(stranger), time);
            }
            left -= left.min(TOGETHER);
            store.append(append).await.unwrap();
        }
    }

    fn once(&self, append: &mut Append, requester: &str, time: Timestamp) {
        let (old_id, old_requester) = (self.row.id.to_string(), self.row.requester.to_string());
        let id: RequestId = fresh_id().parse().unwrap();
        let other = |value: &Value| -> Value {
            let text = value.to_string().replace(&old_id, id.as_str()).replace(&old_requester, requester);
            serde_json::from_str(&text).unwrap()
        };
        let events = self.events.iter().map(|event| NewEvent {
            kind: event.leaf.kind.clone(),
            body: other(&Value::Object(event.leaf.body.clone())).as_object().unwrap().clone(),
            private: event.private.clone(),
            attestation: event.attestation.as_ref().map(|attestation| NewAttestation {
                leaf: attestation.leaf.clone(),
                envelope: attestation.envelope.clone(),
            }),
        });
        append.streams.push(StreamAppend {
            stream: Stream::Request(id.clone()),
            expected_version: 0,
            events: events.collect(),
        });
        let person: chancery_domain::id::PersonId = requester.parse().unwrap();
        let created_at = time;
        append.request_rows.push(RequestRow {
            id: id.clone(),
            requester: person.clone(),
            beneficiary: person,
            created_at,
            ..self.row.clone()
        });
        if let Some(due_at) = self.row.due_at {
            let effect = Effect::FireClock { request: id };
            let (key, payload) = (effect.key(due_at), serde_json::to_value(&effect).unwrap());
            append.effects.push(NewEffect { key, kind: "fire_clock".to_owned(), due_at, payload });
        }
    }
}
