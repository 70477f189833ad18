//! Asking every source at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chancery_policy::input::Signal;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::{Instant, timeout};

use crate::provider::{Answer, Provider, ProviderError, Question};

/// The most answers kept; when there are more, those that are over go first, then all.
const MAX_CACHED: usize = 10_000;

/// How long a source that is late for the deadline may go on, to fill the cache.
const ABANDON_AFTER: Duration = Duration::from_secs(30);

/// One place of the cache. Whoever holds its lock asks; the others wait for that answer.
type Slot = Arc<AsyncMutex<Option<Kept>>>;

struct Kept {
    answer: Answer,
    good_until: Instant,
}

/// Asks a fixed list of sources.
pub struct Gatherer {
    providers: Vec<Arc<dyn Provider>>,
    deadline: Duration,
    cache: Arc<Mutex<HashMap<(String, String), Slot>>>,
}

impl Gatherer {
    /// A gatherer of these sources, which gives them so long.
    pub fn new(providers: Vec<Arc<dyn Provider>>, deadline: Duration) -> Self {
        Self { providers, deadline, cache: Arc::default() }
    }

    /// A signal from every source, by name; `unknown` where none came in time. Takes no longer than the deadline.
    pub async fn gather(&self, question: &Question) -> BTreeMap<String, Signal> {
        let ends = Instant::now() + self.deadline;
        let asked: Vec<_> = self.providers.iter().map(|provider| self.start(provider, question)).collect();
        let mut signals = BTreeMap::new();
        for (provider, task) in self.providers.iter().zip(asked) {
            let name = provider.name();
            let left = ends.saturating_duration_since(Instant::now());
            let signal = match timeout(left, task).await {
                Ok(Ok(Ok(answer))) => Signal::known(answer.value, answer.observed_at, question.now, name),
                Ok(Ok(Err(error))) => unknown(name, &error.to_string()),
                Ok(Err(_)) => unknown(name, "it panicked or was given up"),
                Err(_) => unknown(name, "it was late"),
            };
            signals.insert(name.to_owned(), signal);
        }
        signals
    }

    /// Starts a task of its own, so that a late answer is not lost.
    fn start(
        &self,
        provider: &Arc<dyn Provider>,
        question: &Question,
    ) -> tokio::task::JoinHandle<Result<Answer, ProviderError>> {
        let (provider, question) = (Arc::clone(provider), question.clone());
        let slot = self.slot(provider.as_ref(), &question);
        tokio::spawn(async move {
            let late = |_| ProviderError::Failed("it took too long and was given up".to_owned());
            timeout(ABANDON_AFTER, ask(provider.as_ref(), &question, slot)).await.map_err(late)?
        })
    }

    fn slot(&self, provider: &dyn Provider, question: &Question) -> Option<Slot> {
        if provider.time_to_live().is_zero() {
            return None;
        }
        // A poisoned lock only means that another task died between two whole operations on the map.
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= MAX_CACHED {
            let now = Instant::now();
            cache.retain(|_, slot| {
                slot.try_lock().is_ok_and(|kept| kept.as_ref().is_some_and(|kept| now < kept.good_until))
            });
            if cache.len() >= MAX_CACHED {
                cache.clear();
            }
        }
        let key = (provider.name().to_owned(), provider.cache_key(question));
        Some(Arc::clone(cache.entry(key).or_default()))
    }
}

async fn ask(
    provider: &dyn Provider,
    question: &Question,
    slot: Option<Slot>,
) -> Result<Answer, ProviderError> {
    let Some(slot) = slot else { return provider.ask(question).await };
    let mut kept = slot.lock().await;
    if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.good_until) {
        return Ok(kept.answer.clone());
    }
    let answer = provider.ask(question).await?;
    *kept = Some(Kept { answer: answer.clone(), good_until: Instant::now() + provider.time_to_live() });
    Ok(answer)
}

fn unknown(name: &str, reason: &str) -> Signal {
    tracing::info!(signal = name, reason, "a signal is unknown");
    Signal::unknown(name)
}
