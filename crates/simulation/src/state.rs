//! What is stored: the tables of the real engine as values. A clone is a snapshot, and costs next to nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use chancery_canonical::Sha256;
use chancery_domain::id::RequestId;
use chancery_domain::leaf::{EventLeaf, MAX_LEAF_BYTES, Stream};
use chancery_domain::time::Timestamp;
use chancery_ledger::tile::TileKind;
use chancery_ledger::{Checkpoint, Origin, Root, SignedCheckpoint, SignerKey, Tree, VerifierKey, leaf_hash};
use chancery_store::{
    Append, AppendError, ClaimedEffect, Document, Fault, NewAttestation, NewEffect, NewEvent, Position,
    Refusal, RequestRow, StoredAttestation, StoredEvent, StreamAppend, Ticket, TicketKey, erase_values,
};
use serde_json::Value;

use crate::sabotage::Sabotage;

/// Who signs the log's checkpoints.
#[derive(Clone)]
pub struct LogKey {
    origin: Origin,
    key: Arc<SignerKey>,
}

impl LogKey {
    /// The log of this name under this key.
    pub fn new(origin: Origin, key: SignerKey) -> Self {
        Self { origin, key: Arc::new(key) }
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    fn sign(&self, root: Root) -> Result<SignedCheckpoint, Fault> {
        let checkpoint = Checkpoint::new(self.origin.clone(), root);
        checkpoint.sign(&self.key).map_err(|error| Fault::Damaged(error.to_string()))
    }
}

/// Where an effect stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectStatus {
    /// To be run.
    Waiting,
    /// Run.
    Done,
    /// Not to be run any more.
    Cancelled,
}

/// One effect in the queue.
#[derive(Clone, Debug)]
pub struct EffectState {
    /// What is to be done.
    pub effect: NewEffect,
    /// Where it stands.
    pub status: EffectStatus,
    /// When it may be claimed.
    pub due_at: Timestamp,
    /// How often it was claimed.
    pub attempt: u32,
    /// How often it failed.
    pub failures: u32,
    /// Number of the newest claim.
    pub fence: u64,
    /// Until when the newest claim holds.
    pub lease_until: Option<Timestamp>,
    /// What the newest failure said.
    pub last_error: Option<String>,
}

/// Where the log ends.
#[derive(Clone)]
pub struct Head {
    pub(crate) tree: Tree,
    pub(crate) checkpoint: SignedCheckpoint,
}

/// Everything that is stored.
#[derive(Clone)]
pub struct State {
    pub(crate) leaves: Arc<Vec<Arc<Vec<u8>>>>,
    pub(crate) events: Arc<BTreeMap<u64, StoredEvent>>,
    /// Leaf indices of each stream's events, in order.
    pub(crate) streams: Arc<BTreeMap<Stream, Vec<u64>>>,
    pub(crate) tiles: Arc<BTreeMap<(u8, u64), Vec<u8>>>,
    pub(crate) documents: Arc<BTreeMap<Sha256, Document>>,
    pub(crate) rows: Arc<BTreeMap<RequestId, RequestRow>>,
    pub(crate) tickets: Arc<BTreeMap<TicketKey, Ticket>>,
    pub(crate) effects: Arc<BTreeMap<String, EffectState>>,
    pub(crate) head: Head,
    pub(crate) newest_time: Option<Timestamp>,
    pub(crate) sabotage: Option<Sabotage>,
}

