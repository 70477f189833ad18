//! Making the read model from the events again.

use std::collections::BTreeSet;

use chancery_domain::id::RequestId;
use chancery_domain::leaf::Stream;
use rusqlite::Connection;

use super::{events, requests};
use crate::append::RequestRow;
use crate::error::Fault;
use crate::record::{Rebuild, RowDifference};
use crate::store::Projection;

/// Compares every row with what its events make, and rewrites those that differ if asked to.
///
/// The caller holds a transaction, so that rows and events are of one moment.
pub(super) fn rebuild(
    connection: &Connection,
    mode: Rebuild,
    projection: &Projection,
) -> Result<Vec<RowDifference>, Fault> {
    let mut ids: BTreeSet<RequestId> = requests::ids(connection)?.into_iter().collect();
    for head in events::streams_with_prefix(connection, "request/")? {
        match head.stream {
            Stream::Request(id) => ids.insert(id),
            Stream::Identity(_) | Stream::Alert(_) | Stream::Policy | Stream::Trust => false,
        };
    }
    let mut differences = Vec::new();
    for id in ids {
        let stored = requests::row(connection, &id)?;
        let rebuilt = project(connection, &id, projection)?;
        if stored == rebuilt {
            continue;
        }
        if mode == Rebuild::Rewrite {
            match &rebuilt {
                Some(row) => requests::replace(connection, row)?,
                None => requests::remove(connection, &id)?,
            }
        }
        differences.push(RowDifference { id, stored, rebuilt });
    }
    Ok(differences)
}

fn project(
    connection: &Connection,
    id: &RequestId,
    projection: &Projection,
) -> Result<Option<RequestRow>, Fault> {
    let events = events::stream(connection, &Stream::Request(id.clone()).to_string(), 0)?;
    if events.is_empty() {
        return Ok(None);
    }
    let row =
        projection(id, &events).map_err(|reason| Fault::Damaged(format!("request `{id}`: {reason}")))?;
    Ok(Some(row))
}
