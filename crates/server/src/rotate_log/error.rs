//! Why a rotation of the log does not go on.

use std::io;
use std::path::PathBuf;

use chancery_evidence::trust::{TrustDirectoryError, TrustError};
use chancery_ledger::Origin;
use chancery_store::{AppendError, Fault, OpenError};

use crate::config::ConfigError;
use crate::keys::KeyFault;
use crate::successor::ProposeError;
use crate::trust::TrustFault;

/// Why it does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The configuration is not in order.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The journal does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] Fault),
    /// The new life cannot be begun.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The trust folder is not in order.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// The proposal is none.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// The root is not in order.
    #[error(transparent)]
    Root(#[from] TrustError),
    /// Its files cannot be rendered.
    #[error(transparent)]
    Directory(#[from] TrustDirectoryError),
    /// Nothing was sealed.
    #[error("nothing is sealed yet, so nobody could say that the log goes on under another name")]
    NotSealed,
    /// Which name?
    #[error("name the next life of the log (`--origin NAME`): a bare host name that no earlier life had")]
    NoOrigin,
    /// A name is used once.
    #[error("`{0}` is the name of a life of this log already: choose another")]
    UsedOrigin(Origin),
    /// What was named is no checkpoint of this log.
    #[error("`{name}` is no checkpoint of this log: {cause}")]
    Checkpoint {
        /// As it was named.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Two histories.
    #[error(
        "`{0}` is not of the history in this database: two histories were signed under one key; keep both, and rotate \
         the database that belongs to the newest checkpoint"
    )]
    Forked(String),
    /// A file cannot be used.
    #[error("`{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Something else.
    #[error("{0}")]
    Other(String),
}
