//! Backups under load, and what a restored one may and may not do.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]

mod world;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chancery_domain::effect::Effect;
use chancery_issuer::ssh::{Authority, Certificate, Krl};
use chancery_ledger::{KeyType, Origin, SignerKey, VerifierKey};
use chancery_server::adopt::{AdoptFault, AdoptOptions, AdoptedInstallation, Mirror, adopt};
use chancery_server::backup::{BackupOptions, Manifest, backup, read_manifest};
use chancery_server::doctor::{Health, doctor_by};
use chancery_server::held::Held;
use chancery_server::restore::{RestoreOptions, restore};
use chancery_server::{Clock, Config, Server, ServerError, StartError};
use chancery_store::{AdoptError, Adopted, NewEffect, OpenError, SqliteStore, Store as _};
use serde_json::json;
use world::{Person, World};

struct Scene {
    world: World,
    erin: Person,
    olga: Person,
}

/// A certificate that somebody holds.
struct Certified {
    request: String,
    lease: String,
    serial: u64,
}

impl Scene {
    fn new() -> Self {
        let (world, mut ada, mut ben) = World::sealed();
        let erin = world.admit("Erin", &["engineer"], &mut ada, &mut ben);
        let olga = world.admit("Olga", &["service_owner"], &mut ada, &mut ben);
        Self { world, erin, olga }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.folder.path().join(name)
    }

    /// An approved request with a certificate.
    fn issued(&mut self) -> Certified {
        let request = self.world.request(&mut self.erin, "staging");
        self.world.decide(&mut self.olga, &request, "approve", None).good();
        let path = format!("/api/v1/grants/{request}/credentials");
        let credential =
            self.world.call_with(&self.erin, "POST", &path, None, &[("idempotency-key", &request)]).good();
        let certificate = Certificate::parse(credential["certificate"].as_str().unwrap()).unwrap();
        let lease = credential["lease"].as_str().unwrap().to_owned();
        Certified { request, lease, serial: certificate.contents().serial }
    }

    fn backup(&self, name: &str, with_keys: bool) -> Manifest {
        let options = BackupOptions { with_keys, clock: Some(self.world.clock.clone()) };
        self.world.runtime.block_on(backup(&self.world.data(), &self.path(name), options)).unwrap()
    }

    /// Puts a backup into another folder.
    fn restore(&self, name: &str, data: &str) -> PathBuf {
        let keys = self.world.data().join("keys");
        let options = RestoreOptions { keys: Some(keys), revocation_list: None };
        self.world.runtime.block_on(restore(&self.path(name), &self.path(data), options)).unwrap();
        self.path(data)
    }

    /// A server on this folder, or why there is none.
    fn start(&self, data: &Path) -> Result<chancery_server::Running, ServerError> {
        let config = Config::read_from(data).unwrap();
        self.world.runtime.block_on(Server::start_with_clock(config, self.world.clock.clone()))
    }

    fn adopt(&self, data: &Path, options: AdoptOptions<'_>) -> Result<AdoptedInstallation, AdoptFault> {
        let options = AdoptOptions { clock: Some(self.world.clock.clone()), ..options };
        self.world.runtime.block_on(adopt(data, options))
    }

    /// Replaces the world's installation by a restored one and starts it.
    fn move_in(&mut self, data: &Path) {
        fs::rename(self.world.data(), self.path("old")).unwrap();
        fs::rename(data, self.world.data()).unwrap();
        self.world.start();
        self.world.sign_in(&mut self.erin);
        self.world.sign_in(&mut self.olga);
    }

    fn newest(&self) -> Vec<u8> {
        fs::read(self.world.data().join("checkpoint/newest")).unwrap()
    }
}

fn log_key(data: &Path) -> VerifierKey {
    let origin = "log.example".parse::<Origin>().unwrap();
    let seed: [u8; 32] = fs::read(data.join("keys/log.seed")).unwrap().try_into().unwrap();
    SignerKey::from_seed(origin.key_name(), KeyType::Ed25519, &seed).unwrap().verifier().clone()
}

