//! The text exposition format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write as _};

use super::histogram::{BUCKETS, Histogram};

/// The text so far. Names get the program's prefix here.
#[derive(Default)]
pub struct Exposition(String);

impl Exposition {
    /// What a family of series is called, and what it means.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string does not fail; here and below.
        let _ = write!(self.0, "# HELP chancery_{name} {help}\n# TYPE chancery_{name} {kind}\n");
    }

    /// One series' value.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let _ = writeln!(self.0, "chancery_{name}{} {value}", braced(labels));
    }

    /// A family of one series.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// Cumulative buckets, sum and count.
    pub fn histogram(&mut self, name: &str, labels: &[(&str, &str)], histogram: &Histogram) {
        let read = histogram.read();
        let mut below = 0;
        for (bound, count) in BUCKETS.iter().map(|(_, bound)| *bound).zip(&read.buckets) {
            below += count;
            let with_bound: Vec<(&str, &str)> = labels.iter().copied().chain([("le", bound)]).collect();
            self.sample(&format!("{name}_bucket"), &with_bound, below);
        }
        let with_bound: Vec<(&str, &str)> = labels.iter().copied().chain([("le", "+Inf")]).collect();
        self.sample(&format!("{name}_bucket"), &with_bound, read.count);
        let (seconds, micros) = (read.sum_micros / 1_000_000, read.sum_micros % 1_000_000);
        self.sample(&format!("{name}_sum"), labels, format_args!("{seconds}.{micros:06}"));
        self.sample(&format!("{name}_count"), labels, read.count);
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.0
    }
}

fn braced(labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
    format!("{{{}}}", pairs.join(","))
}
