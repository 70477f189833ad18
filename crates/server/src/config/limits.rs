//! `[limits]`: what bounds everything. What happens beyond each of them stands in docs/spec/limits.md; a test
//! compares that table with this file.

use serde::{Deserialize, Serialize};

use super::{ConfigError, refused};

/// `[limits]`. One that is not written has its default, so that a new one does not stop an old installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address (IPv4) or /64 network (IPv6); trusted proxies are not counted.
    pub connections_per_address: usize,
    /// How long a client may take to send its headers, and to begin the next request, in seconds.
    pub header_seconds: u64,
    /// How long a client may take to send its body, in seconds.
    pub body_seconds: u64,
    /// How long a client may read nothing of what is sent to it, in seconds.
    pub write_seconds: u64,
    /// Longest target of a request, in bytes.
    pub uri_bytes: usize,
    /// All headers of a request together, in bytes.
    pub header_bytes: usize,
    /// Largest JSON body, in bytes.
    pub body_bytes: usize,
    /// Requests that are worked on at once.
    pub requests_at_once: usize,
    /// Of those, by one person.
    pub requests_at_once_per_person: usize,
    /// Requests of one person in a minute.
    pub requests_per_person_per_minute: u32,
    /// Requests in a minute that one address (IPv4) or /64 network (IPv6) may send without being signed in, where
    /// they leave something behind.
    pub open_requests_per_minute: u32,
    /// The same of all addresses together.
    pub open_requests_in_all_per_minute: u32,
    /// Event streams at once.
    pub event_streams: usize,
    /// Of those, by one person.
    pub event_streams_per_person: usize,
    /// Undecided requests.
    pub pending_requests: usize,
    /// Undecided requests of one person.
    pub pending_requests_per_person: usize,
    /// Requests and revisions that one person submits in an hour.
    pub submissions_per_person_per_hour: u32,
    /// Largest artifact, in bytes.
    pub artifact_bytes: usize,
    /// Artifacts that one person puts in a week.
    pub artifacts_per_person: usize,
    /// Bytes of all artifacts that one person puts in a week.
    pub artifact_bytes_per_person: u64,
    /// Artifacts that are received at once.
    pub uploads_at_once: usize,
    /// Sessions of one person at once; one more ends the oldest.
    pub sessions_per_person: usize,
    /// Passkeys of one person that wait for a signature.
    pub waiting_passkeys_per_person: usize,
    /// How long an invitation is good, in seconds.
    pub invitation_seconds: u64,
    /// How long a session lasts, in seconds; at most twelve hours.
    pub session_seconds: u64,
    /// How long a server that stops waits for what is under way, in seconds.
    pub drain_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 256,
            header_seconds: 10,
            body_seconds: 30,
            write_seconds: 30,
            uri_bytes: 8 * 1024,
            header_bytes: 16 * 1024,
            body_bytes: 256 * 1024,
            requests_at_once: 256,
            requests_at_once_per_person: 32,
            requests_per_person_per_minute: 3_000,
            open_requests_per_minute: 120,
            open_requests_in_all_per_minute: 6_000,
            event_streams: 256,
            event_streams_per_person: 16,
            pending_requests: 100_000,
            pending_requests_per_person: 20,
            submissions_per_person_per_hour: 600,
            artifact_bytes: 4 * 1024 * 1024,
            artifacts_per_person: 200,
            artifact_bytes_per_person: 256 * 1024 * 1024,
            uploads_at_once: 16,
            sessions_per_person: 100,
            waiting_passkeys_per_person: 10,
            invitation_seconds: 24 * 3600,
            session_seconds: 8 * 3600,
            drain_seconds: 10,
        }
    }
}

/// A limit with what it may be: name, value, smallest, largest.
type Bounded = (&'static str, u64, u64, u64);

impl Limits {
    /// Every limit, in the order of the struct.
    pub fn listed(&self) -> [Bounded; 27] {
        let week = 7 * 24 * 3600;
        [
            ("limits.connections", self.connections as u64, 8, 65_536),
            ("limits.connections_per_address", self.connections_per_address as u64, 1, 65_536),
            ("limits.header_seconds", self.header_seconds, 1, 120),
            ("limits.body_seconds", self.body_seconds, 1, 600),
            ("limits.write_seconds", self.write_seconds, 1, 600),
            ("limits.uri_bytes", self.uri_bytes as u64, 1024, 32 * 1024),
            ("limits.header_bytes", self.header_bytes as u64, 4 * 1024, 48 * 1024),
            ("limits.body_bytes", self.body_bytes as u64, 16 * 1024, 8 * 1024 * 1024),
            // INVARIANT: fewer than the store's queue holds, so that whatever happens by itself (revocations first)
            // always finds room in it: a request waits for one write at a time.
            ("limits.requests_at_once", self.requests_at_once as u64, 4, 960),
            ("limits.requests_at_once_per_person", self.requests_at_once_per_person as u64, 1, 960),
            (
                "limits.requests_per_person_per_minute",
                u64::from(self.requests_per_person_per_minute),
                10,
                10_000_000,
            ),
            ("limits.open_requests_per_minute", u64::from(self.open_requests_per_minute), 4, 100_000),
            (
                "limits.open_requests_in_all_per_minute",
                u64::from(self.open_requests_in_all_per_minute),
                4,
                1_000_000,
            ),
            ("limits.event_streams", self.event_streams as u64, 1, 65_536),
            ("limits.event_streams_per_person", self.event_streams_per_person as u64, 1, 65_536),
            ("limits.pending_requests", self.pending_requests as u64, 1, 100_000_000),
            ("limits.pending_requests_per_person", self.pending_requests_per_person as u64, 1, 200),
            (
                "limits.submissions_per_person_per_hour",
                u64::from(self.submissions_per_person_per_hour),
                1,
                100_000_000,
            ),
            ("limits.artifact_bytes", self.artifact_bytes as u64, 1024, 64 * 1024 * 1024),
            ("limits.artifacts_per_person", self.artifacts_per_person as u64, 1, 10_000),
            ("limits.artifact_bytes_per_person", self.artifact_bytes_per_person, 1024, 1 << 40),
            ("limits.uploads_at_once", self.uploads_at_once as u64, 1, 960),
            ("limits.sessions_per_person", self.sessions_per_person as u64, 1, 10_000),
            ("limits.waiting_passkeys_per_person", self.waiting_passkeys_per_person as u64, 1, 100),
            ("limits.invitation_seconds", self.invitation_seconds, 60, week),
            ("limits.session_seconds", self.session_seconds, 60, 12 * 3600),
            ("limits.drain_seconds", self.drain_seconds, 1, 300),
        ]
    }

    /// Holds every limit to what can be used, and to the others.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, value, smallest, largest) in self.listed() {
            if !(smallest..=largest).contains(&value) {
                return Err(refused(key, format!("{value} is not within {smallest} to {largest}")));
            }
        }
        if self.event_streams >= self.connections {
            let cause = "each stream takes a connection: write fewer than `limits.connections`, for the rest";
            return Err(refused("limits.event_streams", cause.to_owned()));
        }
        if self.artifact_bytes as u64 > self.artifact_bytes_per_person {
            let cause = "smaller than `limits.artifact_bytes`: nobody could put the largest artifact";
            return Err(refused("limits.artifact_bytes_per_person", cause.to_owned()));
        }
        Ok(())
    }
}