fn reading(data: &Path) -> SqliteStore {
    SqliteStore::open_read_only(data.join("chancery.db"), log_key(data)).unwrap()
}

fn list(data: &Path) -> Krl {
    let authority = Authority::open(&data.join("keys/ssh-ca.pkcs8")).unwrap();
    Krl::load(&data.join("krl/ssh.krl"), authority.key()).unwrap().unwrap()
}

fn checkpoint_of(name: &str, note: Vec<u8>) -> AdoptOptions<'static> {
    AdoptOptions { checkpoints: vec![(name.to_owned(), note)], ..AdoptOptions::default() }
}

#[test]
fn a_backup_under_load_holds_everything_that_was_acknowledged() {
    let mut scene = Scene::new();
    let held = scene.issued();
    let (before, folder) = (scene.world.log_size(), scene.path("backup"));
    let (world, erin) = (&scene.world, &mut scene.erin);
    let manifest = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            for _ in 0..12 {
                world.request(erin, "staging");
            }
        });
        std::thread::sleep(Duration::from_millis(50));
        let options = BackupOptions { with_keys: false, clock: Some(world.clock.clone()) };
        let manifest = world.runtime.block_on(backup(&world.data(), &folder, options)).unwrap();
        load.join().unwrap();
        manifest
    });
    assert!(manifest.size >= before && scene.world.log_size() > manifest.size, "{manifest:?}");
    assert_eq!(read_manifest(&folder).unwrap(), manifest);
    // Nobody else reads it, no key is in it, nothing is good once.
    for path in manifest.files.keys().map(|path| folder.join(path)).chain([folder.join("manifest.json")]) {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let secret = |path: &&String| {
        path.starts_with("keys/") || path.ends_with("enrolment-link") || path.ends_with(".lock")
    };
    assert_eq!(manifest.files.keys().find(secret), None);
    assert!(!scene.path(".backup.partial").exists());
    // Every event up to its checkpoint is there, byte for byte.
    let data = scene.restore("backup", "elsewhere");
    let (original, copy) = (reading(&scene.world.data()), reading(&data));
    let whole = |store: &SqliteStore| {
        let entries = scene.world.runtime.block_on(store.entries(0..manifest.size)).unwrap();
        let events = scene.world.runtime.block_on(store.events_from(0, usize::MAX)).unwrap();
        let kept = |one: &chancery_store::StoredEvent| one.position.leaf_index < manifest.size;
        (entries, events.into_iter().filter(kept).collect::<Vec<_>>())
    };
    assert!(whole(&original) == whole(&copy));
    drop((original, copy));
    // And it is an installation: the evidence of before verifies on it, by a stranger's own trust directory.
    scene.world.stop();
    let mirror = reading(&scene.world.data());
    let runtime = scene.world.runtime.handle().clone();
    let entry = |index: u64| runtime.block_on(mirror.entries(index..index + 1)).unwrap().pop();
    let all: Vec<_> = (0..).map_while(entry).collect();
    let from_mirror = |index: u64| all.get(usize::try_from(index).unwrap()).cloned();
    let published = Mirror { checkpoint: scene.newest(), entry: &from_mirror };
    let adopted =
        scene.adopt(&data, AdoptOptions { mirror: Some(published), ..AdoptOptions::default() }).unwrap();
    assert_eq!(adopted.log.before, manifest.size);
    drop(mirror);
    scene.move_in(&data);
    assert_eq!(scene.world.failed_checks(&scene.erin, &held.request), Vec::<String>::new());
}

