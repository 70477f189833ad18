//! With which statuses a route may refuse: what follows from where it stands in the table and what it takes. The
//! few that follow from what it does stand in its line of the table (`Documented::also`).

use std::collections::BTreeSet;

use utoipa::openapi::path::HttpMethod;

/// The shape of the request (`http/shape.rs`), a fault, or more work than the server takes.
const ANY: &[u16] = &[414, 415, 431, 500, 503];
/// Nobody is signed in, or not for this; a share of the work is used up.
const SIGNED_IN: &[u16] = &[401, 403, 429];
/// An address that is none, or names nothing that one may see.
const NAMED: &[u16] = &[400, 404];
/// A body that does not come, is too large, or says nothing that can be taken.
const BODY: &[u16] = &[400, 408, 413, 415, 422];
/// Queries that cannot be used.
const QUERY: &[u16] = &[422];
/// Somebody else was first, or it is not the moment, or it is asked too often, by whomever.
const WRITES: &[u16] = &[409, 429];

/// What a route is like.
#[derive(Clone, Copy, Debug)]
pub struct Traits {
    /// Whether it is for everybody.
    pub open: bool,
    /// Whether it takes a body.
    pub body: bool,
    /// Whether it takes queries.
    pub queries: bool,
}

/// The statuses of its refusals, without those of its own.
pub fn refusals(method: &HttpMethod, path: &str, traits: Traits) -> BTreeSet<u16> {
    let groups = [
        (true, ANY),
        (!traits.open, SIGNED_IN),
        (path.contains('{'), NAMED),
        (traits.body, BODY),
        (traits.queries, QUERY),
        (*method != HttpMethod::Get, WRITES),
    ];
    groups.into_iter().filter(|(applies, _)| *applies).flat_map(|(_, statuses)| statuses).copied().collect()
}