impl State {
    /// An empty log.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn empty(key: &LogKey) -> Result<Self, Fault> {
        let head = Head { tree: Tree::empty(), checkpoint: key.sign(Root::EMPTY)? };
        Ok(Self {
            leaves: Arc::default(),
            events: Arc::default(),
            streams: Arc::default(),
            tiles: Arc::default(),
            documents: Arc::default(),
            rows: Arc::default(),
            tickets: Arc::default(),
            effects: Arc::default(),
            head,
            newest_time: None,
            sabotage: None,
        })
    }

    /// Breaks a promise from here on.
    #[must_use]
    pub fn sabotaged(mut self, sabotage: Option<Sabotage>) -> Self {
        self.sabotage = sabotage;
        self
    }

    /// Bytes of every leaf.
    pub fn leaves(&self) -> &[Arc<Vec<u8>>] {
        &self.leaves
    }

    /// Events from a leaf index on, in log order.
    pub fn events_from(&self, index: u64) -> impl Iterator<Item = &StoredEvent> {
        self.events.range(index..).map(|(_, event)| event)
    }

    /// The events of a stream.
    pub fn stream(&self, stream: &Stream) -> impl Iterator<Item = &StoredEvent> {
        let indices = self.streams.get(stream).into_iter().flatten();
        indices.filter_map(|index| self.events.get(index))
    }

    /// Every effect by its key.
    pub fn effects(&self) -> &BTreeMap<String, EffectState> {
        &self.effects
    }

    /// A stored document.
    pub fn document(&self, sha256: &Sha256) -> Option<&Document> {
        self.documents.get(sha256)
    }

    /// Takes in what another store holds, leaf by leaf, as it was signed there.
    ///
    /// # Errors
    /// When the leaves do not make the root that was signed.
    pub fn import(
        &mut self,
        leaves: Vec<Vec<u8>>,
        events: Vec<StoredEvent>,
        documents: Vec<Document>,
        tickets: Vec<Ticket>,
        checkpoint: SignedCheckpoint,
    ) -> Result<(), Fault> {
        let tree = self.grow(&Tree::empty(), &leaves)?;
        if tree.root() != *checkpoint.root() {
            return Err(Fault::Damaged("the leaves are not those that were signed".to_owned()));
        }
        for event in events {
            self.index(event);
        }
        for document in documents {
            Arc::make_mut(&mut self.documents).insert(document.sha256, document);
        }
        for ticket in tickets {
            self.put_ticket(ticket);
        }
        self.leaves = Arc::new(leaves.into_iter().map(Arc::new).collect());
        self.head = Head { tree, checkpoint };
        Ok(())
    }

    fn index(&mut self, event: StoredEvent) {
        let indices = Arc::make_mut(&mut self.streams).entry(event.position.stream.clone()).or_default();
        indices.push(event.position.leaf_index);
        self.newest_time = self.newest_time.max(Some(event.leaf.time));
        Arc::make_mut(&mut self.events).insert(event.position.leaf_index, event);
    }

    /// The tree with leaves after its own; their tiles are stored.
    fn grow(&mut self, tree: &Tree, leaves: &[Vec<u8>]) -> Result<Tree, Fault> {
        let (tree, growth) = tree.append(leaves).map_err(|error| Fault::Damaged(error.to_string()))?;
        for (path, bytes) in growth.tiles {
            if let TileKind::Hashes { level } = path.kind() {
                Arc::make_mut(&mut self.tiles).insert((level, path.index()), bytes);
            }
        }
        Ok(tree)
    }
}

/// What a batch has gathered for the end of the log.
pub struct Batch {
    /// Where the log ended before.
    pub head: Head,
    /// Leaves so far.
    pub leaves: Vec<Vec<u8>>,
    /// A lease is announced in it.
    pub announces: bool,
}

impl Batch {
    /// A batch of nothing after this head.
    pub fn after(head: Head) -> Self {
        Self { head, leaves: Vec::new(), announces: false }
    }

    fn push(&mut self, bytes: Vec<u8>) -> u64 {
        let index = self.head.tree.size().saturating_add(self.leaves.len() as u64);
        self.leaves.push(bytes);
        index
    }
}

