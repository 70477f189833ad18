//! Prepare, mint, revoke. Between the first two, the digest of what will be signed goes into the log.

mod follow;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chancery_canonical::{Bytes, Sha256, base64};
use chancery_domain::event::SSH_CERTIFICATE;
use chancery_domain::id::LeaseId;
use chancery_domain::state::LeaseStatus;
use chancery_domain::time::Timestamp;
use chancery_evidence::bundle::BundleFiles;
use chancery_evidence::trust::TrustDirectory;
use chancery_evidence::verify::{
    Approved, CertificateFacts, IntendedLease, KeptPolicy, Logged, Options, verify,
};
use chancery_faults::{Injected, step};
use ring::rand::SecureRandom;

use crate::book::{Book, Page};
use crate::plan::{GrantFacts, Mark, PlanError, certificate};
use crate::ssh::{Authority, AuthorityKey, Certificate, Krl, Unsigned};

use follow::{named, open_authorities};

/// How far an announcement may be from the issuer's own clock, in seconds, either way. A log whose times are moved
/// cannot have something minted that would look older or newer than it is.
pub const MAX_ANNOUNCEMENT_AGE_SECONDS: u64 = 300;

/// Where the issuer keeps what is its own.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The private key that signs certificates, 0600; those that followed it are numbered beside it.
    pub authority: &'a Path,
    /// The OpenSSH revocation list that hosts read.
    pub revocation_list: &'a Path,
    /// Folder of [`Book`].
    pub book: &'a Path,
}

/// Mints SSH certificates, at most one a lease, and revokes them.
pub struct Issuer {
    /// Where the keys are.
    place: std::path::PathBuf,
    /// Every authority whose key is here, oldest first; at least one.
    authorities: RwLock<Arc<Vec<Authority>>>,
    following: RwLock<Following>,
    revocation_list: std::path::PathBuf,
    random: Box<dyn SecureRandom + Send + Sync>,
    /// Most grants are under the policy of the one before.
    policy: KeptPolicy,
    /// Held while a page or the list changes, so that each lease is minted once and numbers only grow.
    book: Mutex<Book>,
}

/// The trust root that this issuer follows, and what it says of its keys.
#[derive(Clone, Debug)]
struct Following {
    root: Option<Sha256>,
    /// Who signs what is prepared now: the last of the root's issuers.
    signing: AuthorityKey,
}

/// What must stand in the log before a lease is minted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Serial, decimal.
    pub serial: String,
    /// SHA-256 of the bytes that will be signed.
    pub to_be_signed_sha256: Sha256,
    /// Chosen here, for this lease: a log that carries it is a current one.
    pub issuer_nonce: String,
}

/// Why nothing was minted.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No certificate follows from the grant.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The evidence does not verify.
    #[error("the evidence does not verify: {}", .0.join(", "))]
    Evidence(Vec<&'static str>),
    /// The evidence verifies, but does not allow this.
    #[error("the evidence does not allow this: {0}")]
    NotAllowed(&'static str),
    /// Announced at another time than now.
    #[error(
        "the lease was not announced within {MAX_ANNOUNCEMENT_AGE_SECONDS} seconds of the issuer's clock"
    )]
    NotFresh,
    /// Asked for a lease that was never prepared here.
    #[error("lease `{0}` was not prepared by this issuer")]
    Unknown(LeaseId),
    /// Its own folder, list or key failed.
    #[error("the issuer's own files: {0}")]
    Fault(String),
}

impl From<Injected> for IssueError {
    fn from(injected: Injected) -> Self {
        Self::Fault(injected.to_string())
    }
}

impl From<io::Error> for IssueError {
    fn from(fault: io::Error) -> Self {
        Self::Fault(fault.to_string())
    }
}

