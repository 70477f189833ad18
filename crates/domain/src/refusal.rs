//! A rule said no. Each refusal has a stable code, a reason and a remedy; all of them are shown to the person.

use crate::event::NUMBER_MISMATCH;
use crate::id::{AlertId, PersonId};
use crate::time::Timestamp;

/// Why a command was refused. Nothing was recorded, except where [`Refusal::is_recorded`] says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such request.
    #[error("the request does not exist")]
    UnknownRequest,
    /// The id is taken.
    #[error("a request with this id exists already")]
    RequestExists,
    /// Suspended, or not in the directory.
    #[error("person `{0}` is suspended or unknown")]
    NotAnActivePerson(PersonId),
    /// The requester, whoever it is for, and anybody acting through what it granted never count.
    #[error("nobody may decide on a request that they made or that is for them")]
    SelfApproval,
    /// Not in any stage that the decision names.
    #[error("person `{person}` is not eligible for {stages}")]
    NotEligible {
        /// Who tried.
        person: PersonId,
        /// Stages named, for the message.
        stages: String,
    },
    /// The stages that theirs comes after are not complete.
    #[error("{0} comes after stages that are not complete yet")]
    NotYetInTurn(String),
    /// One human, one decision.
    #[error("person `{0}` has already decided on this revision")]
    AlreadyDecided(PersonId),
    /// Nothing to take back.
    #[error("person `{0}` has no standing approval on this revision")]
    NothingToWithdraw(PersonId),
    /// The document speaks of another revision, verdict, policy or grant.
    #[error("the decision is about another {0} than the one that stands")]
    Changed(&'static str),
    /// The offer to sign ended.
    #[error("the decision was offered for signing until {0}")]
    OfferExpired(Timestamp),
    /// A stage names a quorum nobody could reach.
    #[error(
        "stage `{0}` cannot be filled: too few eligible people besides the requester and the beneficiary"
    )]
    CannotBeFilled(String),
    /// The command does not fit where the request stands.
    #[error("this cannot be done while the request is {state}")]
    WrongState {
        /// Where it stands.
        state: &'static str,
    },
    /// Only the requester or the beneficiary may.
    #[error("only the requester or the beneficiary may do this")]
    NotYours,
    /// Policy, asked again, said no.
    #[error("policy denies it now")]
    DeniedByPolicy,
    /// It may not start yet.
    #[error("the grant may not start before {0}")]
    TooEarly(Timestamp),
    /// It may not start any more.
    #[error("the grant could be started until {0}")]
    TooLate(Timestamp),
    /// A key where hardware is needed whose maker does not say so, or that is synced.
    #[error("this needs a passkey whose maker says that it never leaves its hardware")]
    HardwarePasskeyNeeded,
    /// A key that came by a recovery, within the day in which it can be stopped.
    #[error("the passkey came by a recovery and counts from {0} on")]
    RecoveryWaiting(Timestamp),
    /// The lease does not fit the grant.
    #[error("the lease {0}")]
    LeaseMisfit(&'static str),
    /// The two digits of the requester are needed and were not given.
    #[error("an approval of this risk needs the two digits that the requester was shown")]
    NumberNeeded,
    /// The digits are others than the requester's.
    #[error(
        "these are not the two digits that the requester was shown; {0} more wrong ones reject the request"
    )]
    NumberMismatch(u32),
    /// The third wrong digits ended the request.
    #[error(
        "these were not the two digits that the requester was shown, for the last time: the request is rejected"
    )]
    NumbersUsedUp,
    /// Nobody knows the digits any more.
    #[error("the two digits of this request are not known any more")]
    NumberUnknown,
    /// A report about this person waits for an administrator.
    #[error("person `{person}` was reported for a suspicious request (alert `{alert}`)")]
    RequesterFrozen {
        /// Who may ask for nothing and start nothing.
        person: PersonId,
        /// The alert that somebody has to look at.
        alert: AlertId,
    },
    /// There is no such alert.
    #[error("the alert does not exist")]
    UnknownAlert,
    /// Nobody acknowledges what is said about themselves.
    #[error("nobody may acknowledge an alert about a request of their own")]
    AlertAboutYou,
    /// A decision of this kind is not open to this person or request.
    #[error("a decision of this kind is not possible here")]
    DecisionNotPossible,
}

