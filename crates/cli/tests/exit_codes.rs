//! Every exit code, from the real program against a real server, a real log and real policy.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use chancery_api::decision::DecisionKind::{Approve, Reject, Revoke};
use chancery_cli::demo::Stage;
use serde_json::Value;
use support::{Desk, finish};

/// A request that policy lets two people decide on.
const PROPER: [&str; 11] = [
    "request",
    "create",
    "ssh-admin",
    "--set",
    "host=web-1",
    "--set",
    "principal=deploy",
    "--set",
    "environment=production",
    "--reason=disk full",
    "--ticket=OPS-7",
];

fn ask(desk: &Desk, more: &[&str], code: i32) -> Value {
    desk.check(&[&PROPER, more, &["-o", "json"]].concat(), code).json()
}

fn id(view: &Value) -> String {
    view["id"].as_str().unwrap().to_owned()
}

/// The two digits that the requester is shown, where the risk wants them, and tells the approvers.
fn digits(desk: &Desk, request: &str) -> Option<String> {
    let view = desk.check(&["request", "view", request, "-o", "json"], 0).json();
    view["matching_number"].as_str().map(str::to_owned)
}

#[test]
fn without_a_server() {
    let desk = Desk::new("http://127.0.0.1:1");
    desk.check(&["no-such-command"], 2);
    desk.check(&["request", "view"], 2);
    desk.check(&["whoami", "--server", "http://chancery.example"], 2);
    desk.check(&["whoami", "--profile", "../x"], 2);
    desk.check(&["whoami"], 4);
    let ran = desk.check(&["log", "checkpoint", "-o", "json"], 10);
    let error: Value = serde_json::from_str(ran.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(
        (error["error"]["code"].as_str(), error["error"]["exit"].as_i64()),
        (Some("unreachable"), Some(10))
    );
    assert_eq!(ran.stdout, "", "an error is no data");

    std::fs::write(desk.path(".chancery.toml"), "servr = 'x'\n").unwrap();
    let ran = desk.check(&["whoami"], 1);
    assert!(ran.stderr.contains("servr"), "{}", ran.stderr);
}

/// A connection that breaks after the request was sent must not look like one that never stood.
#[test]
fn a_broken_connection_is_an_unknown_outcome() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let information = r#"{"version":"0","log_origin":"log.example","rp_id":"localhost","origins":[],"sealed":true,
            "engine":"","policy_sha256":"","log_vkey":"","ssh_ca":"","time":""}"#;
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 4096];
            let length = connection.read(&mut request).unwrap();
            if request[..length].starts_with(b"GET") {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    information.len()
                );
                connection.write_all(format!("{head}{information}").as_bytes()).unwrap();
            }
        }
    });
    Desk::new(&server).check(&["login"], 11);
}