#[test]
fn nothing_there_is_overwritten_and_nothing_spoiled_is_restored() {
    let scene = Scene::new();
    scene.backup("backup", true);
    let again = scene.world.runtime.block_on(backup(
        &scene.world.data(),
        &scene.path("backup"),
        BackupOptions::default(),
    ));
    assert!(again.unwrap_err().to_string().contains("exists"));
    let put = |options: RestoreOptions, to: &str| {
        scene.world.runtime.block_on(restore(&scene.path("backup"), &scene.path(to), options)).map(|_| ())
    };
    // Over a running installation, over a folder with anything in it.
    assert!(put(RestoreOptions::default(), "data").unwrap_err().to_string().contains("exists"));
    // Keys twice.
    let keys = RestoreOptions { keys: Some(scene.world.data().join("keys")), ..RestoreOptions::default() };
    assert!(put(keys, "new").unwrap_err().to_string().contains("holds `log.seed` already"));
    let spoil = |path: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let file = scene.path("backup").join(path);
        let was = fs::read(&file).ok();
        let mut bytes = was.clone().unwrap_or_default();
        change(&mut bytes);
        fs::write(&file, bytes).unwrap();
        let refused = put(RestoreOptions::default(), "new").unwrap_err().to_string();
        match was {
            Some(was) => fs::write(&file, was).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        assert!(!scene.path("new").exists() && !scene.path(".new.partial").exists(), "{path}");
        refused
    };
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    assert!(spoil("chancery.db", &flip).contains("`chancery.db` has other bytes"));
    assert!(spoil("krl/ssh.krl", &flip).contains("`krl/ssh.krl` has other bytes"));
    assert!(spoil("manifest.json", &|bytes| bytes.clear()).contains("manifest.json"));
    let escape = |bytes: &mut Vec<u8>| {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = text.replace("\"krl/ssh.krl\"", "\"../ssh.krl\"").into_bytes();
    };
    assert!(spoil("manifest.json", &escape).contains("`../ssh.krl` is no path within a backup"));
    put(RestoreOptions::default(), "new").unwrap();
    // Another installation's keys do not fit.
    let other = World::new();
    fs::remove_dir_all(scene.path("backup").join("keys")).unwrap();
    let mut manifest = read_manifest(&scene.path("backup")).unwrap();
    manifest.files.retain(|path, _| !path.starts_with("keys/"));
    fs::write(scene.path("backup/manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    let keys = RestoreOptions { keys: Some(other.data().join("keys")), ..RestoreOptions::default() };
    let refused = put(keys, "third").unwrap_err().to_string();
    assert!(refused.contains("the log key is"), "{refused}");
}

#[test]
fn a_restored_backup_signs_nothing_and_takes_back_what_is_due() {
    let mut scene = Scene::new();
    let (held, other) = (scene.issued(), scene.issued());
    scene.world.stop();
    // As after a crash between a revocation and its effect.
    let effect =
        Effect::RevokeLease { request: held.request.parse().unwrap(), lease: held.lease.parse().unwrap() };
    let due_at = scene.world.clock.now();
    let payload = serde_json::to_value(&effect).unwrap();
    let queued = NewEffect { key: effect.key(due_at), kind: "revoke_lease".to_owned(), due_at, payload };
    let store = scene.world.store();
    scene.world.runtime.block_on(store.add_effect(queued)).unwrap();
    drop(store);
    let size = scene.backup("backup", false).size;
    let data = scene.restore("backup", "restored");

    // No server, no seal, no rewrite of rows signs on it.
    let Err(ServerError::Start(reason)) = scene.start(&data) else { panic!("it started") };
    assert!(matches!(&reason, StartError::Open(OpenError::Restored { .. })), "{reason}");
    assert!(reason.holds_signing() && reason.to_string().contains("chancery server adopt"), "{reason}");
    let rewritten = scene.world.runtime.block_on(chancery_server::doctor::rebuild(&data, true));
    assert!(rewritten.unwrap_err().contains("came out of a backup"));
    assert!(!list(&data).revokes(held.serial, ""));

    let config = Config::read_from(&data).unwrap();
    let clock = scene.world.clock.clone();
    let running = scene.world.runtime.block_on(Held::start(config, clock, &reason)).unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let ask = |path: &str| agent.get(format!("http://{}{path}", running.address())).call().unwrap();
    for _ in 0..100 {
        if list(&data).revokes(held.serial, "") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(list(&data).revokes(held.serial, "") && !list(&data).revokes(other.serial, ""));
    for path in ["/readyz", "/api/v1/server", "/log/checkpoint", "/api/v1/requests"] {
        let mut answer = ask(path);
        assert_eq!(answer.status().as_u16(), 503, "{path}");
        let said: serde_json::Value =
            serde_json::from_slice(&answer.body_mut().read_to_vec().unwrap()).unwrap();
        assert_eq!(said["code"], json!("log_held"), "{path}");
    }
    let served = ask("/api/v1/revocations/ssh").body_mut().read_to_vec().unwrap();
    assert_eq!(served, fs::read(data.join("krl/ssh.krl")).unwrap());
    assert!(ask("/metrics").body_mut().read_to_string().unwrap().contains("chancery_held 1\n"));
    assert_eq!(ask("/healthz").status().as_u16(), 200);
    let store = reading(&data);
    assert_eq!(scene.world.runtime.block_on(store.checkpoint()).unwrap().root().size(), size);
    drop(store);

    // The old disk's checkpoint shows that nothing is missing; the held server notices and makes way.
    let adopted = scene.adopt(&data, checkpoint_of("the old disk", scene.newest())).unwrap();
    assert_eq!(adopted.log, Adopted { before: size, size });
    let released = scene.world.runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), running.until_released(std::future::pending())).await
    });
    assert_eq!(released.unwrap(), chancery_server::held::Released::Cleared);
    scene.move_in(&data);
    // The log says by itself what was done meanwhile.
    let said = scene.world.await_state(&scene.erin, &held.request, "active");
    assert_eq!(said["leases"][0]["serial"], json!(held.serial.to_string()));
    for _ in 0..100 {
        if scene.world.view(&scene.erin, &held.request)["leases"][0]["status"] == json!("revoked") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(scene.world.view(&scene.erin, &held.request)["leases"][0]["status"], json!("revoked"));
    assert_eq!(scene.world.failed_checks(&scene.erin, &other.request), Vec::<String>::new());
}