impl Refusal {
    /// A stable name for scripts and documents.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownRequest => "request_unknown",
            Self::RequestExists => "request_exists",
            Self::NotAnActivePerson(_) => "person_not_active",
            Self::SelfApproval => "self_approval",
            Self::NotEligible { .. } => "not_eligible",
            Self::NotYetInTurn(_) => "not_yet_in_turn",
            Self::AlreadyDecided(_) => "already_decided",
            Self::NothingToWithdraw(_) => "nothing_to_withdraw",
            Self::Changed(_) => "request_changed",
            Self::OfferExpired(_) => "offer_expired",
            Self::CannotBeFilled(_) => "stage_cannot_be_filled",
            Self::WrongState { .. } => "wrong_state",
            Self::NotYours => "not_yours",
            Self::DeniedByPolicy => "denied_by_policy",
            Self::TooEarly(_) => "too_early",
            Self::TooLate(_) => "too_late",
            Self::HardwarePasskeyNeeded => "hardware_passkey_needed",
            Self::RecoveryWaiting(_) => "recovery_waiting",
            Self::LeaseMisfit(_) => "lease_misfit",
            Self::NumberNeeded => "number_needed",
            Self::NumberMismatch(_) | Self::NumbersUsedUp => NUMBER_MISMATCH,
            Self::NumberUnknown => "number_unknown",
            Self::RequesterFrozen { .. } => "requester_frozen",
            Self::UnknownAlert => "alert_unknown",
            Self::AlertAboutYou => "alert_about_you",
            Self::DecisionNotPossible => "decision_not_possible",
        }
    }

    /// What to do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::UnknownRequest => "check the id; `chancery request list` shows the requests you may see",
            Self::RequestExists => "use the idempotency key again to rejoin it, or draft a new request",
            Self::NotAnActivePerson(_) => "ask an identity administrator",
            Self::SelfApproval => "ask another eligible person; `chancery request view` lists them",
            Self::NotEligible { .. } => {
                "ask somebody who is: whom the stage names, or for an alert an identity administrator who did not ask"
            }
            Self::NotYetInTurn(_) => "wait until the stages before it are complete, then sign",
            Self::AlreadyDecided(_) => "withdraw the decision first, while the request has not started",
            Self::NothingToWithdraw(_) => "nothing needs to be done",
            Self::Changed(_) => "review the request again and sign what stands now",
            Self::OfferExpired(_) => "open the request again and sign within five minutes",
            Self::CannotBeFilled(_) => {
                "ask an identity administrator to give more people the role that the stage needs (and a hardware passkey, where policy demands one)"
            }
            Self::WrongState { .. } => "`chancery request view` shows what can still be done",
            Self::NotYours => {
                "ask the requester; a person who may revoke can end the grant with `chancery grant revoke`"
            }
            Self::DeniedByPolicy => "read the reasons in `chancery request view` and file a new request",
            Self::TooEarly(_) => "try again then",
            Self::TooLate(_) => "file a new request",
            Self::HardwarePasskeyNeeded => {
                "sign with a security key of a believed model; enrol one if you have none (`chancery trust show` lists the models)"
            }
            Self::RecoveryWaiting(_) => "decide then, or ask another eligible person",
            Self::LeaseMisfit(_) => "ask for a new credential",
            Self::NumberNeeded => {
                "ask the requester, by a way on which you know them, and give the digits with your approval"
            }
            Self::NumberMismatch(_) => {
                "ask the requester, by a way on which you know them; if they did not ask for this, report the request"
            }
            Self::NumbersUsedUp => {
                "ask the requester whether it was them; if it was, they file a new request"
            }
            Self::NumberUnknown => "ask the requester to submit a new revision",
            Self::RequesterFrozen { .. } => {
                "ask an identity administrator to look at the alert and to acknowledge it"
            }
            Self::UnknownAlert => "check the id; the list of alerts shows those that you may see",
            Self::AlertAboutYou => "ask another identity administrator",
            Self::DecisionNotPossible => "`chancery request view` shows which decisions are open to you",
        }
    }

    /// Whether the attempt itself is worth a place in the log.
    pub fn is_recorded(&self) -> bool {
        matches!(self, Self::SelfApproval)
    }
}
