//! Why bytes are not an evidence bundle.

use super::{MAX_FILES, MAX_RATIO, MAX_TOTAL_BYTES};

/// Why a container is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleRefusal {
    /// There is no end record at the end.
    #[error("this is not a zip file, or bytes follow its end: export the evidence again")]
    NotAZip,
    /// Cut off, or an offset leads outside.
    #[error("the zip ends in the middle of {0}: copy the file again")]
    Truncated(&'static str),
    /// A feature of zip that evidence has no use for.
    #[error("the zip uses {0}, which evidence never does: pack it again without")]
    Unsupported(&'static str),
    /// Bytes that belong to no file.
    #[error("{0} bytes in the zip belong to no file: pack it again")]
    LooseBytes(usize),
    /// The same name twice, or twice but for upper and lower case.
    #[error("`{0}` occurs twice in the zip")]
    Duplicate(String),
    /// A name that is not a plain relative path.
    #[error("`{0}` is not a plain relative path")]
    Path(String),
    /// Local header and central directory say different things.
    #[error("`{path}` has another {what} in the zip's directory than in front of its data")]
    Disagrees {
        /// The file, as the directory names it.
        path: String,
        /// Which field.
        what: &'static str,
    },
    /// The data is not what the headers promise.
    #[error("the data of `{path}` {what}")]
    Data {
        /// The file.
        path: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A directory, a link or a device.
    #[error("`{0}` is not a plain file")]
    NotAFile(String),
    /// Over the limit of bytes.
    #[error("the files have more than {MAX_TOTAL_BYTES} bytes together")]
    TooLarge,
    /// Over the limit of files.
    #[error("there are more than {MAX_FILES} files")]
    TooManyFiles,
    /// Packed suspiciously well.
    #[error("`{0}` unpacks to more than {MAX_RATIO} times its size")]
    Bomb(String),
}

impl BundleRefusal {
    pub(super) fn path(path: &str) -> Self {
        Self::Path(path.chars().take(80).flat_map(char::escape_default).collect())
    }
}
