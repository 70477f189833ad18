//! Figures since the start, for `/metrics` in the text exposition format of Prometheus (0.0.4).
//!
//! INVARIANT: every label comes from a list that this program fixes (routes, methods, statuses, states), so the number
//! of series is bounded, and none of them tells of a person.

mod exposition;
mod histogram;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chancery_store::Backlog;

use exposition::Exposition;
use histogram::Histogram;

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By route template, then by method.
    routes: Mutex<BTreeMap<String, BTreeMap<&'static str, Answers>>>,
    append: Histogram,
    verdict: Histogram,
    effects_run: AtomicU64,
    effects_failed: AtomicU64,
}

/// Answers of one route to one method.
#[derive(Debug, Default)]
struct Answers {
    statuses: BTreeMap<u16, u64>,
    duration: Histogram,
}

/// What is read at the moment of asking.
#[derive(Debug)]
pub struct Gauges {
    /// Entries of the log.
    pub log_size: u64,
    /// Seconds since the newest event, and so since its checkpoint was signed.
    pub checkpoint_age_seconds: u64,
    /// What waits.
    pub backlog: Backlog,
    /// Seconds since the oldest effect that is due was due.
    pub oldest_due_age_seconds: u64,
    /// Requests by state, those that are not over.
    pub open_requests: Vec<(&'static str, u64)>,
    /// Event streams that are read.
    pub event_streams: u64,
    /// Seconds until the trust root is over; `None` before the seal.
    pub trust_seconds: Option<i64>,
    /// Seconds since the SSH revocation list was last replaced.
    pub revocation_list_age_seconds: Option<u64>,
    /// When the server started, in seconds since 1970.
    pub started_at: i64,
    /// Version of the policy engine.
    pub engine: &'static str,
}

impl Metrics {
    /// A request was answered. `route` is the template, never the path.
    pub fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let methods = match routes.get_mut(route) {
            Some(methods) => methods,
            None => routes.entry(route.to_owned()).or_default(),
        };
        let answers = methods.entry(known_method(method)).or_default();
        *answers.statuses.entry(status).or_default() += 1;
        answers.duration.observe(took);
    }

    /// Events were recorded: durable, under a signed checkpoint.
    pub fn appended(&self, took: Duration) {
        self.append.observe(took);
    }

    /// Policy was asked.
    pub fn judged(&self, took: Duration) {
        self.verdict.observe(took);
    }

    /// An effect was run.
    pub fn effect_ran(&self, succeeded: bool) {
        let counter = if succeeded { &self.effects_run } else { &self.effects_failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The text.
    pub fn render(&self, now: &Gauges) -> String {
        let mut text = Exposition::default();
        self.render_http(&mut text);
        text.family(
            "append_duration_seconds",
            "histogram",
            "Appends to the journal until they are durable and checkpointed.",
        );
        text.histogram("append_duration_seconds", &[], &self.append);
        text.family("verdict_duration_seconds", "histogram", "Verdicts of the policy engine.");
        text.histogram("verdict_duration_seconds", &[], &self.verdict);
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        text.single("effects_finished_total", "counter", "Effects finished.", read(&self.effects_run));
        text.single(
            "effects_failed_total",
            "counter",
            "Runs of effects that failed and wait again.",
            read(&self.effects_failed),
        );
        render_gauges(&mut text, now);
        text.finish()
    }

    fn render_http(&self, text: &mut Exposition) {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        text.family("http_requests_total", "counter", "Requests answered, by route, method and status.");
        for (route, methods) in routes.iter() {
            for (method, answers) in methods {
                for (status, count) in &answers.statuses {
                    let status = status.to_string();
                    let labels =
                        [("method", *method), ("route", route.as_str()), ("status", status.as_str())];
                    text.sample("http_requests_total", &labels, *count);
                }
            }
        }
        text.family(
            "http_request_duration_seconds",
            "histogram",
            "Time until the answer's headers, by route and method.",
        );
        for (route, methods) in routes.iter() {
            for (method, answers) in methods {
                let labels = [("method", *method), ("route", route.as_str())];
                text.histogram("http_request_duration_seconds", &labels, &answers.duration);
            }
        }
    }
}

fn render_gauges(text: &mut Exposition, now: &Gauges) {
    text.single("held", "gauge", "1 where nothing may be signed (docs/operations/incidents.md).", 0);
    text.single("log_size", "gauge", "Entries of the log.", now.log_size);
    text.single(
        "checkpoint_age_seconds",
        "gauge",
        "Time since the newest event.",
        now.checkpoint_age_seconds,
    );
    text.single(
        "effects_due",
        "gauge",
        "Effects that are due, and those that failed often.",
        now.backlog.due,
    );
    text.single("effects_alarmed", "gauge", "Effects that failed six times or more.", now.backlog.alarmed);
    let help = "How long the oldest due effect has been due.";
    text.single("effects_oldest_due_age_seconds", "gauge", help, now.oldest_due_age_seconds);
    text.family("requests_open", "gauge", "Requests that are not over, by state.");
    for (state, count) in &now.open_requests {
        text.sample("requests_open", &[("state", state)], count);
    }
    let active =
        now.open_requests.iter().find(|(state, _)| *state == "active").map_or(0, |(_, count)| *count);
    text.single("grants_active", "gauge", "Grants whose clock runs.", active);
    text.single("event_streams", "gauge", "Event streams that are read.", now.event_streams);
    text.single(
        "trust_sealed",
        "gauge",
        "1 once the trust root is sealed.",
        u8::from(now.trust_seconds.is_some()),
    );
    if let Some(seconds) = now.trust_seconds {
        text.single("trust_expires_in_seconds", "gauge", "Time until the trust root is over.", seconds);
    }
    if let Some(seconds) = now.revocation_list_age_seconds {
        let help = "Time since the SSH revocation list was last replaced.";
        text.single("revocation_list_age_seconds", "gauge", help, seconds);
    }
    text.single("start_time_seconds", "gauge", "When the server started, since 1970.", now.started_at);
    text.family("build_info", "gauge", "Version and policy engine.");
    text.sample("build_info", &[("version", env!("CARGO_PKG_VERSION")), ("engine", now.engine)], 1);
}

/// Anybody can invent a method.
fn known_method(method: &str) -> &'static str {
    ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}

#[cfg(test)]
mod tests;
