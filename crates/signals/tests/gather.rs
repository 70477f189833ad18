//! Late, failed and panicked sources are unknown; none holds up the others, and one asks for all.

#![expect(clippy::unwrap_used, reason = "test code fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chancery_policy::input::SignalStatus;
use chancery_signals::provider::Asked;
use chancery_signals::{Answer, Gatherer, Provider, ProviderError, Question};
use serde_json::json;

/// A source that behaves as it is told.
struct Scripted {
    name: &'static str,
    wait: Duration,
    fail: bool,
    keep: Duration,
    asked: Arc<AtomicUsize>,
}

impl Scripted {
    fn answering(name: &'static str, wait_milliseconds: u64) -> Self {
        let wait = Duration::from_millis(wait_milliseconds);
        Self { name, wait, fail: false, keep: Duration::ZERO, asked: Arc::default() }
    }
}

impl Provider for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn time_to_live(&self) -> Duration {
        self.keep
    }

    fn cache_key(&self, question: &Question) -> String {
        question.person.to_string()
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Asked<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(self.wait).await;
            assert!(self.name != "panics", "a source panicked, as it should here");
            if self.fail {
                return Err(ProviderError::Failed("down".to_owned()));
            }
            Ok(Answer { value: json!(true), observed_at: question.now })
        })
    }
}

fn question() -> Question {
    Question {
        person: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
        address: None,
        first_seen: None,
        now: "2026-11-22T12:00:00Z".parse().unwrap(),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_late_or_failed_is_unknown_and_holds_up_nobody() {
    let providers: Vec<Arc<dyn Provider>> = vec![
        Arc::new(Scripted::answering("late", 5_000)),
        Arc::new(Scripted { fail: true, ..Scripted::answering("failing", 0) }),
        Arc::new(Scripted::answering("panics", 0)),
        Arc::new(Scripted::answering("quick", 50)),
    ];
    let before = tokio::time::Instant::now();
    let signals = Gatherer::new(providers, Duration::from_millis(100)).gather(&question()).await;
    assert_eq!(before.elapsed(), Duration::from_millis(100));
    for (name, status) in [
        ("late", SignalStatus::Unknown),
        ("failing", SignalStatus::Unknown),
        ("panics", SignalStatus::Unknown),
        ("quick", SignalStatus::Known),
    ] {
        assert_eq!(signals[name].status, status, "{name}");
        assert_eq!(signals[name].value.is_some(), status == SignalStatus::Known, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_who_ask_at_once_one_goes_out() {
    let source = Scripted { keep: Duration::from_secs(60), ..Scripted::answering("slow", 80) };
    let asked = Arc::clone(&source.asked);
    let gatherer = Arc::new(Gatherer::new(vec![Arc::new(source)], Duration::from_millis(100)));
    let many: Vec<_> = (0..20)
        .map(|_| {
            let gatherer = Arc::clone(&gatherer);
            tokio::spawn(async move { gatherer.gather(&question()).await })
        })
        .collect();
    for one in many {
        assert_eq!(one.await.unwrap()["slow"].status, SignalStatus::Known);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    tokio::time::advance(Duration::from_secs(61)).await;
    gatherer.gather(&question()).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_there_for_the_next() {
    let source = Scripted { keep: Duration::from_secs(60), ..Scripted::answering("late", 500) };
    let gatherer = Gatherer::new(vec![Arc::new(source)], Duration::from_millis(100));
    assert_eq!(gatherer.gather(&question()).await["late"].status, SignalStatus::Unknown);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(gatherer.gather(&question()).await["late"].status, SignalStatus::Known);
}
