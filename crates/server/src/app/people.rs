//! Who exists, and whom alerts freeze: the verified chain of the log's identity events and the events of alerts, held
//! in memory, following every append.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chancery_canonical::Disclosure;
use chancery_domain::alerts::Alerts;
use chancery_domain::event::{AlertEvent, from_parts};
use chancery_domain::id::PersonId;
use chancery_domain::leaf::Stream;
use chancery_domain::people::{Directory, Person};
use chancery_domain::time::Timestamp;
use chancery_evidence::identity::Chain;
use chancery_evidence::trust::{InForce, TrustRoot};
use chancery_store::{Fault, MAX_PAGE, Position, Store, StoredEvent};
use serde_json::Value;
use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

/// Everyone as of some position of the log. Never changes; a newer one takes its place.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The verified chain.
    pub chain: Chain,
    names: BTreeMap<PersonId, String>,
    alerts: Alerts,
    /// Identity leaves before this index are taken in.
    next_index: u64,
    /// Leaves of alerts before this index are taken in.
    next_alert: u64,
}

impl Snapshot {
    /// Nobody, under a chain that has admitted nothing.
    fn empty(chain: Chain) -> Self {
        Self { chain, names: BTreeMap::new(), alerts: Alerts::default(), next_index: 0, next_alert: 0 }
    }

    /// Everyone who is admitted.
    pub fn directory(&self) -> &Directory {
        self.chain.directory()
    }

    /// A person's name, unless it was erased.
    pub fn name(&self, person: &PersonId) -> Option<&str> {
        self.names.get(person).map(String::as_str)
    }

    /// A person who is not suspended.
    pub fn active(&self, person: &PersonId) -> Option<&Person> {
        self.directory().person(person).filter(|known| !known.suspended)
    }

    /// Every alert.
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// Takes in one event of an alert that stands in the log.
    fn take_in_alert(&mut self, position: &Position, at: Timestamp, event: &AlertEvent) -> Result<(), Fault> {
        let Stream::Alert(id) = &position.stream else { return Ok(()) };
        self.next_alert = position.leaf_index.saturating_add(1);
        let taken = self.alerts.evolve(id, event, at);
        taken.map_err(|error| Fault::Damaged(format!("leaf {}: {error}", position.leaf_index)))
    }

    fn take_in(&mut self, event: &StoredEvent) -> Result<(), Fault> {
        self.next_index = event.position.leaf_index.saturating_add(1);
        let Stream::Identity(person) = &event.leaf.stream else { return Ok(()) };
        self.chain.admit(event.position.leaf_index, &event.leaf).map_err(|refusal| {
            Fault::Damaged(format!(
                "identity leaf {} is not authorised: {refusal}",
                event.position.leaf_index
            ))
        })?;
        let name = disclosures(event.private.as_ref()).into_iter().find(|one| one.name() == "name");
        if let Some(name) = name.as_ref().and_then(|one| one.value().as_str()) {
            self.names.insert(person.clone(), name.to_owned());
        }
        Ok(())
    }
}

/// The disclosures that stand beside an event. What cannot be read there is as good as erased.
pub fn disclosures(private: Option<&Value>) -> Vec<Disclosure> {
    let listed = private.and_then(|private| private.get("disclosures")).and_then(Value::as_array);
    let texts = listed.into_iter().flatten().filter_map(Value::as_str);
    texts.filter_map(|text| Disclosure::parse(text).ok()).collect()
}

/// The newest snapshot.
#[derive(Debug)]
pub struct People {
    newest: RwLock<Arc<Snapshot>>,
    /// Whoever follows the log holds this, so that no step is taken twice.
    following: tokio::sync::Mutex<()>,
    /// Whoever changes people writes; whoever records what rests on them reads.
    changing: tokio::sync::RwLock<()>,
}

impl People {
    /// Nobody, under a chain that has admitted nothing.
    pub fn empty(chain: Chain) -> Self {
        Self {
            newest: RwLock::new(Arc::new(Snapshot::empty(chain))),
            following: tokio::sync::Mutex::new(()),
            changing: tokio::sync::RwLock::new(()),
        }
    }