#[test]
fn the_life_of_a_request() {
    let stage = Stage::set().unwrap();
    let cast = stage.cast();
    let desk = Desk::sign_in(&stage, &cast.engineer);
    let who = desk.check(&["whoami", "-o", "json"], 0).json();
    assert_eq!(who["person"].as_str(), Some(cast.engineer.id.as_str()));

    // 3: policy says no; a dry run says so too, and leaves nothing behind
    let root: Vec<&str> =
        PROPER.iter().map(|word| if *word == "principal=deploy" { "principal=root" } else { word }).collect();
    desk.check(&[&root[..], &["--dry-run"]].concat(), 3);
    assert_eq!(desk.check(&["request", "list", "-o", "json"], 0).json(), Value::Array(Vec::new()));
    let denied = desk.check(&root, 3);
    assert!(denied.stdout.contains("nobody logs in as `root`"), "{}", denied.stdout);
    assert!(denied.stdout.contains("remedy"), "{}", denied.stdout);

    // what the form refuses is a denial with its reason; what is no entitlement at all is an error
    let ran =
        desk.check(&["request", "create", "ssh-admin", "--set", "host=web-1", "--reason=x", "--ticket=y"], 3);
    assert!(ran.stdout.contains("principal"), "{}", ran.stdout);
    desk.check(&["request", "create", "no-such-thing"], 1);

    // 8: pending is never 0
    let pending = ask(&desk, &["--no-wait"], 8);
    assert_eq!(pending["state"], "pending");
    let request = id(&pending);
    desk.check(&["request", "wait", &request, "--timeout", "1s"], 8);

    // 130: the request stays open, its id is printed
    let waiting = desk.start(&["request", "wait", &request]);
    thread::sleep(std::time::Duration::from_millis(1500));
    let killed = Command::new("kill").args(["-INT", &waiting.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let interrupted = finish(waiting);
    assert_eq!(interrupted.code, 130, "{interrupted:?}");
    assert!(interrupted.stderr.contains(&request), "{}", interrupted.stderr);

    // nobody approves their own, on this path either
    let own = desk.check(&["approve", &request], 1);
    assert!(own.stderr.contains("nobody may decide"), "{}", own.stderr);

    // 0: two people approve while the program waits
    let waiting = desk.start(&["request", "wait", &request, "-o", "json"]);
    cast.owner.decide(&request, Approve, None, digits(&desk, &request)).unwrap();
    cast.security.decide(&request, Approve, None, digits(&desk, &request)).unwrap();
    let approved = finish(waiting);
    assert_eq!((approved.code, approved.json()["state"].as_str()), (0, Some("approved")), "{approved:?}");

    // the certificate lies beside its key and is for it
    let credential = desk.check(&["grant", "credential", &request, "-o", "json"], 0).json();
    let shown = Command::new("ssh-keygen")
        .args(["-L", "-f", credential["certificate_file"].as_str().unwrap()])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains("deploy"), "{shown:?}");
    desk.check(&["grant", "view", &request, "-o", "json"], 0).json();
    assert_eq!(credential["destination"], "deploy@web-1");
    // whose key is elsewhere gets none
    let stranger = Desk::sign_in(&stage, &cast.engineer);
    stranger.check(&["grant", "credential", &request], 1);

    // 7: revoked by a person
    cast.security.decide(&request, Revoke, Some("over"), None).unwrap();
    desk.check(&["request", "wait", &request], 7);

    // 5, 7: rejected; cancelled
    let rejected = id(&ask(&desk, &["--no-wait"], 8));
    cast.owner.decide(&rejected, Reject, Some("use the replica"), None).unwrap();
    let ran = desk.check(&["request", "wait", &rejected], 5);
    assert!(ran.stdout.contains("use the replica"), "{}", ran.stdout);
    let cancelled = id(&ask(&desk, &["--no-wait"], 8));
    desk.check(&["request", "cancel", &cancelled], 0);
    desk.check(&["request", "wait", &cancelled], 7);

    evidence(&stage, &request);
}

#[test]
fn alerts_are_looked_at() {
    let stage = Stage::set().unwrap();
    let cast = stage.cast();
    let desk = Desk::sign_in(&stage, &cast.engineer);
    desk.check(&["request", "create", "ssh-admin", "--set=host=web-1", "--reason=x"], 3);
    let request = id(&ask(&desk, &["--no-wait"], 8));
    let right = digits(&desk, &request).unwrap();
    let wrong = if right == "00" { "01" } else { "00" };
    for _ in 0..3 {
        cast.owner.decide(&request, Approve, None, Some(wrong.to_owned())).unwrap_err();
    }

    let administrator = Desk::sign_in(&stage, &cast.administrators.first);
    let open = ["alert", "list", "--state", "open", "-o", "json"];
    let listed = administrator.check(&open, 0).json();
    assert_eq!(
        (&listed[0]["request"], &listed[0]["reason"]),
        (&request.clone().into(), &"number_mismatch".into())
    );
    let alert = id(&listed[0]);
    assert!(administrator.check(&["alert", "list"], 0).stdout.contains("number mismatch"));
    // nobody acknowledges what is about themselves
    let own = desk.check(&["alert", "ack", &alert], 1);
    assert!(own.stderr.contains("not eligible for acknowledging alerts"), "{}", own.stderr);
    desk.check(&["alert", "ack", "../x"], 2);
    let acknowledged = administrator.check(&["alert", "ack", &alert, "-o", "json"], 0).json();
    assert_eq!(
        acknowledged["acknowledged_by"]["person"].as_str(),
        Some(cast.administrators.first.id.as_str())
    );
    assert_eq!(administrator.check(&open, 0).json(), Value::Array(Vec::new()));
}

#[test]
fn using_a_grant() {
    let stage = Stage::set().unwrap();
    let cast = stage.cast();
    let desk = Desk::sign_in(&stage, &cast.engineer);
    let granted = |more: &[&str]| {
        let request = id(&ask(&desk, &[more, &["--no-wait"]].concat(), 8));
        cast.owner.decide(&request, Approve, None, digits(&desk, &request)).unwrap();
        cast.security.decide(&request, Approve, None, digits(&desk, &request)).unwrap();
        request
    };

    // A person's first request comes from a new place, which policy takes more seriously; this one is spent on a denial.
    desk.check(&["request", "create", "ssh-admin", "--set=host=web-1", "--reason=x"], 3);

    // exec: the child's code, the key in its agent, and the grant is over afterwards
    let request = granted(&[]);
    let ran = desk.check(&["exec", &request, "--", "sh", "-c", "ssh-add -l; exit 42"], 42);
    assert!(ran.stdout.contains("ED25519-CERT"), "{ran:?}");
    assert_eq!(desk.check(&["grant", "view", &request, "-o", "json"], 0).json()["state"], "completed");

    // a key of one's own
    let own = desk.path("own");
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&own).status().unwrap();
    assert!(made.success());
    let request = granted(&["--key", "own.pub"]);
    let credential = desk.check(&["grant", "credential", &request, "-o", "json"], 0).json();
    assert_eq!(credential["identity"].as_str(), own.to_str());

    // the same where the program was not the one that asked, as after a request on the console
    std::fs::remove_dir_all(desk.path(&format!(".local/state/chancery/keys/{request}"))).unwrap();
    let ran = desk.check(&["grant", "credential", &request], 1);
    assert!(ran.stderr.contains("--key FILE.pub"), "{}", ran.stderr);
    let other = desk.path("other");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&other)
        .status()
        .unwrap();
    assert!(made.success());
    let ran = desk.check(&["grant", "credential", &request, "--key", "other.pub"], 1);
    assert!(ran.stderr.contains("another key than the one that the request names"), "{}", ran.stderr);
    let credential =
        desk.check(&["grant", "credential", &request, "--key", "own.pub", "-o", "json"], 0).json();
    assert_eq!(credential["identity"].as_str(), own.to_str());
    desk.check(&["grant", "credential", &request], 0);

    // 6: over by the clock
    let request = granted(&["--ttl=2s"]);
    desk.check(&["grant", "credential", &request], 0);
    thread::sleep(std::time::Duration::from_secs(3));
    wait_for_state(&desk, &request, "expired");
    desk.check(&["request", "wait", &request], 6);

    // the same key rejoins the same request; other arguments under it are refused
    let keyed = ["--timeout=1s", "--idempotency-key=job-1"];
    let first = id(&ask(&desk, &keyed, 8));
    assert_eq!(first, id(&ask(&desk, &keyed, 8)));
    desk.check(&[&PROPER, &keyed[..], &["--start=2030-01-01T00:00:00Z"]].concat(), 2);

    // every list parses, in both forms
    for noun in ["request", "grant", "entitlement", "person", "passkey", "alert"] {
        let array = desk.check(&[noun, "list", "-o", "json"], 0).json();
        let lines = desk.check(&[noun, "list", "-o", "jsonl"], 0).stdout;
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(array, Value::Array(lines), "{noun}");
    }
    desk.check(&["logout"], 0);
    desk.check(&["whoami"], 4);
}