impl State {
    /// Everything an append asks for, in the order that [`Append`] states. On a refusal the caller goes back to the
    /// state from before.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn apply(&mut self, append: Append, batch: &mut Batch) -> Result<Vec<Position>, AppendError> {
        for key in append.consume {
            if self.take_ticket(&key, append.time).is_none() {
                return Err(AppendError::TicketGone { kind: key.kind, key: key.key });
            }
        }
        for ticket in append.remember {
            let key = TicketKey { kind: ticket.kind.clone(), key: ticket.key.clone() };
            if self.ticket(&key, append.time).is_some() {
                return Err(AppendError::TicketTaken { kind: key.kind, key: key.key });
            }
            self.put_ticket(ticket);
        }
        for document in append.documents {
            if Sha256::of(&document.bytes) != document.sha256 {
                return Err(Refusal::DocumentDigest { sha256: document.sha256 }.into());
            }
            Arc::make_mut(&mut self.documents).entry(document.sha256).or_insert(document);
        }
        let mut positions = Vec::new();
        for stream in append.streams {
            self.append_stream(stream, append.time, batch, &mut positions)?;
        }
        for erasure in append.erase {
            let leaf_index = erasure.leaf_index;
            let event = Arc::make_mut(&mut self.events).get_mut(&leaf_index);
            let private = event.and_then(|event| event.private.as_mut());
            let private = private.ok_or(Refusal::NothingToErase { leaf_index })?;
            erase_values(private, &erasure.digests);
        }
        for row in append.request_rows {
            let stream = self.version(&Stream::Request(row.id.clone()));
            if row.version != stream {
                return Err(Refusal::RowVersion { id: row.id, row: row.version, stream }.into());
            }
            Arc::make_mut(&mut self.rows).insert(row.id.clone(), row);
        }
        for key in append.settle_effects {
            self.settle_effect(&key);
        }
        for effect in append.effects {
            self.add_effect(effect);
        }
        Ok(positions)
    }

    /// How many events a stream has.
    pub fn version(&self, stream: &Stream) -> u64 {
        self.streams.get(stream).map_or(0, |indices| indices.len() as u64)
    }

    fn append_stream(
        &mut self,
        append: StreamAppend,
        time: Timestamp,
        batch: &mut Batch,
        positions: &mut Vec<Position>,
    ) -> Result<(), AppendError> {
        let StreamAppend { stream, expected_version: expected, events } = append;
        let actual = self.version(&stream);
        if actual != expected {
            return Err(AppendError::Conflict { stream, expected, actual });
        }
        for event in events {
            positions.push(self.append_event(&stream, event, time, batch)?);
        }
        Ok(())
    }

    fn append_event(
        &mut self,
        stream: &Stream,
        event: NewEvent,
        time: Timestamp,
        batch: &mut Batch,
    ) -> Result<Position, AppendError> {
        let NewEvent { kind, body, private, attestation } = event;
        let last = self.stream(stream).last();
        let previous = last.map(|event| Sha256::from_bytes(*leaf_hash(&event.leaf_bytes).as_bytes()));
        let version = self.version(stream).saturating_add(1);
        let leaf = EventLeaf { stream: stream.clone(), version, previous, kind, time, body };
        let leaf_bytes =
            leaf.to_bytes().map_err(|reason| Refusal::Event { kind: leaf.kind.clone(), reason })?;
        batch.announces |= leaf.kind == "lease.intended";
        let leaf_index = batch.push(leaf_bytes.clone());
        let attestation = match attestation {
            Some(NewAttestation { leaf, .. }) if leaf.len() > MAX_LEAF_BYTES => {
                let refusal = Refusal::AttestationTooLong { length: leaf.len(), maximum: MAX_LEAF_BYTES };
                return Err(refusal.into());
            }
            Some(NewAttestation { leaf, envelope }) => {
                let leaf_index = batch.push(leaf.clone());
                Some(StoredAttestation { leaf_index, leaf, envelope })
            }
            None => None,
        };
        let attestation_index = attestation.as_ref().map(|attestation| attestation.leaf_index);
        let position = Position { stream: stream.clone(), version, leaf_index, attestation_index };
        self.index(StoredEvent { position: position.clone(), leaf, leaf_bytes, private, attestation });
        Ok(position)
    }

    /// Puts the batch's leaves at the end of the log and signs over them.
    ///
    /// # Errors
    /// When the tree does not grow or the key does not sign.
    pub fn sequence(&mut self, batch: Batch, key: &LogKey) -> Result<(), Fault> {
        let Batch { head, leaves, .. } = batch;
        if leaves.is_empty() {
            return Ok(());
        }
        let tree = self.grow(&head.tree, &leaves)?;
        let checkpoint = key.sign(tree.root())?;
        let stored = Arc::make_mut(&mut self.leaves);
        // Never shorter than the log is, unless a sequencer without a fence goes on from an older one.
        stored.truncate(usize::try_from(head.tree.size()).unwrap_or(usize::MAX));
        stored.extend(leaves.into_iter().map(Arc::new));
        self.head = Head { tree, checkpoint };
        Ok(())
    }
}

/// Tickets.
impl State {
    /// A ticket that is good at `now`.
    pub fn ticket(&self, key: &TicketKey, now: Timestamp) -> Option<Ticket> {
        if self.sabotage == Some(Sabotage::NoIdempotencyKeys) && key.kind == "idempotency" {
            return None;
        }
        self.tickets.get(key).filter(|ticket| ticket.expires_at > now).cloned()
    }

    /// Stores a ticket in place of an older one.
    pub fn put_ticket(&mut self, ticket: Ticket) {
        let key = TicketKey { kind: ticket.kind.clone(), key: ticket.key.clone() };
        Arc::make_mut(&mut self.tickets).insert(key, ticket);
    }

    /// Removes a ticket; returns it if it was good at `now`.
    pub fn take_ticket(&mut self, key: &TicketKey, now: Timestamp) -> Option<Ticket> {
        Arc::make_mut(&mut self.tickets).remove(key).filter(|ticket| ticket.expires_at > now)
    }

    /// Removes what has expired; returns how many.
    pub fn sweep_tickets(&mut self, now: Timestamp) -> u64 {
        let before = self.tickets.len();
        Arc::make_mut(&mut self.tickets).retain(|_, ticket| ticket.expires_at > now);
        before.saturating_sub(self.tickets.len()) as u64
    }
}

