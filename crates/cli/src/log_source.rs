//! A log's files (c2sp.org/tlog-tiles), from a server or from a folder.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use chancery_ledger::TilePath;
use chancery_ledger::tile::{TileKind, decode_bundle, tile_at};

use crate::client::Client;
use crate::failure::Failure;

/// Entries in one bundle.
const BUNDLE_WIDTH: u64 = 256;

/// Where the files are.
#[derive(Debug)]
pub enum LogSource {
    /// `/log/…` of a server.
    Server(Box<Client>),
    /// A folder with `checkpoint` and `tile/…`.
    Folder(PathBuf),
}

/// Leaves of a log of one size; each bundle is read once.
pub struct Leaves<'a> {
    source: &'a LogSource,
    size: u64,
    bundles: RefCell<BTreeMap<u64, Vec<Vec<u8>>>>,
}

impl LogSource {
    /// `https://HOST`, `https://HOST/log`, or a folder.
    ///
    /// # Errors
    /// [`Failure::Usage`] for an address that is none, or a folder without a checkpoint.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        if text.contains("://") {
            let server = text.trim_end_matches('/').trim_end_matches("/log");
            return Client::new(server, None).map(|client| Self::Server(Box::new(client)));
        }
        let folder = PathBuf::from(text);
        if folder.join("checkpoint").is_file() {
            return Ok(Self::Folder(folder));
        }
        Err(Failure::Usage(format!(
            "`{text}` is no log: name a server, or a folder with `checkpoint` and `tile/`"
        )))
    }

    /// The newest checkpoint, unverified.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn checkpoint(&self) -> Result<Vec<u8>, Failure> {
        self.file("checkpoint")
    }

    /// A tile, or what it became when it grew. `None` when it cannot be read; whoever asks says which.
    pub fn tile(&self, path: &TilePath) -> Option<Vec<u8>> {
        self.file(&path.to_string())
            .or_else(|failure| match path.is_full() {
                true => Err(failure),
                false => self.file(&path.full().to_string()),
            })
            .ok()
    }

    /// One file, by its path in the layout.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn file(&self, path: &str) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Server(client) => client.bytes(&format!("/log/{path}")),
            Self::Folder(folder) => {
                let path = folder.join(path);
                std::fs::read(&path).map_err(|fault| Failure::file(&path, fault))
            }
        }
    }

    /// The leaves of a log of this size.
    pub fn leaves(&self, size: u64) -> Leaves<'_> {
        Leaves { source: self, size, bundles: RefCell::default() }
    }
}

impl Leaves<'_> {
    /// Bytes of a leaf; `None` when its bundle is missing or damaged.
    pub fn read(&self, index: u64) -> Option<Vec<u8>> {
        let number = index / BUNDLE_WIDTH;
        if !self.bundles.borrow().contains_key(&number) {
            let path = tile_at(TileKind::Entries, number, self.size)?;
            let bytes = self.source.tile(&path)?;
            let entries: Vec<Vec<u8>> = decode_bundle(&bytes).ok()?.into_iter().map(<[u8]>::to_vec).collect();
            self.bundles.borrow_mut().insert(number, entries);
        }
        let bundles = self.bundles.borrow();
        bundles.get(&number)?.get(usize::try_from(index % BUNDLE_WIDTH).ok()?).cloned()
    }
}
