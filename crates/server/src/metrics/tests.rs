use std::time::Duration;

use chancery_store::Backlog;

use super::{Gauges, Metrics};

fn gauges() -> Gauges {
    Gauges {
        log_size: 7,
        checkpoint_age_seconds: 3,
        backlog: Backlog { due: 2, alarmed: 1, oldest_due: None },
        oldest_due_age_seconds: 0,
        open_requests: vec![("pending", 4), ("active", 5)],
        event_streams: 0,
        trust_seconds: Some(-1),
        revocation_list_age_seconds: None,
        started_at: 0,
        engine: "an \"engine\"\\",
    }
}

#[test]
fn buckets_are_cumulative_and_end_with_the_count() {
    let metrics = Metrics::default();
    for micros in [50, 100, 101, 2_000, 9_000_000] {
        metrics.appended(Duration::from_micros(micros));
    }
    let text = metrics.render(&gauges());
    for line in [
        "chancery_append_duration_seconds_bucket{le=\"0.0001\"} 2",
        "chancery_append_duration_seconds_bucket{le=\"0.00025\"} 3",
        "chancery_append_duration_seconds_bucket{le=\"0.0025\"} 4",
        "chancery_append_duration_seconds_bucket{le=\"5\"} 4",
        "chancery_append_duration_seconds_bucket{le=\"+Inf\"} 5",
        "chancery_append_duration_seconds_sum 9.002251",
        "chancery_append_duration_seconds_count 5",
        "chancery_grants_active 5",
        "chancery_requests_open{state=\"pending\"} 4",
        "chancery_trust_expires_in_seconds -1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
    assert!(text.contains(r#"engine="an \"engine\"\\"} 1"#), "{text}");
    assert!(!text.contains("revocation_list_age"));
}

#[test]
fn nobody_makes_series_without_end() {
    let metrics = Metrics::default();
    for invented in ["FETCH", "X", "GET\"} 1"] {
        metrics.answered(invented, "unmatched", 405, Duration::ZERO);
    }
    let text = metrics.render(&gauges());
    let made: Vec<&str> =
        text.lines().filter(|line| line.starts_with("chancery_http_requests_total{")).collect();
    assert_eq!(made, ["chancery_http_requests_total{method=\"other\",route=\"unmatched\",status=\"405\"} 3"]);
}
