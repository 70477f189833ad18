//! How often each did something in their present window of time.

use std::collections::BTreeMap;

use chancery_domain::time::Timestamp;

/// Counts by key, each in a window that begins with its first count.
#[derive(Debug)]
pub struct Windows<K: Ord> {
    seconds: u64,
    counts: BTreeMap<K, (Timestamp, u32)>,
    /// When windows that are over were last dropped.
    swept: Option<Timestamp>,
}

impl<K: Ord> Windows<K> {
    /// No counts, in windows of so many seconds.
    pub fn of_seconds(seconds: u64) -> Self {
        Self { seconds, counts: BTreeMap::new(), swept: None }
    }

    /// Refuses a key that was counted `most` times; says in how many seconds its window is over.
    pub fn check(&self, key: &K, most: u32, now: Timestamp) -> Result<(), u64> {
        let Some((since, count)) = self.counts.get(key) else { return Ok(()) };
        let passed = now.seconds_since(*since);
        if *count < most || passed >= self.seconds {
            return Ok(());
        }
        Err(self.seconds.saturating_sub(passed).max(1))
    }

    /// Counts one.
    pub fn count(&mut self, key: K, now: Timestamp) {
        self.sweep(now);
        let (since, count) = self.counts.entry(key).or_insert((now, 0));
        if now.seconds_since(*since) >= self.seconds {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
    }

    /// Both in one.
    pub fn take(&mut self, key: K, most: u32, now: Timestamp) -> Result<(), u64> {
        self.check(&key, most, now)?;
        self.count(key, now);
        Ok(())
    }

    /// How many keys are counted.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Once in a window: what is over is forgotten. So at most the keys of two windows are there.
    fn sweep(&mut self, now: Timestamp) {
        let swept = *self.swept.get_or_insert(now);
        if now.seconds_since(swept) >= self.seconds {
            self.swept = Some(now);
            self.counts.retain(|_, (since, _)| now.seconds_since(*since) < self.seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use chancery_domain::time::Timestamp;

    use super::Windows;

    #[test]
    fn a_window_ends_and_leaves_nothing() {
        let start = Timestamp::from_unix(1_000).unwrap();
        let mut windows = Windows::of_seconds(60);
        assert_eq!(windows.take("a", 2, start), Ok(()));
        assert_eq!(windows.take("a", 2, start.plus(10)), Ok(()));
        assert_eq!(windows.take("a", 2, start.plus(45)), Err(15));
        assert_eq!(windows.take("b", 2, start.plus(45)), Ok(()));
        assert_eq!(windows.take("a", 2, start.plus(60)), Ok(()));
        for key in ["c", "d", "e"] {
            windows.take(key, 1, start.plus(70)).unwrap();
        }
        windows.take("f", 1, start.plus(130)).unwrap();
        assert_eq!(windows.counts.keys().copied().collect::<Vec<_>>(), ["f"]);
    }
}
