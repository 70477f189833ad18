//! Which keys sign, and which trust root is followed.

use std::path::Path;
use std::sync::PoisonError;

use chancery_domain::time::Timestamp;
use chancery_evidence::trust::{IssuerKey, TrustDirectory, TrustRoot};

use super::{Following, IssueError, Issuer, fault, unix};
use crate::ssh::{Authority, AuthorityKey, Krl, authority_files};

impl Issuer {
    /// Follows a trust root: the first that it is shown, and from then on only what that one, or a later one, was
    /// followed by. So whoever runs the server cannot have it believe other floors than the administrators signed.
    /// Authorities that the root names no longer are put on the revocation list.
    ///
    /// # Errors
    /// [`IssueError::NotAllowed`] for a root that does not follow, or names none of the keys that are here.
    pub fn follow(&self, trust: &TrustDirectory, now: Timestamp) -> Result<(), IssueError> {
        let root = trust.root().sha256();
        if self.following.read().unwrap_or_else(PoisonError::into_inner).root == Some(root) {
            return Ok(());
        }
        let book = self.book();
        let known = book.trust()?;
        // INVARIANT: every version of a directory was signed by the administrators of the one before it.
        if known.is_some_and(|known| !trust.lineage().contains(&known)) {
            return Err(IssueError::NotAllowed(
                "the trust directory does not follow the one this issuer has",
            ));
        }
        let here = self.authorities();
        let named = named(trust.root());
        let signing = named.iter().rev().find(|key| here.contains(key)).copied();
        let signing =
            signing.ok_or(IssueError::NotAllowed("the trust directory does not name this issuer's key"))?;
        self.retire(trust, &named, now)?;
        if known != Some(root) {
            book.follow(&root)?;
        }
        let following = Following { root: Some(root), signing };
        *self.following.write().unwrap_or_else(PoisonError::into_inner) = following;
        Ok(())
    }

    /// Brings the list to the authorities of the root: a section for each, and those before it that it dropped refused.
    fn retire(
        &self,
        trust: &TrustDirectory,
        standing: &[AuthorityKey],
        now: Timestamp,
    ) -> Result<(), IssueError> {
        let mut retired: Vec<AuthorityKey> =
            trust.lineage().roots().flat_map(named).filter(|key| !standing.contains(key)).collect();
        retired.sort_unstable();
        retired.dedup();
        let list = self.list(&retired)?;
        let standing = self.standing(&retired);
        let covered = standing.iter().all(|key| list.authorities().contains(key));
        if covered && retired.iter().all(|key| list.retired().contains(key)) {
            return Ok(());
        }
        let next = list.next(unix(now)).map_err(fault)?.of(standing, retired);
        next.publish(&self.revocation_list).map_err(fault)
    }

    /// The list that is published.
    pub(super) fn list(&self, retired: &[AuthorityKey]) -> Result<Krl, IssueError> {
        let known = [self.authorities().as_slice(), retired].concat();
        let list = Krl::load(&self.revocation_list, &known).map_err(fault)?;
        list.ok_or_else(|| IssueError::Fault("the revocation list is gone".into()))
    }

    /// The keys that are here without those.
    pub(super) fn standing(&self, retired: &[AuthorityKey]) -> Vec<AuthorityKey> {
        self.authorities().into_iter().filter(|key| !retired.contains(key)).collect()
    }
}

/// The SSH authorities that a root names, in its order.
pub(super) fn named(root: &TrustRoot) -> Vec<AuthorityKey> {
    let issuers = root.document().issuers.iter();
    issuers.filter_map(|IssuerKey::Ssh { public_key }| AuthorityKey::parse(public_key).ok()).collect()
}

/// Every key of an issuer, oldest first.
pub(super) fn open_authorities(place: &Path) -> Result<Vec<Authority>, IssueError> {
    let files = authority_files(place)?;
    if files.is_empty() {
        // Says of this very file what is wrong with it.
        return Authority::open(place).map(|authority| vec![authority]).map_err(fault);
    }
    files.iter().map(|path| Authority::open(path)).collect::<Result<_, _>>().map_err(fault)
}
