//! Exit codes. Scripts rely on them; they never change meaning.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Something went wrong.
    Error,
    /// The command line makes no sense.
    Usage,
    /// Policy said no.
    Denied,
    /// Sign in first, or once more.
    SignIn,
    /// A person said no.
    Rejected,
    /// Nobody decided in time, or its time is over.
    Expired,
    /// Revoked, changed, conflicting or cancelled.
    Ended,
    /// Still pending. Never 0, so that no script takes it for a yes.
    Pending,
    /// Evidence or a log did not verify.
    Unverified,
    /// No server there.
    Unreachable,
    /// Nobody knows whether it happened.
    Unknown,
    /// Ctrl-C. The request stays open.
    Interrupted,
    /// What the child of `exec` exited with.
    Child(u8),
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Usage => 2,
            Self::Denied => 3,
            Self::SignIn => 4,
            Self::Rejected => 5,
            Self::Expired => 6,
            Self::Ended => 7,
            Self::Pending => 8,
            Self::Unverified => 9,
            Self::Unreachable => 10,
            Self::Unknown => 11,
            Self::Interrupted => 130,
            Self::Child(code) => code,
        }
    }

    /// What a request's state means to whoever waits for it to be approved; `None` while nothing is decided.
    pub fn of_state(state: &str) -> Option<Self> {
        match state {
            "evaluating" | "pending" => None,
            "approved" | "active" | "completed" => Some(Self::Done),
            "denied" => Some(Self::Denied),
            "rejected" => Some(Self::Rejected),
            "lapsed" | "expired" => Some(Self::Expired),
            "cancelled" | "revoked" => Some(Self::Ended),
            "failed" | "rolling_back" | "rolled_back" | "rollback_failed" => Some(Self::Error),
            // `unknown`, and any state of a newer server
            _ => Some(Self::Unknown),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
