//! What is measured: each a number of calls, how long each took, and what they cost both processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chancery_domain::document::DecisionDocument;
use serde_json::{Value, json};

use crate::client::Connection;
use crate::installation::{Installation, Party, draft_body};
use crate::process::cpu;
use crate::world::{Person, World, signed_request};

/// How long each of many calls took.
pub struct Waits {
    each: Vec<Duration>,
    whole: Duration,
    /// Seconds of CPU of the server and of this generator.
    pub server_cpu: f64,
    pub own_cpu: f64,
}

impl Waits {
    pub fn per_second(&self) -> f64 {
        self.each.len() as f64 / self.whole.as_secs_f64()
    }

    /// Milliseconds at this percentile.
    pub fn at(&self, percent: usize) -> f64 {
        let index = (self.each.len() * percent / 100).min(self.each.len() - 1);
        self.each[index].as_secs_f64() * 1000.0
    }

    /// Milliseconds of the server's CPU for one call.
    pub fn server_each(&self) -> f64 {
        self.server_cpu * 1000.0 / self.each.len() as f64
    }

    pub fn own_each(&self) -> f64 {
        self.own_cpu * 1000.0 / self.each.len() as f64
    }
}

/// Runs some work and notes what it cost.
fn measured(installation: &Installation, work: impl FnOnce(&Installation) -> Vec<Duration>) -> Waits {
    let (server, own, begin) = (installation.server().cpu(), cpu("self"), Instant::now());
    let mut each = work(installation);
    let whole = begin.elapsed();
    let (server_cpu, own_cpu) = (installation.server().cpu() - server, cpu("self") - own);
    each.sort_unstable();
    Waits { each, whole, server_cpu, own_cpu }
}

/// Sends submissions over so many connections, each as fast as it is answered.
pub fn submit(installation: &mut Installation, clients: usize, count: usize) -> Waits {
    let submissions = Arc::new(installation.submissions(count));
    let next = Arc::new(AtomicUsize::new(0));
    measured(installation, |installation| {
        let address = installation.server().address;
        installation.world.runtime.block_on(async {
            let clients: Vec<_> = (0..clients)
                .map(|_| {
                    let (submissions, next) = (Arc::clone(&submissions), Arc::clone(&next));
                    tokio::spawn(async move {
                        let mut connection = Connection::open(address).await;
                        let mut waits = Vec::new();
                        while let Some(submission) = submissions.get(next.fetch_add(1, Ordering::Relaxed)) {
                            let start = Instant::now();
                            let reply = connection.call(submission).await;
                            waits.push(start.elapsed());
                            assert!(reply.status == 201, "{}", String::from_utf8_lossy(&reply.body));
                        }
                        waits
                    })
                })
                .collect();
            let mut all = Vec::new();
            for client in clients {
                all.extend(client.await.unwrap());
            }
            all
        })
    })
}

/// The same reading call again and again, one at a time.
pub fn read(installation: &Installation, person: &Person, path: &str, count: usize) -> Waits {
    let world = &installation.world;
    let calls: Vec<_> = (0..count).map(|_| world.prepared(person, "GET", path, b"")).collect();
    measured(installation, |installation| {
        let address = installation.server().address;
        world.runtime.block_on(async {
            let mut connection = Connection::open(address).await;
            let mut waits = Vec::new();
            for call in &calls {
                let start = Instant::now();
                connection.call(call).await.good();
                waits.push(start.elapsed());
            }
            waits
        })
    })
}

/// Submission, two decisions and a certificate, by all parties at once, so many times each. Returns the ids too.
pub fn whole_way(installation: &mut Installation, times: usize) -> (Waits, Vec<String>) {
    let mut parties = std::mem::take(&mut installation.parties);
    let mut ids = Vec::new();
    let waits = measured(installation, |installation| {
        let world = &installation.world;
        std::thread::scope(|scope| {
            let threads: Vec<_> = parties
                .iter_mut()
                .map(|party| scope.spawn(move || go_whole_ways(world, party, times)))
                .collect();
            let mut all = Vec::new();
            for thread in threads {
                let (waits, made) = thread.join().unwrap();
                all.extend(waits);
                ids.extend(made);
            }
            all
        })
    });
    installation.parties = parties;
    (waits, ids)
}

fn go_whole_ways(world: &World, party: &mut Party, times: usize) -> (Vec<Duration>, Vec<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = Connection::open(world.address()).await;
        let (mut waits, mut ids) = (Vec::new(), Vec::new());
        for time in 0..times {
            let asker = time % party.askers.len();
            let asker = &mut party.askers[asker];
            let draft = call(world, &mut connection, asker, "/api/v1/drafts", &draft_body(asker)).await;
            let body = signed_request(asker, &draft).to_string();
            // The draft is the form being filled; the way begins when it is sent.
            let start = Instant::now();
            let view = call(world, &mut connection, asker, "/api/v1/requests", body.as_bytes()).await;
            let id = view["id"].as_str().unwrap().to_owned();
            for approver in [&mut party.owner, &mut party.security, &mut party.second] {
                let state = decide(world, &mut connection, approver, &id, &view["matching_number"]).await;
                if state == "approved" {
                    break;
                }
            }
            let path = format!("/api/v1/grants/{id}/credentials");
            let credential = call(world, &mut connection, asker, &path, b"").await;
            assert!(credential["certificate"].is_string(), "{credential}");
            waits.push(start.elapsed());
            ids.push(id);
        }
        (waits, ids)
    })
}

/// Returns the state in which the request is then.
async fn decide(
    world: &World,
    connection: &mut Connection,
    approver: &mut Person,
    id: &str,
    number: &Value,
) -> Value {
    let path = format!("/api/v1/requests/{id}/decisions");
    let mut asked = json!({"decision": "approve", "reason": "checked"});
    if !number.is_null() {
        asked["matching_number"] = number.clone();
    }
    let asked = asked.to_string();
    let offer = call(world, connection, approver, &format!("{path}/options"), asked.as_bytes()).await;
    let document = offer["document"].as_str().unwrap().to_owned();
    let assertion = approver.assert::<DecisionDocument>(&document);
    let body =
        json!({"document": document, "assertion": assertion, "disclosure": offer["disclosure"]}).to_string();
    call(world, connection, approver, &path, body.as_bytes()).await["request"]["state"].take()
}

async fn call(world: &World, connection: &mut Connection, person: &Person, path: &str, body: &[u8]) -> Value {
    let reply = connection.call(&world.prepared(person, "POST", path, body)).await;
    serde_json::from_slice(&reply.good()).unwrap()
}