    /// Everyone now.
    pub fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.newest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Holds everybody as they are, until what rests on them stands in the log. `None`: somebody changed since the
    /// snapshot was taken, so what was decided on it is to be decided again.
    pub async fn hold(&self, as_of: &Snapshot) -> Option<RwLockReadGuard<'_, ()>> {
        let held = self.changing.read().await;
        std::ptr::eq(Arc::as_ptr(&self.now()), as_of).then_some(held)
    }

    /// Waits until nothing is being recorded that rests on the people as they are. Held over the append of a change
    /// and the step that takes it in.
    pub async fn change(&self) -> RwLockWriteGuard<'_, ()> {
        self.changing.write().await
    }

    /// The same, if nobody changed since the snapshot was taken.
    pub async fn change_as_of(&self, as_of: &Snapshot) -> Option<RwLockWriteGuard<'_, ()>> {
        let changing = self.changing.write().await;
        std::ptr::eq(Arc::as_ptr(&self.now()), as_of).then_some(changing)
    }

    /// Takes in events of alerts that were appended a moment ago, without reading them back, so that nothing stands
    /// between an alert in the log and whom it freezes.
    pub async fn take_in_alerts(
        &self,
        events: &[(AlertEvent, Position)],
        at: Timestamp,
    ) -> Result<(), Fault> {
        let _turn = self.following.lock().await;
        let mut snapshot = Snapshot::clone(&self.now());
        for (event, position) in events {
            snapshot.take_in_alert(position, at, event)?;
        }
        self.put(snapshot);
        Ok(())
    }

    /// Takes in what was appended since. An identity leaf that is not authorised stops it: then the log is
    /// damaged, and nobody in memory is believed any further than before.
    pub async fn follow(&self, store: &impl Store) -> Result<(), Fault> {
        let _turn = self.following.lock().await;
        let snapshot = self.now();
        self.put(read_on(Snapshot::clone(&snapshot), store).await?);
        Ok(())
    }

    /// Verifies everybody again, from the first identity leaf on, under another chain, and takes that one from now on.
    pub async fn restart(&self, chain: Chain, store: &impl Store) -> Result<(), Fault> {
        let _turn = self.following.lock().await;
        self.put(read_on(Snapshot::empty(chain), store).await?);
        Ok(())
    }

    /// Goes on under a later version of the trust root.
    pub async fn take_up(&self, root: &TrustRoot, from: InForce) {
        // INVARIANT: whoever follows the log meanwhile would put a chain back that does not know of it.
        let _turn = self.following.lock().await;
        let mut snapshot = Snapshot::clone(&self.now());
        snapshot.chain.take_up(root, from);
        self.put(snapshot);
    }

    /// Forgets the names that stand beside no event any more.
    pub async fn forget_erased(&self, store: &impl Store) -> Result<(), Fault> {
        let _turn = self.following.lock().await;
        let mut snapshot = Snapshot::clone(&self.now());
        let mut names = BTreeMap::new();
        for person in snapshot.names.keys() {
            for event in store.stream(&Stream::Identity(person.clone()), 1).await? {
                let known = disclosures(event.private.as_ref()).into_iter().find(|one| one.name() == "name");
                if let Some(name) = known.as_ref().and_then(|one| one.value().as_str()) {
                    names.insert(person.clone(), name.to_owned());
                }
            }
        }
        snapshot.names = names;
        self.put(snapshot);
        Ok(())
    }

    fn put(&self, snapshot: Snapshot) {
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }
}

async fn read_on(mut snapshot: Snapshot, store: &impl Store) -> Result<Snapshot, Fault> {
    // Identity events alone: what a log holds besides them is not what people are made of, and there is more and more of
    // it. That every row says what its leaf says is for `doctor` to find out.
    loop {
        let events = store.identity_events_from(snapshot.next_index, MAX_PAGE).await?;
        if events.is_empty() {
            break;
        }
        for event in &events {
            snapshot.take_in(event)?;
        }
    }
    loop {
        let events = store.alert_events_from(snapshot.next_alert, MAX_PAGE).await?;
        if events.is_empty() {
            return Ok(snapshot);
        }
        for StoredEvent { position, leaf, .. } in &events {
            let event = from_parts::<AlertEvent>(&leaf.kind, &leaf.body);
            let event = event.map_err(|error| Fault::Damaged(error.to_string()))?;
            snapshot.take_in_alert(position, leaf.time, &event)?;
        }
    }
}

#[cfg(test)]
mod tests;
