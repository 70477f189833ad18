//! What time it is. Whole seconds, UTC.

use std::sync::{Arc, Mutex, PoisonError};

use chancery_domain::time::{Timestamp, TimestampError};

/// The system's clock, or one that a test moves.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The operating system's, and the moment at which it was first read.
    System(Timestamp),
    /// A moment that stands still until somebody moves it.
    Fixed(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The operating system's clock.
    ///
    /// # Errors
    /// When it shows a year that does not have four digits.
    pub fn system() -> Result<Self, TimestampError> {
        Timestamp::from_unix(jiff::Timestamp::now().as_second()).map(Self::System)
    }

    /// A clock that stands at this moment.
    pub fn fixed(at: Timestamp) -> Self {
        Self::Fixed(Arc::new(Mutex::new(at)))
    }

    /// Sets a fixed clock, back or ahead. The system's clock stays as it is.
    pub fn set(&self, to: Timestamp) {
        match self {
            Self::System(_) => {}
            Self::Fixed(at) => *at.lock().unwrap_or_else(PoisonError::into_inner) = to,
        }
    }

    /// Moves a fixed clock on. The system's clock does not move.
    pub fn advance(&self, seconds: u64) {
        match self {
            Self::System(_) => {}
            Self::Fixed(at) => {
                let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
                *at = at.plus(seconds);
            }
        }
    }

    /// Now. A system's clock that leaves the years of four digits shows the moment at which it was first read.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System(first) => Timestamp::from_unix(jiff::Timestamp::now().as_second()).unwrap_or(*first),
            Self::Fixed(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}