#[test]
fn what_came_after_the_backup_is_named_and_taken_in_from_a_mirror() {
    let mut scene = Scene::new();
    let early = scene.issued();
    let size = scene.backup("backup", false).size;
    // Afterwards: a certificate that is taken back, one that runs, a request that waits.
    let (revoked, running) = (scene.issued(), scene.issued());
    scene.world.decide(&mut scene.olga, &revoked.request, "revoke", Some("not needed")).good();
    for _ in 0..100 {
        if scene.world.view(&scene.erin, &revoked.request)["leases"][0]["status"] == json!("revoked") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let waiting = scene.world.request(&mut scene.erin, "staging");
    let newest = scene.world.log_size();
    let number = list(&scene.world.data()).number();
    scene.world.stop();
    let data = scene.restore("backup", "restored");

    let refused = scene.adopt(&data, AdoptOptions::default()).unwrap_err();
    assert!(matches!(refused, AdoptFault::Adopt(AdoptError::NothingKnown { .. })), "{refused}");
    let refused = scene.adopt(&data, checkpoint_of("the old disk", scene.newest())).unwrap_err();
    let AdoptFault::Adopt(AdoptError::Missing { from, to }) = refused else { panic!("{refused}") };
    assert_eq!((from, to), (size, newest));
    let refused = scene.adopt(&data, checkpoint_of("another log", b"log.other\n1\n\n".to_vec())).unwrap_err();
    assert!(matches!(refused, AdoptFault::Checkpoint { .. }), "{refused}");
    assert!(matches!(scene.start(&data), Err(ServerError::Start(reason)) if reason.holds_signing()));

    let all = scene.world.runtime.block_on(reading(&scene.world.data()).entries(0..u64::MAX)).unwrap();
    let entry = |index: u64| all.get(usize::try_from(index).unwrap()).cloned();
    let mirror = Mirror { checkpoint: scene.newest(), entry: &entry };
    let adopted =
        scene.adopt(&data, AdoptOptions { mirror: Some(mirror), ..AdoptOptions::default() }).unwrap();
    assert_eq!(adopted.log, Adopted { before: size, size: newest });
    assert_eq!((adopted.unknown_serials.len(), adopted.list_number), (0, number));
    // What the log says is taken back is on the list again, and nothing else.
    assert!(list(&data).revokes(revoked.serial, "") && !list(&data).revokes(running.serial, ""));
    scene.move_in(&data);
    let (data, clock) = (scene.world.data(), scene.world.clock.clone());
    let bad = scene.world.runtime.block_on(doctor_by(&data, Some(clock)));
    let bad: Vec<_> = bad.iter().filter(|one| one.health == Health::Bad).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    // Lists know what the log knows; documents that no mirror holds are said to be lost.
    let requests = scene.world.call(&scene.erin, "GET", "/api/v1/requests?role=any", None).good().to_string();
    for request in [&early.request, &revoked.request, &running.request, &waiting] {
        assert!(requests.contains(request.as_str()), "{request}");
    }
    scene
        .world
        .call(&scene.erin, "GET", &format!("/api/v1/requests/{waiting}"), None)
        .refused("document_lost");
    assert_eq!(scene.world.failed_checks(&scene.erin, &early.request), Vec::<String>::new());
    // And it goes on, under the same log.
    let after = scene.issued();
    assert_eq!(scene.world.failed_checks(&scene.erin, &after.request), Vec::<String>::new());
}

#[test]
fn certificates_that_the_log_does_not_know_wait_for_a_person() {
    let mut scene = Scene::new();
    scene.issued();
    let size = scene.backup("backup", false).size;
    let later = scene.issued();
    scene.world.stop();
    let data = scene.restore("backup", "restored");
    // The issuer's own book survived, the journal did not.
    for page in fs::read_dir(scene.world.data().join("issuer")).unwrap() {
        let page = page.unwrap();
        fs::copy(page.path(), data.join("issuer").join(page.file_name())).unwrap();
    }
    let store = reading(&data);
    let note = scene.world.runtime.block_on(store.checkpoint()).unwrap().note().to_string().into_bytes();
    drop(store);
    let adopted = scene.adopt(&data, checkpoint_of("as if it were the newest", note.clone())).unwrap();
    assert_eq!(adopted.log, Adopted { before: size, size });
    assert_eq!(adopted.unknown_serials, [later.serial]);
    assert!(!list(&data).revokes(later.serial, ""));
    let options = AdoptOptions { revoke_unknown: true, ..checkpoint_of("the same", note) };
    assert!(scene.adopt(&data, options).unwrap().revoked_unknown);
    assert!(list(&data).revokes(later.serial, ""));
}

#[test]
fn a_clock_behind_the_log_holds_it_until_it_is_set() {
    let mut scene = Scene::new();
    let held = scene.issued();
    scene.world.stop();
    let behind = Clock::fixed("2026-11-24T09:00:00Z".parse().unwrap());
    let config = Config::read_from(&scene.world.data()).unwrap();
    let started = scene.world.runtime.block_on(Server::start_with_clock(config.clone(), behind.clone()));
    let Err(ServerError::Start(reason)) = started else { panic!("it started") };
    assert!(reason.holds_signing(), "{reason}");
    let running = scene.world.runtime.block_on(Held::start(config, behind.clone(), &reason)).unwrap();
    behind.set(scene.world.clock.now());
    let released = scene.world.runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(20), running.until_released(std::future::pending())).await
    });
    assert_eq!(released.unwrap(), chancery_server::held::Released::Cleared);
    scene.world.start();
    assert_eq!(scene.world.view(&scene.erin, &held.request)["state"], json!("active"));
}
