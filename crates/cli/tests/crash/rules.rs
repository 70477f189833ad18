//! What must hold of a whole log, whatever happened to the server that wrote it. Reads leaves as a stranger does:
//! as JSON, without the product's own types.

use std::collections::{BTreeMap, BTreeSet};

use chancery_issuer::ssh::Certificate;
use chancery_ledger::leaf_hash;
use jiff::Timestamp;
use serde_json::Value;

use crate::promises::Promises;

/// How much earlier than the newest event before it one of another stream may be dated, in seconds: what
/// `chancery verify` allows as well (docs/spec/evidence.md, `log-time`).
const SKEW: i64 = 300;
/// How long a timer may be late before it counts as lost, in seconds.
const PATIENCE: i64 = 4;
const ENDS: [&str; 3] = ["grant.expired", "grant.ended", "grant.revoked"];

/// One event as it stands in the log.
struct Event {
    index: usize,
    version: u64,
    kind: String,
    at: i64,
    body: Value,
}

/// What a log says.
#[derive(Default)]
pub struct Examined {
    /// What does not hold.
    pub violations: Vec<String>,
    /// What has not happened yet although its time has come; it may still.
    pub late: Vec<String>,
    /// Serials that are revoked, with the number of the list.
    pub revoked: Vec<(u64, u64)>,
    /// How many of which kind.
    pub kinds: BTreeMap<String, u64>,
}

/// Examines all leaves.
pub fn examine(leaves: &[Vec<u8>], now: i64) -> Examined {
    let mut found = Examined::default();
    let streams = read(leaves, &mut found);
    let mut serials = BTreeSet::new();
    let mut nonces = BTreeSet::new();
    for (name, events) in &streams {
        check_chain(name, events, leaves, &mut found);
        if name.starts_with("request/") {
            check_once(name, events, &mut found);
            check_clocks(name, events, now, &mut found);
            check_leases(name, events, now, &mut serials, &mut found);
            check_decisions(name, events, &mut nonces, &mut found);
        }
    }
    found
}

/// Every certificate that a client holds was announced, byte for byte, and said to be issued.
pub fn certificates(leaves: &[Vec<u8>], promises: &mut Promises) {
    let mut announced = BTreeMap::new();
    let mut issued = BTreeSet::new();
    for leaf in leaves {
        let mut leaf: Value = serde_json::from_slice(leaf).unwrap();
        let spec = leaf["spec"].take();
        let lease = spec["body"]["lease"].as_str().unwrap_or_default().to_owned();
        match spec["kind"].as_str() {
            Some("lease.intended") => drop(announced.insert(lease, spec)),
            Some("lease.issued") => drop(issued.insert(lease)),
            Some(_) | None => {}
        }
    }
    for held in promises.certificates.values().cloned().collect::<Vec<_>>() {
        let certificate = Certificate::parse(&held.line).unwrap();
        let sha256: String = certificate.sha256().iter().map(|byte| format!("{byte:02x}")).collect();
        let fits = announced.get(&held.lease).is_some_and(|spec| {
            spec["stream"] == format!("request/{}", held.request)
                && number(&spec["body"]["serial"]) == Some(held.serial)
                && spec["body"]["to_be_signed_sha256"] == sha256.as_str()
        });
        if !fits || certificate.contents().serial != held.serial || !issued.contains(&held.lease) {
            promises.violated(format!("certificate {} stands nowhere in the log", held.serial));
        }
    }
}

/// Streams with their events in the order of the log; no event is dated before an earlier one of its stream, nor much
/// before any other.
fn read(leaves: &[Vec<u8>], found: &mut Examined) -> BTreeMap<String, Vec<Event>> {
    let mut streams: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    let mut newest = 0;
    for (index, leaf) in leaves.iter().enumerate() {
        let mut leaf: Value = serde_json::from_slice(leaf).unwrap();
        if leaf["apiVersion"] != "chancery/v1" {
            continue;
        }
        let spec = &mut leaf["spec"];
        let event = Event {
            index,
            version: spec["version"].as_u64().unwrap(),
            kind: spec["kind"].as_str().unwrap().to_owned(),
            at: seconds(&spec["time"]),
            body: spec["body"].take(),
        };
        if event.at < newest - SKEW {
            found.violations.push(format!("leaf {index} is dated before an earlier one"));
        }
        newest = newest.max(event.at);
        *found.kinds.entry(event.kind.clone()).or_default() += 1;
        streams.entry(spec["stream"].as_str().unwrap().to_owned()).or_default().push(event);
    }
    streams
}

/// Versions without gaps, each naming the one before.
fn check_chain(name: &str, events: &[Event], leaves: &[Vec<u8>], found: &mut Examined) {
    let (mut previous, mut newest) = (None, 0);
    for (event, version) in events.iter().zip(1..) {
        let leaf = &leaves[event.index];
        let named: Value = serde_json::from_slice(leaf).unwrap();
        let named = named["spec"]["previous"].as_str().map(str::to_owned);
        if event.version != version || named != previous {
            found.violations.push(format!("`{name}` is broken at version {version}"));
        }
        if event.at < newest {
            found.violations.push(format!("`{name}` is dated back at version {version}"));
        }
        newest = event.at;
        previous = Some(leaf_hash(leaf).to_string());
    }
}

