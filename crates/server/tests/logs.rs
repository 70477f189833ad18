//! What is logged of a whole run: one line a request, and nothing that anybody would not want to read there.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code fails by panicking")]

mod world;

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use world::{Person, Session, World, ssh_draft};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// One test, since a process has one log.
#[test]
fn a_whole_run_is_logged_once_and_without_secrets() {
    let log = Log::default();
    // Everything that any part of the program says at any level.
    let subscriber = tracing_subscriber::fmt().json().with_env_filter(EnvFilter::new("trace"));
    subscriber.with_writer(log.clone()).init();

    let (world, mut ada, mut ben) = World::sealed();
    let mut erin = world.admit("Erin Example", &["engineer"], &mut ada, &mut ben);
    let mut olga = world.admit("Olga Example", &["service_owner"], &mut ada, &mut ben);
    world.log_in(&mut erin);
    let invitation = world.invite(&ada, &["engineer"]);
    let mut draft = ssh_draft(&erin, "staging");
    draft["justification"] = json!("the ledger of Mallory is on fire");
    let draft = world.call(&erin, "POST", "/api/v1/drafts", Some(&draft)).good();
    let request = world.submit(&mut erin, &draft).good()["id"].as_str().unwrap().to_owned();
    world.decide(&mut olga, &request, "approve", Some("Mallory was called back")).good();
    let path = format!("/api/v1/grants/{request}/credentials");
    let credential =
        world.call_with(&erin, "POST", &path, None, &[("idempotency-key", "a-secret-key")]).good();
    world.decide(&mut olga, &request, "revoke", Some("it was put out")).good();
    world.await_state(&erin, &request, "revoked");

    // Refused ones, with secrets in odd places.
    let tried = "not-a-real-token-but-somebody-s-typing";
    world.send("GET", &format!("/api/v1/requests?token={tried}"), &[("authorization", tried)], None);
    world.open("POST", "/api/v1/enrolments/options", Some(&json!({"token": tried})));
    world.send("GET", &format!("/{tried}"), &[("cookie", "__Host-chancery=typed-cookie")], None);

    let Session::Token { token, seed, .. } = &erin.session else { panic!("no token") };
    let (Session::Cookie(ada_cookie), Session::Cookie(olga_cookie)) = (&ada.session, &olga.session) else {
        panic!("no cookies")
    };
    let ca = std::fs::read(world.data().join("keys/ssh-ca.pkcs8")).unwrap();
    let text = log.text();
    for (what, secret) in [
        ("a token", token.as_str()),
        ("a session key", &chancery_canonical::base64::encode_url(seed)),
        ("a cookie", ada_cookie),
        ("another cookie", olga_cookie),
        ("an invitation", &invitation),
        ("the first link", &world.first_link),
        ("a certificate", credential["certificate"].as_str().unwrap()),
        ("the authority's key", &chancery_canonical::base64::encode_standard(&ca)),
        ("an idempotency key", "a-secret-key"),
        ("a name", "Example"),
        ("a justification", "Mallory"),
        ("a reason", "put out"),
        ("a host", "web-1.example"),
        ("what somebody typed", tried),
        ("a typed cookie", "typed-cookie"),
    ] {
        let found = text.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{what}");
    }
    one_line_a_request(&world, &erin, &log);
    the_figures_speak_of_templates_only(&world, &[&request, &erin.id, tried]);
}

fn one_line_a_request(world: &World, erin: &Person, log: &Log) {
    // A problem, its header and its line share one name; the line knows route, status, code and person.
    let refused = world.call(erin, "GET", "/api/v1/requests/01ARZ3NDEKTSV4RRFFQ69G5FAV", None);
    refused.refused("not_found");
    let id = refused.json()["request_id"].as_str().unwrap().to_owned();
    assert_eq!(refused.header("x-request-id"), Some(id.as_str()));
    let about: Vec<Value> = log
        .lines()
        .into_iter()
        .filter(|line| line["span"]["request_id"] == json!(id) && line["level"] == json!("INFO"))
        .collect();
    assert_eq!(about.len(), 1, "{about:#?}");
    let (fields, span) = (&about[0]["fields"], &about[0]["span"]);
    assert_eq!((&fields["status"], &fields["code"]), (&json!(404), &json!("not_found")), "{about:#?}");
    assert_eq!(
        (&span["route"], &span["person"]),
        (&json!("/api/v1/requests/{id}"), &json!(erin.id)),
        "{about:#?}"
    );
    assert!(fields["micros"].as_u64().is_some_and(|micros| micros > 0), "{about:#?}");
    // Good answers carry a name as well, each its own.
    let good = [world.open("GET", "/healthz", None), world.open("GET", "/healthz", None)];
    let names: Vec<&str> = good.iter().map(|answer| answer.header("x-request-id").unwrap()).collect();
    assert!(names[0] != names[1] && names[0].len() == 26, "{names:?}");
}

fn the_figures_speak_of_templates_only(world: &World, absent: &[&str]) {
    let metrics = world.open("GET", "/metrics", None);
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4"));
    let metrics = String::from_utf8(metrics.bytes).unwrap();
    for wanted in [
        "chancery_http_requests_total{method=\"GET\",route=\"/api/v1/requests/{id}\",status=\"404\"} 1",
        "chancery_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "chancery_held 0",
        "chancery_trust_sealed 1",
        "chancery_effects_alarmed 0",
        "chancery_requests_open{state=\"pending\"} 0",
    ] {
        assert!(metrics.lines().any(|line| line == wanted), "{wanted}\n{metrics}");
    }
    assert!(absent.iter().all(|text| !metrics.contains(text)), "{metrics}");
}