/// The effects queue.
impl State {
    /// Adds an effect; its key makes a repeat a no-op, and only a cancelled one starts over.
    pub fn add_effect(&mut self, mut effect: NewEffect) {
        if self.sabotage == Some(Sabotage::NoIdempotencyKeys) && self.effects.contains_key(&effect.key) {
            effect.key = format!("{}#{}", effect.key, self.effects.len());
        }
        let fence = match self.effects.get(&effect.key) {
            None => 0,
            Some(known) if known.status == EffectStatus::Cancelled => known.fence.saturating_add(1),
            Some(_) => return,
        };
        let state = EffectState {
            status: EffectStatus::Waiting,
            due_at: effect.due_at,
            attempt: 0,
            failures: 0,
            fence,
            lease_until: None,
            last_error: None,
            effect,
        };
        Arc::make_mut(&mut self.effects).insert(state.effect.key.clone(), state);
    }

    fn settle_effect(&mut self, key: &str) {
        let effects = Arc::make_mut(&mut self.effects);
        if let Some(known) = effects.get_mut(key).filter(|known| known.status == EffectStatus::Waiting) {
            known.status = EffectStatus::Cancelled;
            known.fence = known.fence.saturating_add(1);
            known.lease_until = None;
        }
    }

    /// Claims up to `limit` due effects.
    pub fn claim_effects(&mut self, now: Timestamp, limit: usize, lease_seconds: u64) -> Vec<ClaimedEffect> {
        let free = |effect: &EffectState| effect.lease_until.is_none_or(|until| until <= now);
        let due = |effect: &EffectState| effect.status == EffectStatus::Waiting && effect.due_at <= now;
        let ready = self.effects.iter().filter(|(_, effect)| due(effect) && free(effect));
        let mut ready: Vec<(Timestamp, String)> =
            ready.map(|(key, effect)| (effect.due_at, key.clone())).collect();
        ready.sort();
        ready.truncate(limit);
        let effects = Arc::make_mut(&mut self.effects);
        let mut claimed = Vec::new();
        for (_, key) in ready {
            let Some(known) = effects.get_mut(&key) else { continue };
            if known.lease_until.is_some() {
                known.failures = known.failures.saturating_add(1);
                known.last_error = Some("the claim ended without an answer".to_owned());
            }
            known.fence = known.fence.saturating_add(1);
            known.attempt = known.attempt.saturating_add(1);
            known.lease_until = Some(now.plus(lease_seconds));
            let NewEffect { kind, payload, .. } = known.effect.clone();
            claimed.push(ClaimedEffect { key, kind, payload, attempt: known.attempt, fence: known.fence });
        }
        claimed
    }

    /// The claim of this fence, while it holds.
    fn claimed(&mut self, key: &str, fence: u64) -> Option<&mut EffectState> {
        let known = Arc::make_mut(&mut self.effects).get_mut(key)?;
        let holds = known.fence == fence && known.status == EffectStatus::Waiting;
        (holds && known.lease_until.is_some()).then_some(known)
    }

    /// Marks a claimed effect as done.
    pub fn finish_effect(&mut self, key: &str, fence: u64) -> bool {
        let Some(known) = self.claimed(key, fence) else { return false };
        known.status = EffectStatus::Done;
        known.lease_until = None;
        true
    }

    /// Puts a claimed effect back.
    pub fn retry_effect(&mut self, key: &str, fence: u64, due_at: Timestamp, error: &str) -> bool {
        let Some(known) = self.claimed(key, fence) else { return false };
        known.due_at = due_at;
        known.failures = known.failures.saturating_add(1);
        known.last_error = Some(error.to_owned());
        known.lease_until = None;
        true
    }

    /// Gives a claimed effect back that was not begun, if the claim still stands.
    pub fn release_effect(&mut self, key: &str, fence: u64) -> bool {
        let Some(known) = self.claimed(key, fence) else { return false };
        known.attempt = known.attempt.saturating_sub(1);
        known.lease_until = None;
        true
    }

    /// Forgets the timers that wait, as a restart does that does not arm them again.
    pub fn forget_timers(&mut self) {
        Arc::make_mut(&mut self.effects)
            .retain(|_, known| known.effect.kind != "fire_clock" || known.status != EffectStatus::Waiting);
    }

    /// Stores private values beside an event; says whether there is such an event.
    pub fn put_private(&mut self, leaf_index: u64, private: Value) -> bool {
        let event = Arc::make_mut(&mut self.events).get_mut(&leaf_index);
        event.map(|event| event.private = Some(private)).is_some()
    }
}