/// What may happen only once does.
fn check_once(name: &str, events: &[Event], found: &mut Examined) {
    let count = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
    let ends: usize = ENDS.into_iter().map(count).sum();
    for (what, number) in [
        ("submissions", count("request.submitted")),
        ("approvals", count("request.approved")),
        ("activations", count("grant.activated")),
        ("ends", ends),
        ("rejections", count("request.rejected")),
    ] {
        if number > 1 {
            found.violations.push(format!("`{name}` has {number} {what}"));
        }
    }
}

/// No grant is longer than what was granted, and none outlives its clock.
fn check_clocks(name: &str, events: &[Event], now: i64, found: &mut Examined) {
    let body = |kind: &str| events.iter().find(|event| event.kind == kind);
    let Some(activated) = body("grant.activated") else { return };
    let (started_at, ends_at) = (seconds(&activated.body["started_at"]), seconds(&activated.body["ends_at"]));
    let most = events.iter().find_map(|event| event.body["grant"]["max_seconds"].as_i64()).unwrap_or(0);
    if ends_at - started_at > most || started_at > activated.at {
        found.violations.push(format!("`{name}` runs longer than it was granted"));
    }
    match events.iter().find(|event| ENDS.contains(&event.kind.as_str())) {
        Some(end)
            if end.kind == "grant.expired"
                && (end.at < ends_at || seconds(&end.body["ended_at"]) != ends_at) =>
        {
            found.violations.push(format!("`{name}` expired before its end"));
        }
        Some(_) => {}
        None if now > ends_at + PATIENCE => found.late.push(format!("`{name}` outlives its clock")),
        None => {}
    }
}

/// One announcement for each lease, one serial; none after the end; taken back when its grant ends early.
fn check_leases(
    name: &str,
    events: &[Event],
    now: i64,
    serials: &mut BTreeSet<String>,
    found: &mut Examined,
) {
    let activated = events.iter().find(|event| event.kind == "grant.activated");
    let end = events.iter().find(|event| ENDS.contains(&event.kind.as_str()));
    for intended in events.iter().filter(|event| event.kind == "lease.intended") {
        let lease = &intended.body["lease"];
        let of_lease = |kind: &str| {
            events.iter().filter(|event| event.kind == kind && event.body["lease"] == *lease).count()
        };
        let (announced, issued, revoked) =
            (of_lease("lease.intended"), of_lease("lease.issued"), of_lease("lease.revoked"));
        if announced != 1 || issued > 1 || revoked > 1 {
            found.violations.push(format!(
                "lease {lease}: announced {announced} times, issued {issued}, revoked {revoked}"
            ));
        }
        let serial = intended.body["serial"].as_str().unwrap().to_owned();
        if !serials.insert(serial) {
            found.violations.push(format!("lease {lease} has the serial of another"));
        }
        let not_after = seconds(&intended.body["not_after"]);
        let within = activated
            .is_some_and(|grant| grant.at <= intended.at && not_after <= seconds(&grant.body["ends_at"]));
        if !within || end.is_some_and(|end| end.index < intended.index) {
            found.violations.push(format!("lease {lease} of `{name}` is outside of its grant"));
        }
        let early = end.filter(|end| end.kind != "grant.expired" && end.at < not_after);
        if early.is_some_and(|end| revoked == 0 && now > end.at + PATIENCE) {
            found.late.push(format!("lease {lease} of `{name}` is not taken back"));
        }
    }
    for revoked in events.iter().filter(|event| event.kind == "lease.revoked") {
        let of = events
            .iter()
            .find(|event| event.kind == "lease.intended" && event.body["lease"] == revoked.body["lease"]);
        match of.and_then(|of| number(&of.body["serial"])).zip(number(&revoked.body["list_number"])) {
            Some(pair) => found.revoked.push(pair),
            None => found.violations.push(format!("`{name}` revokes a lease that nobody announced")),
        }
    }
}

/// Each signed decision is counted once.
fn check_decisions(name: &str, events: &[Event], nonces: &mut BTreeSet<String>, found: &mut Examined) {
    for decision in events.iter().filter(|event| event.kind == "decision.recorded") {
        let document = &decision.body["document"];
        let text = document.as_str().map_or_else(|| document.to_string(), str::to_owned);
        if !nonces.insert(text) {
            found.violations.push(format!("`{name}` counts one decision twice"));
        }
    }
}

/// A number that stands as decimal text, since it may exceed 2^53.
fn number(value: &Value) -> Option<u64> {
    value.as_str().and_then(|text| text.parse().ok())
}

fn seconds(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<Timestamp>().unwrap().as_second()
}