impl Issuer {
    /// Opens the issuer's files. Publishes an empty list when there is none: a host without one admits nobody.
    ///
    /// # Errors
    /// [`IssueError::Fault`] when the key, the list or the folder cannot be used.
    pub fn open(
        places: &Places<'_>,
        now: Timestamp,
        random: Box<dyn SecureRandom + Send + Sync>,
    ) -> Result<Self, IssueError> {
        let authorities = open_authorities(places.authority)?;
        let first = authorities.first().ok_or_else(|| fault("there is no authority"))?;
        let following = RwLock::new(Following { root: None, signing: *first.key() });
        let issuer = Self {
            place: places.authority.to_owned(),
            authorities: RwLock::new(Arc::new(authorities)),
            following,
            revocation_list: places.revocation_list.to_owned(),
            random,
            policy: KeptPolicy::default(),
            book: Mutex::new(Book::open(places.book)?),
        };
        if Krl::load(&issuer.revocation_list, &issuer.authorities()).map_err(fault)?.is_none() {
            let empty = Krl::empty(issuer.authority(), unix(now), "chancery").map_err(fault)?;
            let empty = empty.of(issuer.authorities(), Vec::new());
            empty.publish(&issuer.revocation_list).map_err(fault)?;
        }
        Ok(issuer)
    }

    /// The key that signs what is prepared now; hosts have to trust it.
    pub fn authority(&self) -> AuthorityKey {
        self.following.read().unwrap_or_else(PoisonError::into_inner).signing
    }

    /// Every key that is here, oldest first.
    pub fn authorities(&self) -> Vec<AuthorityKey> {
        self.here().iter().map(|authority| *authority.key()).collect()
    }

    /// Looks for keys that were made since.
    ///
    /// # Errors
    /// [`IssueError::Fault`] when one cannot be used; those before are then still there.
    pub fn look_again(&self) -> Result<(), IssueError> {
        let found = open_authorities(&self.place)?;
        *self.authorities.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(found);
        Ok(())
    }

