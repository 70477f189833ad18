//! Why an identity event may not stand.

use chancery_canonical::json::JsonError;
use chancery_domain::id::PersonId;
use chancery_domain::leaf::{LeafError, Stream};
use chancery_domain::people::DirectoryError;
use chancery_domain::time::Timestamp;

use crate::cose::CoseError;
use crate::recovery::RecoveryRefusal;
use crate::signer::SignerRefusal;

/// Why an identity leaf is not admitted to the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityRefusal {
    /// Of another stream.
    #[error("stream `{0}` is not a person's")]
    NotAnIdentity(Stream),
    /// At or before a leaf that was admitted.
    #[error("leaf {0} stands before one that was admitted already: admit them in the order of the log")]
    OutOfOrder(u64),
    /// A leaf of the person's stream is missing, repeated or changed.
    #[error(
        "the stream of person `{person}` is broken: version {expected} with the leaf before it was expected"
    )]
    BrokenStream {
        /// Whose stream.
        person: PersonId,
        /// The version that comes next.
        expected: u64,
    },
    /// The body is about another person than the stream.
    #[error("an event in the stream of person `{0}` is about somebody else")]
    OtherStream(PersonId),
    /// An unknown kind, or a body of another shape.
    #[error("the identity event cannot be read: {0}")]
    Event(String),
    /// The leaf has no bytes.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// `genesis` for somebody, or something, that the trust root does not name.
    #[error("the trust root does not name person `{0}` with exactly this key, these roles and attributes")]
    NotGenesis(PersonId),
    /// `genesis` for an act that only people can authorise.
    #[error("`{0}` cannot be authorised by the genesis: it has to be signed")]
    GenesisCannot(String),
    /// The key that is enrolled is none.
    #[error("the passkey cannot be read: {0}")]
    Passkey(#[source] CoseError),
    /// A credential id counts once, for one person, even after it was removed.
    #[error("that passkey was enrolled before: enrol another")]
    PasskeyUsedBefore,
    /// Not an identity document.
    #[error("the identity document cannot be read: {0}")]
    Document(JsonError),
    /// Made for another log.
    #[error("the identity document is for the log `{0}`")]
    OtherLog(String),
    /// It authorises another kind of event.
    #[error("the identity document authorises `{0}`, not this event")]
    OtherAct(String),
    /// It authorises an event with another body.
    #[error("the identity document authorises another content than the event has")]
    OtherBody,
    /// A nonce of less than 128 bits, or not base64url.
    #[error("the identity document's nonce is not base64url of 16 to 64 bytes")]
    Nonce,
    /// The document was used before.
    #[error("the identity document was used before: a signature authorises one event")]
    NonceUsed,
    /// Offered for no time, or for too long.
    #[error("an identity document is offered for at most {0} seconds")]
    Window(u64),
    /// Offered before something was taken away from the person.
    #[error(
        "the identity document is older than what was taken away from person `{0}` since: offer it again"
    )]
    Overtaken(PersonId),
    /// Recorded before it was offered.
    #[error("the identity document was not offered before {0}")]
    NotYet(Timestamp),
    /// Recorded too late.
    #[error("the offer to sign ended at {0}: ask for the signatures again")]
    Expired(Timestamp),
    /// One person's signature counts once.
    #[error("person `{0}` signed twice: it takes distinct people")]
    SignedTwice(PersonId),
    /// One of the signatures does not stand; none may be there that does not.
    #[error("the signature of person `{person}` does not stand: {refusal}")]
    Signature {
        /// Who is said to have signed.
        person: PersonId,
        /// Why it does not stand.
        refusal: SignerRefusal,
    },
    /// A signature, good by itself, of somebody who has no say in this.
    #[error("person `{0}` may not authorise this")]
    NotEntitled(PersonId),
    /// Somebody would give a role or an attribute to themself.
    #[error("person `{0}` may not give a role or an attribute to themself")]
    OwnRole(PersonId),
    /// Nobody is one of those who recover them.
    #[error("person `{0}` may not sign their own recovery: it takes other administrators")]
    OwnRecovery(PersonId),
    /// Recovery keys let back in, and do nothing else.
    #[error("recovery keys authorise only a recovery or a new administrator")]
    RecoveryCannot,
    /// A new person by recovery keys is an administrator and nothing more.
    #[error("recovery keys let person `{0}` in with the role `identity_admin` alone, without attributes")]
    RecoveryWidens(PersonId),
    /// The recovery keys' signatures do not stand.
    #[error(transparent)]
    Recovery(#[from] RecoveryRefusal),
    /// Too few.
    #[error("{found} people signed where {needed} are needed")]
    TooFew {
        /// How many signed.
        found: usize,
        /// How many must.
        needed: usize,
    },
    /// It contradicts what came before.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl IdentityRefusal {
    /// Whether a key signed that counts for nothing because of a recovery.
    pub fn is_of_recovery(&self) -> bool {
        matches!(self, Self::Signature { refusal, .. } if refusal.is_of_recovery())
    }

    /// A stable name for logs, API answers and evidence reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAnIdentity(_) => "identity_stream",
            Self::OutOfOrder(_) => "identity_out_of_order",
            Self::BrokenStream { .. } => "identity_stream_broken",
            Self::OtherStream(_) => "identity_other_person",
            Self::Event(_) => "identity_malformed",
            Self::Leaf(_) => "identity_leaf",
            Self::NotGenesis(_) => "identity_not_genesis",
            Self::GenesisCannot(_) => "identity_genesis_cannot",
            Self::Passkey(_) => "passkey_unreadable",
            Self::PasskeyUsedBefore => "passkey_used_before",
            Self::Document(_) => "identity_document_malformed",
            Self::OtherLog(_) => "identity_other_log",
            Self::OtherAct(_) => "identity_other_act",
            Self::OtherBody => "identity_other_body",
            Self::Nonce => "identity_nonce",
            Self::NonceUsed => "identity_nonce_used",
            Self::Window(_) => "identity_window",
            Self::Overtaken(_) => "identity_overtaken",
            Self::NotYet(_) => "identity_not_yet",
            Self::Expired(_) => "identity_expired",
            Self::SignedTwice(_) => "identity_signed_twice",
            Self::Signature { refusal, .. } => refusal.code(),
            Self::NotEntitled(_) => "identity_not_entitled",
            Self::OwnRole(_) => "identity_own_role",
            Self::OwnRecovery(_) => "identity_own_recovery",
            Self::RecoveryCannot => "recovery_cannot",
            Self::RecoveryWidens(_) => "recovery_widens",
            Self::Recovery(refusal) => refusal.code(),
            Self::TooFew { .. } => "identity_too_few",
            Self::Directory(_) => "identity_contradiction",
        }
    }
}
