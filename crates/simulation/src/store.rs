//! The interface that a server sees. Every call becomes a step of the disk and waits for it.

use std::collections::BTreeMap;
use std::future::pending;
use std::ops::Range;

use chancery_canonical::Sha256;
use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_ledger::tile::{TILE_WIDTH, TileKind, encode_entry};
use chancery_ledger::{Hash, SignedCheckpoint, TilePath};
use chancery_store::{
    ALARM_AFTER_FAILURES, AlarmedEffect, Append, AppendError, Appended, Backlog, ClaimedEffect, Document,
    Fault, Finding, MAX_PAGE, NewEffect, OPEN_STATES, Past, Position, Projection, Rebuild, RequestFilter,
    RequestPage, RequestRow, RowDifference, StateCount, Store, StoredEvent, StreamHead, Ticket, TicketKey,
};
use serde_json::Value;
use tokio::sync::{oneshot, watch};

use crate::disk::{Disk, Job, Work};
use crate::integrity;
use crate::state::{Batch, EffectState, EffectStatus, State};

/// One server's way to a [`Disk`].
#[derive(Clone)]
pub struct SimulatedStore {
    disk: Disk,
    server: usize,
    incarnation: u64,
    sizes: watch::Receiver<u64>,
    free: bool,
}

impl SimulatedStore {
    pub(crate) fn new(
        disk: Disk,
        server: usize,
        incarnation: u64,
        sizes: watch::Receiver<u64>,
        free: bool,
    ) -> Self {
        Self { disk, server, incarnation, sizes, free }
    }

    pub(crate) fn incarnation(&self) -> u64 {
        self.incarnation
    }

    async fn read<T: Send + 'static>(
        &self,
        what: impl Into<String>,
        look: impl FnOnce(&State) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (reply, answer) = oneshot::channel();
        let read = move |state: Result<&State, Fault>| {
            let _ = reply.send(state.and_then(look));
        };
        self.disk.ask(self.server, self.incarnation, what.into(), Work::Read(Box::new(read)));
        self.answered(answer).await?
    }

    async fn write<T: Send + 'static>(
        &self,
        what: impl Into<String>,
        change: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let job = |state: &mut State, _: &mut Batch| Ok::<T, Fault>(change(state));
        Ok(self.change(what.into(), job).await?.0)
    }

    async fn change<T: Send + 'static, E: From<Fault> + Send + 'static>(
        &self,
        what: String,
        run: impl FnOnce(&mut State, &mut Batch) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, SignedCheckpoint), E> {
        let (reply, answer) = oneshot::channel();
        let job = Change { run: Some(run), result: None, reply };
        self.disk.ask(self.server, self.incarnation, what, Work::Write(Box::new(job)));
        self.answered(answer).await?
    }

    /// A server that is dead does not learn that it is.
    async fn answered<T>(&self, answer: oneshot::Receiver<T>) -> Result<T, Fault> {
        match answer.await {
            Ok(answer) => Ok(answer),
            Err(_) if self.free => Err(Fault::Closed),
            Err(_) => pending().await,
        }
    }
}

/// A change that waits for its commit.
struct Change<F, T, E> {
    run: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<(T, SignedCheckpoint), E>>,
}