/// The revocation worker ends a grant within moments of its clock.
fn wait_for_state(desk: &Desk, request: &str, state: &str) {
    for _ in 0..100 {
        if desk.check(&["grant", "view", request, "-o", "json"], 0).json()["state"] == state {
            return;
        }
        thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{request} did not become {state}");
}

/// `verify`: 0, 2 and 9, by name.
fn evidence(stage: &Stage, request: &str) {
    let auditor = Desk::sign_in(stage, &stage.cast().auditor);
    let trust = stage.trust_folder();
    let trust = trust.to_str().unwrap();
    auditor.check(&["evidence", "export", request, "--out", "e.zip"], 0);
    let verified = auditor.check(&["verify", "e.zip", "--trust", trust, "-o", "json"], 0).json();
    assert_eq!(verified["verified"], true);
    auditor.check(&["verify", "e.zip", "--trust", trust, "--log", stage.url(), "--report", "r.html"], 0);
    assert!(std::fs::read_to_string(auditor.path("r.html")).unwrap().contains("<!doctype html>"));
    auditor.check(&["verify", "missing.zip", "--trust", trust], 2);
    auditor.check(&["verify", "e.zip", "--trust", "missing"], 2);
    auditor.check(&["verify", "e.zip"], 2);

    std::fs::write(auditor.path("not.zip"), "no zip at all").unwrap();
    let failed = auditor.check(&["verify", "not.zip", "--trust", trust, "-o", "json"], 9).json();
    assert_eq!(failed["failed"][0], "container");
    let mut bytes = std::fs::read(auditor.path("e.zip")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(auditor.path("flipped.zip"), bytes).unwrap();
    auditor.check(&["verify", "flipped.zip", "--trust", trust], 9);

    // the log, from the server, held to the trust root
    for arguments in [&["log", "checkpoint"][..], &["log", "prove", "0"], &["log", "consistency", "1", "3"]] {
        auditor.check(&[arguments, &["--trust", trust, "-o", "json"]].concat(), 0).json();
    }
    auditor.check(&["audit", "replay", request], 0);
    let events = auditor.check(&["audit", "export", "--stream", &format!("request/{request}")], 0).stdout;
    let kinds: Vec<Value> =
        events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone()).collect();
    assert_eq!(kinds.first().and_then(Value::as_str), Some("request.submitted"));
    assert!(kinds.contains(&Value::from("grant.revoked")), "{kinds:?}");
}