    fn here(&self) -> Arc<Vec<Authority>> {
        Arc::clone(&self.authorities.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Fixes what a lease will be, and remembers it. Nothing is signed; the facts need not be true, since
    /// [`Self::mint`] derives the same bytes again from verified evidence. A repeat returns the same.
    ///
    /// # Errors
    /// [`IssueError`] when no certificate follows from the grant.
    pub fn prepare(&self, lease: &LeaseId, grant: &GrantFacts<'_>) -> Result<Prepared, IssueError> {
        let book = self.book();
        if let Some(page) = book.page(lease)? {
            return Ok(prepared(&page));
        }
        let mut certificate_nonce = [0; 32];
        let mut issuer_nonce = [0; 16];
        let mut serial = [0; 8];
        for bytes in [&mut certificate_nonce[..], &mut issuer_nonce, &mut serial] {
            self.random.fill(bytes).map_err(fault)?;
        }
        // Serial 0 cannot be revoked by OpenSSH.
        let mark = Mark { serial: u64::from_be_bytes(serial).max(1), nonce: certificate_nonce };
        let unsigned = unsigned(grant, mark, &self.authority())?;
        let page = Page {
            lease: lease.clone(),
            request: grant.document.id.clone(),
            serial: mark.serial.to_string(),
            certificate_nonce: Bytes::new(certificate_nonce).map_err(fault)?,
            issuer_nonce: base64::encode_url(&issuer_nonce),
            to_be_signed_sha256: Sha256::from_bytes(unsigned.sha256()),
            certificate: None,
        };
        book.write(&page)?;
        Ok(prepared(&page))
    }

    /// Signs the certificate of a lease, if the evidence proves that it may. A repeat returns the same certificate.
    ///
    /// The evidence is verified as by any stranger, with a replay of the verdict demanded; the announcement in it
    /// must be the one prepared here, nonce included, so the log is a current one, and of about now; the grant must be running, by
    /// the evidence and by the issuer's own clock; and the bytes that follow from the verified request must be
    /// those whose digest was announced.
    ///
    /// # Errors
    /// [`IssueError`]; nothing was signed.
    pub fn mint(
        &self,
        lease: &LeaseId,
        evidence: &BundleFiles,
        trust: &TrustDirectory,
        now: Timestamp,
    ) -> Result<String, IssueError> {
        self.follow(trust, now)?;
        let book = self.book();
        let mut page = book.page(lease)?.ok_or_else(|| IssueError::Unknown(lease.clone()))?;
        if let Some(certificate) = page.certificate {
            return Ok(certificate);
        }
        let options = Options {
            newer_log: None,
            require_replay: true,
            without_replay: false,
            policy: Some(&self.policy),
            certificates: Some(&read_certificate),
            now: Some(now),
        };
        let verification = verify(evidence, trust, &options);
        let Some(logged) = &verification.logged else {
            return Err(IssueError::Evidence(verification.failed()));
        };
        if trust.root().is_expired(now) {
            return Err(IssueError::NotAllowed("the trust directory has expired"));
        }
        let announced = announced(logged, &page)?;
        let named = named(trust.root());
        let here = self.here();
        let authorities: Vec<&Authority> = here.iter().filter(|one| named.contains(one.key())).collect();
        let facts = granted(logged, announced, now)?;
        let certificate = sign(&facts, announced, &page, &authorities)?;
        page.certificate = Some(certificate.clone());
        // A crash before this line leaves a signature that nobody has seen; the next call makes the same one.
        book.write(&page)?;
        Ok(certificate)
    }

    /// The certificate of a lease, if it was minted.
    ///
    /// # Errors
    /// [`IssueError::Fault`] when the book cannot be read.
    pub fn minted(&self, lease: &LeaseId) -> Result<Option<String>, IssueError> {
        Ok(self.book().page(lease)?.and_then(|page| page.certificate))
    }

    /// Every certificate that was minted here, each with the lease it belongs to.
    ///
    /// # Errors
    /// [`IssueError::Fault`] when the book cannot be read.
    pub fn all_minted(&self) -> Result<Vec<(LeaseId, String)>, IssueError> {
        let pages = self.book().pages()?;
        Ok(pages.into_iter().filter_map(|page| Some((page.lease, page.certificate?))).collect())
    }

    /// Puts a serial on the revocation list and returns the number of the list that carries it. A repeat changes
    /// nothing. Taking back needs no evidence: it only ever makes less possible.
    ///
    /// # Errors
    /// [`IssueError::Fault`] when the list cannot be read or replaced; the older one is then still in place.
    pub fn revoke(&self, serial: u64, now: Timestamp) -> Result<u64, IssueError> {
        self.revoke_all(&[serial], 0, now)
    }

    /// The same for several serials on one list, whose number is then at least `number`: after a restored backup the
    /// list must not have a number that hosts have seen on another one.
    ///
    /// # Errors
    /// As [`Issuer::revoke`].
    pub fn revoke_all(&self, serials: &[u64], number: u64, now: Timestamp) -> Result<u64, IssueError> {
        let _held = self.book();
        let list = self.list(&[])?;
        let standing = self.standing(list.retired());
        let covered = standing.iter().all(|key| list.authorities().contains(key));
        if covered && list.number() >= number && serials.iter().all(|serial| list.revokes(*serial, "")) {
            // Whoever put it there may have been cut off before the folder was durable: published again, it is.
            list.publish(&self.revocation_list).map_err(fault)?;
            return Ok(list.number());
        }
        let retired = list.retired().to_vec();
        let mut next = list.next(unix(now)).map_err(fault)?.of(standing, retired);
        while next.number() < number {
            next = next.next(unix(now)).map_err(fault)?;
        }
        for serial in serials {
            next.revoke(*serial).map_err(fault)?;
        }
        next.publish(&self.revocation_list).map_err(fault)?;
        Ok(next.number())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // The book holds no state in memory, so a panic elsewhere cannot have left it half changed.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unsigned(grant: &GrantFacts<'_>, mark: Mark, authority: &AuthorityKey) -> Result<Unsigned, IssueError> {
    let request = certificate(grant, mark)?;
    request.prepare(authority).map_err(|error| PlanError::Value(error.to_string()).into())
}

/// What the certificate follows from, when the verified grant is running.
fn granted<'a>(
    logged: &'a Logged<Approved>,
    announced: &IntendedLease,
    now: Timestamp,
) -> Result<GrantFacts<'a>, IssueError> {
    let approved = logged.value();
    let Some(activated) = approved.activated().filter(|_| approved.is_active()) else {
        return Err(IssueError::NotAllowed("the grant is not running"));
    };
    if now < activated.started_at || now >= announced.intended.not_after {
        return Err(IssueError::NotAllowed("the grant's clock has not started or has run out"));
    }
    let apart = now.seconds_since(announced.at).max(announced.at.seconds_since(now));
    if apart > MAX_ANNOUNCEMENT_AGE_SECONDS {
        return Err(IssueError::NotFresh);
    }
    Ok(GrantFacts {
        document: approved.document(),
        entitlement: approved.entitlement(),
        constraints: &approved.verdict().constraints,
        started_at: activated.started_at,
        ends_at: announced.intended.not_after,
    })
}

/// Signs with the authority for which the lease was announced: what was announced just before a new one took over
/// is still made by the old one.
fn sign(
    facts: &GrantFacts<'_>,
    announced: &IntendedLease,
    page: &Page,
    authorities: &[&Authority],
) -> Result<String, IssueError> {
    let serial = page.serial.parse().map_err(fault)?;
    let nonce = page.certificate_nonce.as_bytes().try_into().map_err(fault)?;
    for authority in authorities {
        let unsigned = unsigned(facts, Mark { serial, nonce }, authority.key())?;
        // INVARIANT: what is signed is what the log announced, and what the log announced follows from the request.
        if Sha256::from_bytes(unsigned.sha256()) == announced.intended.to_be_signed_sha256 {
            return step("issuer.sign", || unsigned.sign(authority).map_err(fault));
        }
    }
    Err(IssueError::NotAllowed("the announced bytes are not those that follow from the request"))
}

/// Reads a certificate line for `chancery_evidence::verify`, its authority's signature verified.
///
/// # Errors
/// Says what is wrong with it.
pub fn read_certificate(line: &str) -> Result<CertificateFacts, String> {
    let certificate = Certificate::parse(line).map_err(|error| error.to_string())?;
    // The comment is ours too: without it one certificate would have many spellings.
    let words: Vec<&str> = line.split(' ').take(2).collect();
    let spelled = format!("{} {}", words.join(" "), certificate.contents().key_id);
    let authority = certificate.authority();
    certificate.verify(authority).map_err(|error| error.to_string())?;
    let contents = certificate.contents();
    let moment = |unix: u64| {
        let unix = i64::try_from(unix).map_err(|_| "its validity is no time".to_owned())?;
        Timestamp::from_unix(unix).map_err(|error| error.to_string())
    };
    let permits = [
        ("permit-X11-forwarding", contents.permit_x11_forwarding),
        ("permit-agent-forwarding", contents.permit_agent_forwarding),
        ("permit-port-forwarding", contents.permit_port_forwarding),
        ("permit-pty", contents.permit_pty),
    ];
    Ok(CertificateFacts {
        line: spelled,
        to_be_signed_sha256: Sha256::from_bytes(certificate.sha256()),
        serial: contents.serial.to_string(),
        key_id: contents.key_id.clone(),
        public_key: contents.subject_key.line(),
        principals: contents.principals.clone(),
        valid_after: moment(contents.valid_after)?,
        valid_before: moment(contents.valid_before)?,
        source_addresses: contents.source_addresses.iter().map(ToString::to_string).collect(),
        force_command: contents.force_command.clone(),
        extensions: permits.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned()).collect(),
        authority: authority.line(""),
    })
}

