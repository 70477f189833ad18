//! From leaves to streams of events.

use chancery_canonical::Sha256;
use chancery_domain::event::{IdentityEvent, PolicyEvent, RequestEvent, TrustEvent, from_parts};
use chancery_domain::id::PersonId;
use chancery_domain::leaf::Stream;
use chancery_domain::time::Timestamp;
use serde::Deserialize;

use super::check::Finding;
use super::log::{Content, Contents, Leaves};
use crate::bundle::Manifest;
use crate::identity::subject_of;

/// An event, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Recorded<E> {
    /// Index of its leaf.
    pub index: u64,
    /// Time in its leaf.
    pub at: Timestamp,
    /// Index of the attestation leaf directly after it, when there is one.
    pub attestation: Option<u64>,
    /// What happened.
    pub event: E,
}

impl<E> Recorded<E> {
    /// The same place, with a part of the event.
    pub fn part<P>(&self, part: P) -> Recorded<P> {
        Recorded { index: self.index, at: self.at, attestation: self.attestation, event: part }
    }
}

/// Every stream of the bundle, each in the order of the log.
pub(crate) struct Streams {
    pub request: Vec<Recorded<RequestEvent>>,
    /// All persons together, in the order of the log.
    pub identity: Vec<Recorded<(PersonId, IdentityEvent)>>,
    pub policy: Vec<Recorded<PolicyEvent>>,
    pub trust: Vec<Recorded<TrustEvent>>,
}

/// Versions from 1 without gaps, each naming the hash of the one before; attestations directly after their event.
pub(super) fn stream_continuity(
    manifest: &Manifest,
    leaves: &Leaves,
    contents: &Contents,
) -> Finding<Streams> {
    let mut reader = Reader { leaves, contents, problems: Vec::new() };
    let request = reader.stream(&Stream::Request(manifest.request.clone()), &manifest.leaves);
    let mut identity = Vec::new();
    for (person, indices) in &manifest.identity {
        let stream: Vec<Recorded<IdentityEvent>> = reader.stream(&Stream::Identity(person.clone()), indices);
        identity.extend(stream.into_iter().map(|recorded| {
            let event = (person.clone(), recorded.event.clone());
            recorded.part(event)
        }));
    }
    for recorded in &identity {
        if subject_of(&recorded.event.1) != &recorded.event.0 {
            reader
                .problems
                .push(format!("leaf {}: it is about another person than its stream", recorded.index));
        }
    }
    identity.sort_by_key(|recorded| recorded.index);
    let policy = reader.stream(&Stream::Policy, &manifest.policy);
    let trust = reader.stream(&Stream::Trust, &manifest.trust);
    Finding::with(Streams { request, identity, policy, trust }, reader.problems)
}

struct Reader<'a> {
    leaves: &'a Leaves,
    contents: &'a Contents,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn stream<E: for<'de> Deserialize<'de>>(&mut self, stream: &Stream, indices: &[u64]) -> Vec<Recorded<E>> {
        let mut events: Vec<Recorded<E>> = Vec::new();
        let mut version = 0_u64;
        let mut previous: Option<Sha256> = None;
        let mut last_event: Option<u64> = None;
        for index in indices {
            let said = |problem: &str| format!("leaf {index}: {problem}");
            let leaf = match self.contents.get(index) {
                Some(Content::Event(leaf)) => leaf,
                Some(Content::Attestation(_)) => {
                    // An attestation belongs to the event directly before it.
                    let follows = last_event.and_then(|event| event.checked_add(1)) == Some(*index);
                    match events.last_mut() {
                        Some(event) if follows => event.attestation = Some(*index),
                        Some(_) | None => {
                            self.problems.push(said("an attestation that follows no event of the stream"))
                        }
                    }
                    continue;
                }
                None => {
                    self.problems.push(said("it was not proved or cannot be read"));
                    continue;
                }
            };
            if leaf.stream != *stream {
                self.problems.push(said(&format!("it belongs to `{}`, not to `{stream}`", leaf.stream)));
                continue;
            }
            version += 1;
            if leaf.version != version {
                self.problems
                    .push(said(&format!("version {} of `{stream}` where {version} is next", leaf.version)));
                version = leaf.version;
            }
            if leaf.previous != previous {
                self.problems.push(said("`previous` is not the event before it in its stream"));
            }
            previous = self.leaves.get(index).map(|leaf| leaf.hash);
            last_event = Some(*index);
            match from_parts(&leaf.kind, &leaf.body) {
                Ok(event) => events.push(Recorded { index: *index, at: leaf.time, attestation: None, event }),
                Err(error) => self.problems.push(said(&format!("`{}` cannot be read: {error}", leaf.kind))),
            }
        }
        events
    }
}
