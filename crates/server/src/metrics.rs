//! A few counters, for `/metrics` in the text format of Prometheus.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: AtomicU64,
    problems: AtomicU64,
    appends: AtomicU64,
    effects_run: AtomicU64,
    effects_failed: AtomicU64,
}

impl Metrics {
    /// A request was answered.
    pub fn answered(&self, status: u16) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if status >= 400 {
            self.problems.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Events were recorded.
    pub fn appended(&self) {
        self.appends.fetch_add(1, Ordering::Relaxed);
    }

    /// An effect was run.
    pub fn effect_ran(&self, succeeded: bool) {
        let counter = if succeeded { &self.effects_run } else { &self.effects_failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The text, with two figures that are read at this moment.
    pub fn render(&self, log_size: u64, effects_alarmed: usize) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut text = String::new();
        for (name, kind, help, value) in [
            ("http_requests_total", "counter", "Requests answered", read(&self.requests)),
            ("http_problems_total", "counter", "Requests answered with 4xx or 5xx", read(&self.problems)),
            ("appends_total", "counter", "Appends to the journal", read(&self.appends)),
            ("effects_finished_total", "counter", "Effects finished", read(&self.effects_run)),
            (
                "effects_failed_total",
                "counter",
                "Effects that failed and wait again",
                read(&self.effects_failed),
            ),
            ("effects_alarmed", "gauge", "Effects that failed six times or more", effects_alarmed as u64),
            ("log_size", "gauge", "Leaves in the log", log_size),
        ] {
            // Writing to a string does not fail.
            let _ = write!(text, "# HELP chancery_{name} {help}.\n# TYPE chancery_{name} {kind}\n");
            let _ = writeln!(text, "chancery_{name} {value}");
        }
        text
    }
}