impl<F, T, E> Job for Change<F, T, E>
where
    F: FnOnce(&mut State, &mut Batch) -> Result<T, E> + Send,
    T: Send,
    E: From<Fault> + Send,
{
    fn run(&mut self, state: &mut State, batch: &mut Batch) -> bool {
        self.result = self.run.take().map(|run| run(state, batch));
        matches!(self.result, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<&SignedCheckpoint, Fault>) {
        let answer = match (committed, self.result) {
            (Err(fault), _) => Err(fault.into()),
            (Ok(checkpoint), Some(result)) => result.map(|value| (value, checkpoint.clone())),
            (Ok(_), None) => Err(Fault::Closed.into()),
        };
        // Nobody listens any more when the caller has stopped waiting.
        let _ = self.reply.send(answer);
    }
}

impl Store for SimulatedStore {
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        let what = described(&append);
        let run = |state: &mut State, batch: &mut Batch| -> Result<Vec<Position>, AppendError> {
            state.apply(append, batch)
        };
        let (positions, checkpoint) = self.change(what, run).await?;
        Ok(Appended { positions, checkpoint })
    }

    async fn stream(&self, stream: &Stream, from_version: u64) -> Result<Vec<StoredEvent>, Fault> {
        let stream = stream.clone();
        let from = |event: &&StoredEvent, version| event.position.version >= version;
        let what = format!("read {stream}");
        let look = move |state: &State| {
            Ok(state.stream(&stream).filter(|event| from(event, from_version)).cloned().collect())
        };
        self.read(what, look).await
    }

    async fn events_from(&self, from_index: u64, limit: usize) -> Result<Vec<StoredEvent>, Fault> {
        let look = move |state: &State| Ok(state.events_from(from_index).take(limit).cloned().collect());
        self.read("read events", look).await
    }

    async fn identity_events_from(&self, from_index: u64, limit: usize) -> Result<Vec<StoredEvent>, Fault> {
        let of_people = |event: &&StoredEvent| matches!(event.leaf.stream, Stream::Identity(_));
        let look = move |state: &State| {
            Ok(state.events_from(from_index).filter(of_people).take(limit).cloned().collect())
        };
        self.read("read identity events", look).await
    }

    async fn alert_events_from(&self, from_index: u64, limit: usize) -> Result<Vec<StoredEvent>, Fault> {
        let of_alerts = |event: &&StoredEvent| matches!(event.leaf.stream, Stream::Alert(_));
        let look = move |state: &State| {
            Ok(state.events_from(from_index).filter(of_alerts).take(limit).cloned().collect())
        };
        self.read("read events of alerts", look).await
    }

    async fn streams_with_prefix(&self, prefix: &str) -> Result<Vec<StreamHead>, Fault> {
        let prefix = prefix.to_owned();
        let look = move |state: &State| {
            let heads = state.streams.iter().map(|(stream, indices)| (stream.to_string(), stream, indices));
            let mut found: Vec<_> = heads.filter(|(name, _, _)| name.starts_with(&prefix)).collect();
            found.sort_by(|one, other| one.0.cmp(&other.0));
            let head = |(_, stream, indices): (String, &Stream, &Vec<u64>)| StreamHead {
                stream: stream.clone(),
                version: indices.len() as u64,
            };
            Ok(found.into_iter().map(head).collect())
        };
        self.read("read streams", look).await
    }

    async fn entries(&self, range: Range<u64>) -> Result<Vec<Vec<u8>>, Fault> {
        self.read("read leaves", move |state: &State| Ok(leaves(state, range))).await
    }

    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, Fault> {
        self.read("read a tile", move |state: &State| tile(state, &path)).await
    }

    async fn checkpoint(&self) -> Result<SignedCheckpoint, Fault> {
        self.read("read the checkpoint", |state: &State| Ok(state.head.checkpoint.clone())).await
    }

    fn watch_size(&self) -> watch::Receiver<u64> {
        self.sizes.clone()
    }

    async fn newest_time(&self) -> Result<Option<Timestamp>, Fault> {
        self.read("read the newest time", |state: &State| Ok(state.newest_time)).await
    }

    async fn document(&self, sha256: Sha256) -> Result<Option<Document>, Fault> {
        self.read("read a document", move |state: &State| Ok(state.documents.get(&sha256).cloned())).await
    }

    async fn request_row(&self, id: &RequestId) -> Result<Option<RequestRow>, Fault> {
        let id = id.clone();
        self.read("read a row", move |state: &State| Ok(state.rows.get(&id).cloned())).await
    }

    async fn request_rows(
        &self,
        filter: RequestFilter,
        after: Option<RequestId>,
        limit: usize,
    ) -> Result<RequestPage, Fault> {
        let limit = limit.clamp(1, MAX_PAGE);
        let look = move |state: &State| {
            let later = |row: &&RequestRow| after.as_ref().is_none_or(|after| row.id < *after);
            let found = state.rows.values().rev().filter(|row| matches(&filter, row)).filter(later);
            let mut rows: Vec<RequestRow> = found.take(limit.saturating_add(1)).cloned().collect();
            let more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| more).map(|row| row.id.clone());
            Ok(RequestPage { rows, next })
        };
        self.read("read rows", look).await
    }

    async fn count_requests(&self, filter: RequestFilter, since: Timestamp) -> Result<u64, Fault> {
        let look = move |state: &State| {
            let found = state.rows.values().filter(|row| matches(&filter, row) && row.created_at >= since);
            Ok(found.count() as u64)
        };
        self.read("count rows", look).await
    }

    async fn count_of_requester(
        &self,
        past: &Past,
        since: Vec<Timestamp>,
    ) -> Result<Vec<Vec<StateCount>>, Fault> {
        let past = past.clone();
        let look = move |state: &State| {
            let own = || state.rows.values().filter(|row| row.requester == past.requester);
            let count = |since: Timestamp| {
                let mut counts: BTreeMap<String, StateCount> = BTreeMap::new();
                for row in own().filter(|row| row.created_at >= since) {
                    let new = || StateCount { state: row.state.clone(), ..StateCount::default() };
                    let count = counts.entry(row.state.clone()).or_insert_with(new);
                    count.requests += 1;
                    if row.entitlement == past.entitlement {
                        count.of_entitlement += 1;
                        count.of_subject += u64::from(row.subject == past.subject);
                        count.longest_grant_seconds = count.longest_grant_seconds.max(row.grant_seconds);
                    }
                }
                counts.into_values().collect()
            };
            Ok(since.into_iter().map(count).collect())
        };
        self.read("count rows of a requester", look).await
    }

    async fn ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, Fault> {
        let key = key.clone();
        self.read(format!("read {}", key.kind), move |state: &State| Ok(state.ticket(&key, now))).await
    }

    async fn tickets(&self, kind: &str, now: Timestamp) -> Result<Vec<Ticket>, Fault> {
        let kind = kind.to_owned();
        let look = move |state: &State| {
            let good = state.tickets.values().filter(|one| one.kind == kind && one.expires_at > now);
            Ok(good.cloned().collect())
        };
        self.read("read tickets", look).await
    }

    async fn tickets_of(&self, kind: &str, prefix: &str, now: Timestamp) -> Result<Vec<Ticket>, Fault> {
        let mut tickets = self.tickets(kind, now).await?;
        tickets.retain(|ticket| ticket.key.starts_with(prefix));
        Ok(tickets)
    }

    async fn put_ticket(&self, ticket: Ticket) -> Result<(), Fault> {
        self.write(format!("put {}", ticket.kind), move |state| state.put_ticket(ticket)).await
    }

    async fn take_ticket(&self, key: &TicketKey, now: Timestamp) -> Result<Option<Ticket>, Fault> {
        let key = key.clone();
        self.write(format!("take {}", key.kind), move |state| state.take_ticket(&key, now)).await
    }

    async fn sweep_tickets(&self, now: Timestamp) -> Result<u64, Fault> {
        self.write("sweep tickets", move |state| state.sweep_tickets(now)).await
    }

    async fn add_effect(&self, effect: NewEffect) -> Result<(), Fault> {
        self.write(format!("add {}", effect.kind), move |state| state.add_effect(effect)).await
    }

    async fn claim_effects(
        &self,
        now: Timestamp,
        limit: usize,
        lease_seconds: u64,
    ) -> Result<Vec<ClaimedEffect>, Fault> {
        self.write("claim effects", move |state| state.claim_effects(now, limit, lease_seconds)).await
    }

    async fn finish_effect(&self, key: &str, fence: u64) -> Result<bool, Fault> {
        let key = key.to_owned();
        self.write(format!("finish {key}"), move |state| state.finish_effect(&key, fence)).await
    }

    async fn retry_effect(
        &self,
        key: &str,
        fence: u64,
        due_at: Timestamp,
        error: &str,
    ) -> Result<bool, Fault> {
        let (key, error) = (key.to_owned(), error.to_owned());
        let what = format!("put back {key}");
        self.write(what, move |state| state.retry_effect(&key, fence, due_at, &error)).await
    }

    async fn release_effect(&self, key: &str, fence: u64) -> Result<bool, Fault> {
        let key = key.to_owned();
        self.write(format!("give back {key}"), move |state| state.release_effect(&key, fence)).await
    }

    async fn alarmed_effects(&self) -> Result<Vec<AlarmedEffect>, Fault> {
        let look = |state: &State| {
            let failing = state.effects.values().filter(|known| known.status == EffectStatus::Waiting);
            let mut alarmed: Vec<AlarmedEffect> = failing
                .filter(|known| known.failures >= ALARM_AFTER_FAILURES)
                .map(|known| AlarmedEffect {
                    key: known.effect.key.clone(),
                    kind: known.effect.kind.clone(),
                    payload: known.effect.payload.clone(),
                    due_at: known.due_at,
                    failures: known.failures,
                    last_error: known.last_error.clone(),
                })
                .collect();
            alarmed.sort_by(|one, other| (one.due_at, &one.key).cmp(&(other.due_at, &other.key)));
            Ok(alarmed)
        };
        self.read("read alarms", look).await
    }

    async fn backlog(&self, now: Timestamp) -> Result<Backlog, Fault> {
        let look = move |state: &State| {
            let waiting = || state.effects.values().filter(|known| known.status == EffectStatus::Waiting);
            let failing = |known: &&EffectState| known.failures >= ALARM_AFTER_FAILURES;
            let due = waiting().filter(|known| known.due_at <= now);
            Ok(Backlog {
                due: waiting().filter(|known| known.due_at <= now || failing(known)).count() as u64,
                alarmed: waiting().filter(failing).count() as u64,
                oldest_due: due.map(|known| known.due_at).min(),
            })
        };
        self.read("read the backlog", look).await
    }

    async fn open_requests(&self) -> Result<Vec<(&'static str, u64)>, Fault> {
        let look = |state: &State| {
            let count = |name| state.rows.values().filter(|row| row.state == name).count() as u64;
            Ok(OPEN_STATES.iter().map(|name| (*name, count(*name))).collect())
        };
        self.read("count open requests", look).await
    }

    async fn put_private(&self, leaf_index: u64, private: Value) -> Result<bool, Fault> {
        self.write("put private values", move |state| state.put_private(leaf_index, private)).await
    }

    async fn rebuild(&self, mode: Rebuild, projection: Projection) -> Result<Vec<RowDifference>, Fault> {
        let change = move |state: &mut State, _: &mut Batch| integrity::rebuild(state, mode, &projection);
        Ok(self.change("rebuild rows".to_owned(), change).await?.0)
    }

    async fn integrity(&self, projection: Option<Projection>) -> Result<Vec<Finding>, Fault> {
        let key = self.disk.key();
        let look = move |state: &State| Ok(integrity::examine(state, &key, projection.as_ref()));
        self.read("examine everything", look).await
    }
}