/// The announcement in the evidence, held to what was prepared here.
fn announced<'a>(logged: &'a Logged<Approved>, page: &Page) -> Result<&'a IntendedLease, IssueError> {
    let approved = logged.value();
    if approved.document().id != page.request {
        return Err(IssueError::NotAllowed("the evidence is about another request"));
    }
    let announced =
        approved.lease(&page.lease).ok_or(IssueError::NotAllowed("the lease was not announced"))?;
    let said = &announced.intended;
    let same = said.issuer_nonce == page.issuer_nonce
        && said.serial == page.serial
        && said.to_be_signed_sha256 == page.to_be_signed_sha256
        && said.credential == SSH_CERTIFICATE;
    if !same {
        return Err(IssueError::NotAllowed("the announcement is not the one that was prepared"));
    }
    match announced.status {
        LeaseStatus::Intended | LeaseStatus::Issued => Ok(announced),
        LeaseStatus::Revoked => Err(IssueError::NotAllowed("the lease was revoked")),
    }
}

fn prepared(page: &Page) -> Prepared {
    Prepared {
        serial: page.serial.clone(),
        to_be_signed_sha256: page.to_be_signed_sha256,
        issuer_nonce: page.issuer_nonce.clone(),
    }
}

fn unix(moment: Timestamp) -> u64 {
    u64::try_from(moment.unix()).unwrap_or(0)
}

fn fault(error: impl std::fmt::Display) -> IssueError {
    IssueError::Fault(error.to_string())
}
