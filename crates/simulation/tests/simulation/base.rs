//! What every run begins with: a sealed installation with six people in it, made once by a real server on a real
//! store, and then put on a simulated disk.

use std::path::Path;

use chancery_canonical::Sha256;
use chancery_domain::time::Timestamp;
use chancery_evidence::trust::TrustDirectory;
use chancery_ledger::{KeyType, Origin, SignerKey};
use chancery_policy::Engine;
use chancery_server::Config;
use chancery_server::embedded::Embedded;
use chancery_simulation::{LogKey, State};
use chancery_store::{AnyStore, Document, Store as _, StoredEvent};
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{Person, World, trust};

/// Folders and files of an installation that each run has for itself.
const OWN: [&str; 5] = ["issuer", "checkpoint", "log", "chancery.db", "chancery.toml"];

/// Who works here: engineers ask, the others decide.
pub const PEOPLE: [(&str, &str); 6] = [
    ("erin", "engineer"),
    ("fred", "engineer"),
    ("olga", "service_owner"),
    ("oscar", "service_owner"),
    ("sven", "security"),
    ("sara", "security"),
];

/// Where the engineers end and those who decide begin.
pub const ENGINEERS: usize = 2;

/// A sealed installation.
pub struct Base {
    world: World,
    config: Config,
    /// What its clock shows.
    pub start: Timestamp,
    /// What its store holds.
    pub state: State,
    /// Who signs its log.
    pub key: LogKey,
    /// Its policy, prepared.
    pub policy: Engine,
    /// In the order of [`PEOPLE`].
    pub people: Vec<Person>,
    /// What a stranger verifies against.
    pub trust: TrustDirectory,
}

impl Base {
    pub fn new() -> Self {
        let (mut world, mut ada, mut ben) = World::sealed();
        let people = PEOPLE.map(|(name, role)| world.admit(name, &[role], &mut ada, &mut ben));
        world.stop();
        let config = Config::read_from(&world.data()).unwrap();
        let origin: Origin = config.origin().unwrap();
        let seed: [u8; 32] = std::fs::read(world.data().join("keys/log.seed")).unwrap().try_into().unwrap();
        let signer = SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &seed).unwrap();
        let key = LogKey::new(origin, signer);
        let store = AnyStore::new(world.store());
        let start = world.clock.now();
        let state = world.runtime.block_on(imported(&store, &key, start));
        let policy = world.runtime.block_on(Embedded::policy(&config.policy(), &store)).unwrap();
        let trust = trust(&world.data().join("trust"));
        Self { world, config, start, state, key, policy, people: people.to_vec(), trust }
    }

    /// A folder for one run: keys, trust and policy are the installation's own, whatever is written is the run's.
    pub fn folder(&self) -> (TempDir, Config) {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        for entry in std::fs::read_dir(self.world.data()).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let list = self.config.ssh_krl();
            let own = OWN.iter().any(|own| name.starts_with(own)) || entry.path() == list;
            let holds_list = list.starts_with(entry.path());
            if !own && !holds_list {
                std::os::unix::fs::symlink(entry.path(), folder.path().join(name)).unwrap();
            }
        }
        let mut config = self.config.clone();
        config.data = folder.path().to_owned();
        if let Some(parent) = config.ssh_krl().parent() {
            std::fs::create_dir_all(parent).unwrap();
        }
        (folder, config)
    }
}

/// Everything that a store holds: leaves as they were signed, and what stands beside them.
async fn imported(store: &AnyStore, key: &LogKey, now: Timestamp) -> State {
    let leaves = store.entries(0..u64::MAX).await.unwrap();
    let events = store.events_from(0, leaves.len()).await.unwrap();
    let mut documents: Vec<Document> = Vec::new();
    for sha256 in events.iter().flat_map(digests) {
        documents.extend(store.document(sha256).await.unwrap());
    }
    let tickets = store.tickets("session", now).await.unwrap();
    assert!(!tickets.is_empty(), "nobody is signed in");
    let checkpoint = store.checkpoint().await.unwrap();
    let mut state = State::empty(key).unwrap();
    state.import(leaves, events, documents, tickets, checkpoint).unwrap();
    state
}

/// Every text in an event that may be a document's digest.
fn digests(event: &StoredEvent) -> Vec<Sha256> {
    fn walk(value: &Value, found: &mut Vec<Sha256>) {
        match value {
            Value::String(text) => found.extend(text.parse::<Sha256>().ok()),
            Value::Array(elements) => elements.iter().for_each(|element| walk(element, found)),
            Value::Object(members) => members.values().for_each(|member| walk(member, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut found = Vec::new();
    event.leaf.body.values().for_each(|value| walk(value, &mut found));
    found
}

/// Certificates that the issuer's book says were minted: lease and certificate line.
pub fn minted(folder: &Path) -> Vec<(String, String)> {
    let Ok(pages) = std::fs::read_dir(folder.join("issuer")) else { return Vec::new() };
    let mut minted = Vec::new();
    for path in pages.map(|page| page.unwrap().path()) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let page: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        if let Some(certificate) = page["certificate"].as_str() {
            minted.push((page["lease"].as_str().unwrap().to_owned(), certificate.to_owned()));
        }
    }
    minted
}
