//! docs/guide/recovery.md with the real program: lost passkeys, and a lock-out that ends with recovery keys.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use chancery_api::identity::WaitingActList;
use chancery_cli::demo::Stage;
use chancery_cli::demo::people::invite;
use chancery_cli::demo::person::Person;
use serde_json::{Map, Value, json};
use support::{Desk, Ran, finish};

fn members(body: &Value) -> Map<String, Value> {
    body.as_object().unwrap().clone()
}

/// Starts a command that opens a page, does there what the page is told to do, and waits for the command.
fn on_the_page(desk: &Desk, arguments: &[&str], signer: &Person, code: i32) -> Ran {
    let mut child = desk.start(arguments);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("/sign#/act/") {
        line.clear();
        assert!(
            stderr.read_line(&mut line).unwrap() > 0,
            "`{arguments:?}` ended before it showed an address"
        );
    }
    let address: Vec<&str> = line.trim().split_once("/sign#/act/").unwrap().1.split('/').collect();
    let mut body = json!({"person": address[1]});
    if let Some(key) = address.get(2) {
        body["credential_id"] = json!(key);
    }
    signer.begin_act(address[0], members(&body)).unwrap();
    let ran = finish(child);
    assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
    ran
}

/// Both administrators sign that a passkey which waits takes the place of all others.
fn recover(ada: &Person, bo: &Person, enrolment: &str) {
    let outcome = ada.begin_act("person.recovered", members(&json!({"enrolment": enrolment}))).unwrap();
    let waiting: WaitingActList = bo.client().unwrap().read("/api/v1/identity/waiting").unwrap();
    let act = waiting.items.into_iter().find(|act| act.document_sha256 == outcome.document_sha256);
    bo.sign_act(&act.unwrap().document).unwrap();
}

/// The token in a file that only its owner may read.
fn token_in(file: &Path) -> String {
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::read_to_string(file).unwrap().trim().split_once('#').unwrap().1.to_owned()
}

#[test]
fn a_person_who_lost_all_passkeys() {
    let stage = Stage::set().unwrap();
    let (cast, site) = (stage.cast(), stage.url());
    let (ada, bo, eve) = (&cast.administrators.first, &cast.administrators.second, &cast.engineer);
    let desk = Desk::sign_in(&stage, ada);
    let ran = desk.check(&["person", "recover", &eve.id, "-o", "json"], 0);
    let file = format!("recovery-link-{}", eve.id);
    assert_eq!(ran.json()["link_file"], json!(file));
    let token = token_in(&desk.path(&file));
    assert!(!ran.stdout.contains(&token) && !ran.stderr.contains(&token), "the link stays in its file");
    desk.check(&["person", "recover", &eve.id], 2);
    desk.check(&["person", "recover", &ada.id, "--out", "own"], 1);
    desk.check(&["person", "recover"], 2);
    desk.check(&["person", "recover", &eve.id, "--stop"], 7);
    let (mut again, enrolment) = Person::enrol(site, "Eve", &token).unwrap();
    assert_eq!(again.id, eve.id);
    recover(ada, bo, &enrolment.unwrap());
    // The new passkey signs in and does nothing else.
    again.sign_in().unwrap();
    let own = Desk::sign_in(&stage, &again);
    let ran = own.check(&["whoami"], 0);
    assert!(ran.stdout.contains("a new passkey counts from"), "{}", ran.stdout);
    let ran = own.check(&["person", "recover", &ada.id, "--out", "circle"], 1);
    assert!(ran.stderr.contains("may only look"), "{}", ran.stderr);
    let view = desk.check(&["person", "view", &eve.id, "-o", "json"], 0).json();
    assert_eq!(view["recovery"]["lost"].as_array().unwrap().len(), 1);
    // Whoever still has the old one stops it.
    on_the_page(&own, &["person", "recover", &eve.id, "--stop"], eve, 0);
    own.check(&["whoami"], 4);
    let view = desk.check(&["person", "view", &eve.id, "-o", "json"], 0).json();
    assert!(view.get("recovery").is_none() && view["passkeys"].as_array().unwrap().len() == 1, "{view}");
}

#[test]
fn passkeys_and_people_are_taken_out() {
    let stage = Stage::set().unwrap();
    let cast = stage.cast();
    let (ada, omar, sol) = (&cast.administrators.first, &cast.owner, &cast.security);
    let desk = Desk::sign_in(&stage, ada);
    let listed = desk.check(&["passkey", "list", "--person", &sol.id, "-o", "json"], 0).json();
    let sha256 = listed[0]["credential_id_sha256"].as_str().unwrap();
    desk.check(&["passkey", "revoke", &sha256[..7], "--person", &sol.id], 2);
    desk.check(&["passkey", "revoke", "00000000", "--person", &sol.id], 2);
    desk.check(&["passkey", "revoke", sha256, "--person", &sol.id, "--timeout", "1s"], 8);
    let theirs = Desk::sign_in(&stage, sol);
    on_the_page(&desk, &["passkey", "revoke", &sha256[..8], "--person", &sol.id], ada, 0);
    theirs.check(&["whoami"], 4);
    // One's own last one: the command's session ends with it, which is success.
    let own = Desk::sign_in(&stage, omar);
    let listed = own.check(&["passkey", "list", "-o", "json"], 0).json();
    let sha256 = listed[0]["credential_id_sha256"].as_str().unwrap().to_owned();
    on_the_page(&own, &["passkey", "revoke", &sha256], omar, 0);
    let ran = on_the_page(&desk, &["person", "suspend", &omar.id, "-o", "json"], ada, 0);
    assert_eq!(ran.json()["suspended"], json!(true));
}

