//! How bytes become values and values become bytes: connections, bodies, who is asking, what every answer carries.

pub mod serve;

pub mod connections;
pub mod csv;

pub mod admission;
pub mod authentication;
pub mod body;
pub mod boundary;
pub mod convert;
pub mod headers;
pub mod idempotency;
pub mod listing;
pub mod path;
pub mod patience;
pub mod proof;
pub mod replays;
pub mod shape;
pub mod shares;
pub mod statuses;
pub mod table;
pub mod windows;
