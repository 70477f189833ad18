//! Why a command did not do what it was told, and with which code it exits.

use chancery_api::problem::Problem;
use serde_json::{Value, json};

use crate::draft::DraftMismatch;
use crate::exit::Exit;

/// Ends a command.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// Something here went wrong: a file, a program, an answer that cannot be read.
    #[error("{0}")]
    Fault(String),
    /// The server said no.
    #[error("{}", .0.reason)]
    Problem(Box<Problem>),
    /// Nobody answers there.
    #[error("the server `{server}` cannot be reached: {detail}")]
    Unreachable {
        /// Its address.
        server: String,
        /// What the network said.
        detail: String,
    },
    /// The connection broke after something was sent.
    #[error("the connection to `{server}` broke before its answer came: {detail}")]
    OutcomeUnknown {
        /// Its address.
        server: String,
        /// What the network said.
        detail: String,
    },
    /// There is no session, or it ended.
    #[error("{0}")]
    SignIn(String),
    /// The server drafted something else than what was asked for; nothing was signed.
    #[error("the server's draft is not what you asked for: {0}; nothing was signed")]
    Draft(#[from] DraftMismatch),
    /// A request or grant ended, or has not been decided.
    #[error("{message}")]
    Outcome {
        /// How to exit.
        exit: Exit,
        /// What happened.
        message: String,
        /// What to do next.
        remedy: String,
    },
}

impl Failure {
    /// A fault in doing something with a file or folder.
    pub fn file(path: &std::path::Path, fault: impl std::fmt::Display) -> Self {
        Self::Fault(format!("`{}`: {fault}", path.display()))
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Fault(_) | Self::Draft(_) => Exit::Error,
            Self::Problem(problem) => exit_of_problem(problem),
            Self::Unreachable { .. } => Exit::Unreachable,
            Self::OutcomeUnknown { .. } => Exit::Unknown,
            Self::SignIn(_) => Exit::SignIn,
            Self::Outcome { exit, .. } => *exit,
        }
    }

    /// What to do next; empty when the message says it.
    pub fn remedy(&self) -> &str {
        match self {
            Self::Problem(problem) => &problem.remedy,
            Self::Unreachable { .. } => "check `--server` and whether `chancery server run` is up",
            Self::OutcomeUnknown { .. } => {
                "look with `chancery request list`, or repeat with the same `--idempotency-key`"
            }
            Self::SignIn(_) => "run `chancery login`",
            Self::Draft(_) => "do not sign; tell whoever runs the server",
            Self::Outcome { remedy, .. } => remedy,
            Self::Usage(_) | Self::Fault(_) => "",
        }
    }

    /// For programs: one object on stderr.
    pub fn to_json(&self) -> Value {
        let code = match self {
            Self::Problem(problem) => problem.code.as_str(),
            Self::Usage(_) => "usage",
            Self::Fault(_) => "error",
            Self::Unreachable { .. } => "unreachable",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::SignIn(_) => "login_needed",
            Self::Draft(_) => "draft_mismatch",
            Self::Outcome { .. } => "outcome",
        };
        let mut error = json!({
            "code": code, "reason": self.to_string(), "remedy": self.remedy(), "exit": self.exit().code()
        });
        if let (Self::Problem(problem), Some(members)) = (self, error.as_object_mut()) {
            members.insert("request_id".to_owned(), json!(problem.request_id));
            members.insert("errors".to_owned(), json!(problem.errors));
        }
        json!({ "error": error })
    }
}

fn exit_of_problem(problem: &Problem) -> Exit {
    match (problem.code.as_str(), problem.status) {
        ("denied_by_policy", _) => Exit::Denied,
        ("too_late" | "offer_expired", _) => Exit::Expired,
        ("request_changed" | "wrong_state" | "already_decided", _) => Exit::Ended,
        ("outcome_unknown", _) => Exit::Unknown,
        ("hardware_passkey_needed", _) | (_, 401) => Exit::SignIn,
        (_, 409 | 412) => Exit::Ended,
        _ => Exit::Error,
    }
}