/// A server of its own, from `init` on, with the program alone.
struct House {
    desk: Desk,
    site: String,
    server: Option<Child>,
}

impl House {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let site = format!("http://localhost:{port}");
        let desk = Desk::new(&site);
        let address = format!("127.0.0.1:{port}");
        desk.check(&["init", "--data", "data", "--public-url", &site, "--listen", &address], 0);
        let mut house = Self { desk, site, server: None };
        house.start();
        house
    }

    fn start(&mut self) {
        let server = self.desk.start(&["server", "run", "--data", "data"]);
        let (begun, address) = (Instant::now(), self.site.trim_start_matches("http://"));
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the server did not start");
            thread::sleep(Duration::from_millis(50));
        }
        self.server = Some(server);
    }

    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }

    fn enrol(&self, name: &'static str, token: &str) -> (Person, Option<String>) {
        Person::enrol(&self.site, name, token).unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn a_lock_out_ends_with_recovery_keys() {
    let mut house = House::new();
    let desk = &house.desk;
    let (mut ada, _) = house.enrol("Ada", &token_in(&desk.path("data/enrolment-link")));
    ada.sign_in().unwrap();
    house.enrol("Bo", &invite(&ada, &[]).unwrap().token);
    for number in ["1", "2", "3"] {
        let file = format!("recovery-{number}.key");
        desk.check(&["trust", "recovery-key", "--out", &file], 0);
        desk.check(&["trust", "recovery-key", "--out", &file], 2);
        assert_eq!(fs::metadata(desk.path(&file)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let seal = ["trust", "seal", "--data", "data", "--recovery", "recovery-1.key.pub"];
    let keys = ["--recovery", "recovery-2.key.pub", "--recovery", "recovery-3.key.pub"];
    desk.check(&[&seal[..], &keys].concat(), 2);
    desk.check(&[&seal[..], &keys, &["--recovery-threshold", "1"]].concat(), 1);
    let ran = desk.check(&[&seal[..], &keys, &["--recovery-threshold", "2"]].concat(), 0);
    assert!(ran.stdout.contains("2 of 3 keys"), "{}", ran.stdout);

    // The server holds its journal, so the link is made beside a stopped one.
    let ran = desk.check(&["trust", "recovery-link", "--data", "data"], 1);
    assert!(ran.stderr.contains("stop the server"), "{}", ran.stderr);
    house.stop();
    let ran = house.desk.check(&["trust", "recovery-link", "--data", "data", "-o", "json"], 0);
    let link = ran.json()["link_file"].as_str().unwrap().to_owned();
    house.desk.check(&["trust", "recovery-link", "--data", "data", "--person", &ada.id], 0);
    house.start();
    let (mut nina, enrolment) = house.enrol("Nina", &token_in(&house.desk.path(&link)));
    let enrolment = enrolment.unwrap();

    let desk = &house.desk;
    desk.check(&["person", "recover", "--document", &enrolment], 2);
    desk.check(&["person", "recover", "--document", &enrolment, "--out", "recovery.json"], 0);
    let sign = |number: &str| ["trust", "recovery-sign", "recovery.json", "--key", number].map(str::to_owned);
    let signed = |key: &str, code: i32| desk.check(&sign(key).each_ref().map(String::as_str), code);
    let ran = signed("recovery-1.key", 0);
    assert!(ran.stderr.contains("a new identity administrator"), "{}", ran.stderr);
    signed("recovery-1.key", 2);
    desk.check(&["person", "recover", "--submit", "recovery.json"], 1);
    desk.check(&["trust", "recovery-key", "--out", "stranger.key"], 0);
    signed("stranger.key", 2);
    fs::set_permissions(desk.path("recovery-3.key"), fs::Permissions::from_mode(0o644)).unwrap();
    signed("recovery-3.key", 1);
    fs::set_permissions(desk.path("recovery-3.key"), fs::Permissions::from_mode(0o600)).unwrap();
    signed("recovery-3.key", 0);
    let ran = desk.check(&["person", "recover", "--submit", "recovery.json", "-o", "json"], 0);
    assert_eq!((&ran.json()["status"], &ran.json()["person"]), (&json!("recorded"), &json!(nina.id)));
    nina.sign_in().unwrap();
    let refused = nina.begin_act("person.suspended", members(&json!({"person": ada.id}))).unwrap_err();
    assert!(refused.to_string().contains("came by a recovery and counts from"), "{refused}");
}
