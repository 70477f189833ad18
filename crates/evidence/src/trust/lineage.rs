//! All versions of a trust root, from the first to the newest, each signed by the administrators of the one before and
//! by its own.

use chancery_canonical::json::JsonError;
use chancery_canonical::{Canonical, Sha256};
use chancery_domain::signature::PersonSignature;
use serde::{Deserialize, Serialize};

use super::{SuccessorRefusal, TrustError, TrustRoot, Versions, accept_successor};

/// A version as a list of versions holds it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Its `trust.json`, byte for byte.
    trust: String,
    /// Who signed it; nobody in version 1.
    signatures: Vec<PersonSignature>,
}

/// Every version, oldest first.
///
/// INVARIANT: the first is version 1, and each other one was accepted as the successor of the one before.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    first: TrustRoot,
    later: Vec<(TrustRoot, Vec<PersonSignature>)>,
}

/// Why versions make no lineage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineageError {
    /// A version is not in order.
    #[error(transparent)]
    Root(#[from] TrustError),
    /// Not canonical, or of another shape.
    #[error("the list of earlier versions cannot be read: {0}")]
    Json(#[from] JsonError),
    /// The oldest is a later one, so that there is nothing to hold it against.
    #[error("the oldest version that is there is {0}: versions are followed from the first one on")]
    NotTheFirst(u64),
    /// A version does not follow the one before it.
    #[error("version {version} does not follow the one before it: {refusal}")]
    Successor {
        /// Which.
        version: u64,
        /// Why.
        refusal: SuccessorRefusal,
    },
}

impl LineageError {
    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Root(error) => error.code(),
            Self::Json(_) => "trust_history",
            Self::NotTheFirst(_) => "trust_history_incomplete",
            Self::Successor { refusal, .. } => refusal.code(),
        }
    }
}

impl Lineage {
    /// A first version, believed by whoever was handed it.
    ///
    /// # Errors
    /// [`LineageError::NotTheFirst`].
    pub fn begin(first: TrustRoot) -> Result<Self, LineageError> {
        match first.document().version {
            1 => Ok(Self { first, later: Vec::new() }),
            later => Err(LineageError::NotTheFirst(later)),
        }
    }

    /// Goes on to a successor.
    ///
    /// # Errors
    /// [`SuccessorRefusal`]; nothing changed then.
    pub fn succeed(
        &mut self,
        next: TrustRoot,
        signatures: Vec<PersonSignature>,
    ) -> Result<(), SuccessorRefusal> {
        accept_successor(self.newest(), &next, &signatures)?;
        self.later.push((next, signatures));
        Ok(())
    }

    /// Reads the versions before `newest` from a list of them, and follows them up to it.
    ///
    /// # Errors
    /// [`LineageError`], naming the first version that does not follow.
    pub fn read(
        earlier: Option<&[u8]>,
        newest: TrustRoot,
        signatures: Vec<PersonSignature>,
    ) -> Result<Self, LineageError> {
        let mut entries: Vec<Entry> = match earlier {
            None => Vec::new(),
            Some(bytes) => Canonical::parse(bytes)?.decode()?,
        };
        if entries.is_empty() {
            return Self::begin(newest);
        }
        let later = entries.split_off(1);
        let first = entries.iter().map(|entry| TrustRoot::parse(entry.trust.as_bytes())).next();
        let mut lineage = Self::begin(first.transpose()?.ok_or(LineageError::NotTheFirst(0))?)?;
        for Entry { trust, signatures } in later {
            lineage.follow(TrustRoot::parse(trust.as_bytes())?, signatures)?;
        }
        lineage.follow(newest, signatures)?;
        Ok(lineage)
    }

    fn follow(&mut self, next: TrustRoot, signatures: Vec<PersonSignature>) -> Result<(), LineageError> {
        let version = next.document().version;
        self.succeed(next, signatures).map_err(|refusal| LineageError::Successor { version, refusal })
    }

    /// The list of the versions before the newest; `None` where there is no other.
    ///
    /// # Errors
    /// None in practice; every value here has a canonical form.
    pub fn earlier(&self) -> Result<Option<Canonical>, JsonError> {
        let Some((_, between)) = self.later.split_last() else { return Ok(None) };
        let entry = |root: &TrustRoot, signatures: &[PersonSignature]| Entry {
            trust: root.canonical().as_str().to_owned(),
            signatures: signatures.to_vec(),
        };
        let mut entries = vec![entry(&self.first, &[])];
        entries.extend(between.iter().map(|(root, signatures)| entry(root, signatures)));
        Canonical::of(&entries).map(Some)
    }

    /// The version that counts now.
    pub fn newest(&self) -> &TrustRoot {
        self.later.last().map_or(&self.first, |(root, _)| root)
    }

    /// Who signed the newest; nobody where it is the first.
    pub fn signatures(&self) -> &[PersonSignature] {
        self.later.last().map_or(&[], |(_, signatures)| signatures)
    }

    /// Every version, oldest first.
    pub fn roots(&self) -> impl DoubleEndedIterator<Item = &TrustRoot> {
        std::iter::once(&self.first).chain(self.later.iter().map(|(root, _)| root))
    }

    /// Whether this digest is one of its versions.
    pub fn contains(&self, sha256: &Sha256) -> bool {
        self.roots().any(|root| root.sha256() == *sha256)
    }

    /// The versions of the life of the log with this name.
    pub fn versions(&self, log_origin: &str) -> Option<Versions<'_>> {
        Versions::new(self.roots().filter(|root| root.log_origin() == log_origin))
    }
}