/// An append in words.
fn described(append: &Append) -> String {
    let kinds = |events: &[chancery_store::NewEvent]| {
        events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>().join(", ")
    };
    let streams = append.streams.iter();
    let told: Vec<String> = streams
        .map(|one| format!("{} after {}: {}", one.stream, one.expected_version, kinds(&one.events)))
        .collect();
    format!("append to {}", told.join("; "))
}

fn matches(filter: &RequestFilter, row: &RequestRow) -> bool {
    let RequestFilter { states, requester, participant, entitlement, updated_since } = filter;
    let takes_part = |person: &PersonId| {
        row.requester == *person || row.beneficiary == *person || row.participants.contains(person)
    };
    (states.is_empty() || states.contains(&row.state))
        && requester.as_ref().is_none_or(|person| row.requester == *person)
        && participant.as_ref().is_none_or(takes_part)
        && entitlement.as_ref().is_none_or(|name| row.entitlement == *name)
        && updated_since.is_none_or(|since| row.updated_at >= since)
}

fn leaves(state: &State, range: Range<u64>) -> Vec<Vec<u8>> {
    let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let stored = state.leaves.iter().skip(index(range.start));
    stored.take(index(range.end.saturating_sub(range.start))).map(|leaf| leaf.to_vec()).collect()
}

fn tile(state: &State, path: &TilePath) -> Result<Option<Vec<u8>>, Fault> {
    let width = usize::from(path.width());
    match path.kind() {
        TileKind::Hashes { level } => {
            let stored = state.tiles.get(&(level, path.index()));
            let length = width.saturating_mul(Hash::LENGTH);
            Ok(stored.and_then(|hashes| hashes.get(..length)).map(<[u8]>::to_vec))
        }
        TileKind::Entries => {
            let first = path.index().saturating_mul(u64::from(TILE_WIDTH));
            let entries = leaves(state, first..first.saturating_add(u64::from(path.width())));
            if entries.len() < width {
                return Ok(None);
            }
            let mut bundle = Vec::new();
            for entry in &entries {
                encode_entry(&mut bundle, entry).map_err(|error| Fault::Damaged(error.to_string()))?;
            }
            Ok(Some(bundle))
        }
    }
}
