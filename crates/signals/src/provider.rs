//! What a source of facts is.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use chancery_domain::id::PersonId;
use chancery_domain::time::Timestamp;
use serde_json::Value;

/// About whom, and where from, a source is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Who asks for something.
    pub person: PersonId,
    /// Where the person's connection comes from, as far as the trusted proxies say.
    pub address: Option<IpAddr>,
    /// When this person first came from that address; absent when never before.
    pub first_seen: Option<Timestamp>,
    /// Now.
    pub now: Timestamp,
}

/// What a source says.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The fact, in a shape of the source's own; no floats.
    pub value: Value,
    /// When the source saw it.
    pub observed_at: Timestamp,
}

/// Why a source gave no answer. The detail is for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It has nothing to say about this person or address.
    #[error("there is nothing to say: {0}")]
    NoAnswer(String),
    /// It failed.
    #[error("the source failed: {0}")]
    Failed(String),
}

/// The future of an answer; boxed, so that sources of different kinds stand in one list.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Answer, ProviderError>> + Send + 'a>>;

/// A source of facts.
pub trait Provider: Send + Sync + 'static {
    /// The name of its signal, such as `origin`.
    fn name(&self) -> &str;

    /// How long an answer may be used again. Zero: it is asked each time.
    fn time_to_live(&self) -> Duration;

    /// What makes two questions the same for this source; whatever else they hold does not change its answer.
    fn cache_key(&self, question: &Question) -> String;

    /// Asks it. Dropping the future gives up.
    fn ask<'a>(&'a self, question: &'a Question) -> Asked<'a>;
}
