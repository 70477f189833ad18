//! What every engine of the trait `Store` has to do. An engine's own test file calls `conformance_suite!`.

pub mod effects;
pub mod journal;
pub mod private;
pub mod requests;
pub mod tickets;

use std::collections::HashMap;
use std::sync::Arc;

use chancery_domain::id::{PersonId, RequestId};
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use chancery_ledger::tile::tiles_between;
use chancery_ledger::{KeyType, Origin, SignerKey, TilePath, VerifierKey};
use chancery_store::{
    Append, LogSigner, NewAttestation, NewEvent, Projection, RequestRow, Store, StreamAppend,
};
use serde_json::{Map, Value, json};

/// An engine under test: a place for one database that can be opened again and again.
pub trait Engine: Sized {
    /// The store that the engine opens.
    type Store: Store;

    /// A place without a database.
    fn fresh() -> Self;

    /// Opens the database there, making it the first time.
    fn open(&self) -> Self::Store;

    /// Opens it and keeps the place, which has to outlive the store.
    fn open_kept(self) -> (Self, Self::Store) {
        let store = self.open();
        (self, store)
    }
}

/// Runs every case of the suite against one engine.
#[macro_export]
macro_rules! conformance_suite {
    ($engine:ty: $($module:ident { $($case:ident)* })*) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $case() {
                $crate::conformance::$module::$case::<$engine>().await;
            })*
        })*
    };
}

/// Noon of a day, and so many seconds.
pub fn at(seconds: u64) -> Timestamp {
    "2026-11-22T12:00:00Z".parse::<Timestamp>().unwrap().plus(seconds)
}

/// The `number`th ULID.
fn ulid(number: u32) -> String {
    format!("01ARZ3NDEKTSV4RRFF{number:08}")
}

/// The `number`th request; a later one sorts after an earlier one.
pub fn request(number: u32) -> RequestId {
    ulid(number).parse().unwrap()
}

/// The stream of the `number`th request.
pub fn request_stream(number: u32) -> Stream {
    Stream::Request(request(number))
}

/// The `number`th person.
pub fn person(number: u32) -> PersonId {
    ulid(number).parse().unwrap()
}

/// The log that all tests write.
pub fn signer() -> LogSigner {
    let origin: Origin = "log.example.com".parse().unwrap();
    let key = SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &[7; 32]).unwrap();
    LogSigner::new(origin, key)
}

/// Its public key.
pub fn log_key() -> VerifierKey {
    signer().verifier().clone()
}

/// An event of this kind, with a body that names it.
pub fn event(kind: &str) -> NewEvent {
    let body = Map::from_iter([("what".to_owned(), json!(kind))]);
    NewEvent { kind: kind.to_owned(), body, private: None, attestation: None }
}

/// The same with an attestation.
pub fn attested(kind: &str) -> NewEvent {
    let leaf = format!(r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":"{kind}"}}"#).into_bytes();
    let envelope = format!("envelope of {kind}").into_bytes();
    NewEvent { attestation: Some(NewAttestation { leaf, envelope }), ..event(kind) }
}

/// An append of these events to one stream.
pub fn append(stream: Stream, expected_version: u64, events: Vec<NewEvent>) -> Append {
    Append { streams: vec![StreamAppend { stream, expected_version, events }], ..Append::at(at(0)) }
}

/// The row of the `number`th request after `version` events, as [`projection`] makes it.
pub fn row(number: u32, version: u64, state: &str) -> RequestRow {
    RequestRow {
        id: request(number),
        version,
        state: state.to_owned(),
        revision: 1,
        requester: person(number),
        beneficiary: person(number),
        participants: Vec::new(),
        entitlement: "prod-database".to_owned(),
        subject: "db-1".to_owned(),
        grant_seconds: 900,
        risk_score: 40,
        created_at: at(0),
        updated_at: at(0),
        due_at: Some(at(3600)),
        summary: json!({"title": "read the orders table"}),
    }
}

/// Makes a row from events: the newest event's kind is the state.
pub fn projection() -> Projection {
    Arc::new(|id, events| {
        let newest = events.last().ok_or("no events")?;
        let number = id.as_str().trim_start_matches("01ARZ3NDEKTSV4RRFF").parse().map_err(|_| "id")?;
        Ok(row(number, newest.position.version, &newest.leaf.kind))
    })
}

/// Every tile and bundle of the log at this size, read from the store.
pub async fn tiles(store: &impl Store, size: u64) -> HashMap<TilePath, Vec<u8>> {
    let mut tiles = HashMap::new();
    for path in tiles_between(0, size) {
        let bytes = store.tile(path).await.unwrap();
        tiles.insert(path, bytes.unwrap_or_else(|| panic!("`{path}` is missing")));
    }
    tiles
}

/// Asserts that the store finds nothing wrong with itself.
pub async fn assert_sound(store: &impl Store) {
    assert_eq!(store.integrity(None).await.unwrap(), [], "findings");
}

/// A value that is easily told apart from others.
pub fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}
