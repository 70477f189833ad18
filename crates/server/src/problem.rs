//! The one file that turns what went wrong into HTTP (RFC 9457). A refusal is shown; a fault and a bug are
//! logged with their detail and shown without.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chancery_api::problem::{PROBLEM_MEDIA_TYPE, Problem as Body, ProblemDetail};
use chancery_domain::refusal::Refusal;
use chancery_evidence::authenticator::AttestationRefusal;
use chancery_evidence::decision::DecisionRefusal;
use chancery_evidence::identity::IdentityRefusal;
use chancery_evidence::registration::RegistrationRefusal;
use chancery_evidence::request::RequestRefusal;
use chancery_evidence::session::SessionRefusal;
use chancery_evidence::trust::SuccessorRefusal;
use chancery_store::{AppendError, Fault};

use crate::http::boundary::{self, REQUEST_ID, Said};

/// A request that was not answered as it wished.
#[derive(Debug)]
pub struct Problem(Box<Content>);

/// What is said and what is logged; apart, so that a `Result` stays small.
#[derive(Debug)]
struct Content {
    status: StatusCode,
    code: String,
    reason: String,
    remedy: String,
    errors: Vec<ProblemDetail>,
    /// What the operator reads and nobody else.
    internal: Option<String>,
    header: Option<(HeaderName, HeaderValue)>,
    conflict: bool,
}

impl Problem {
    /// Something that a rule refuses.
    pub fn refused(
        status: StatusCode,
        code: impl Into<String>,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self(Box::new(Content {
            status,
            code: code.into(),
            reason: reason.into(),
            remedy: remedy.into(),
            errors: Vec::new(),
            internal: None,
            header: None,
            conflict: false,
        }))
    }

    /// A body that cannot be understood: 422.
    pub fn invalid(code: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::refused(StatusCode::UNPROCESSABLE_ENTITY, code, reason, remedy)
    }

    /// One member of a body that cannot be used: 422, with its pointer.
    pub fn member(pointer: &str, detail: impl std::fmt::Display) -> Self {
        let detail = detail.to_string();
        let mut problem = Self::invalid(
            "member_invalid",
            format!("`{pointer}`: {detail}"),
            "correct that member and send it again",
        );
        problem.0.errors.push(ProblemDetail { pointer: pointer.to_owned(), detail });
        problem
    }

    /// Nothing of that name, or nothing that this person may see: 404.
    pub fn not_found(what: &str) -> Self {
        let reason = format!("there is no such {what}, or it is not yours to see");
        Self::refused(
            StatusCode::NOT_FOUND,
            "not_found",
            reason,
            "check the id, and whether you are signed in as the right person",
        )
    }

    /// A person without the right to do it: 403.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Self::refused(
            StatusCode::FORBIDDEN,
            "forbidden",
            reason,
            "ask somebody who may; `chancery whoami` shows your roles",
        )
    }

    /// Nobody is signed in, or not well enough: 401.
    pub fn unauthenticated(code: &str, reason: impl Into<String>) -> Self {
        let mut problem = Self::refused(
            StatusCode::UNAUTHORIZED,
            code,
            reason,
            "sign in: `chancery login`, or `/sign-in` in a browser",
        );
        problem.0.header = Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("DPoP algs=\"EdDSA\"")));
        problem
    }

    /// IO failed: 500. The detail goes to the operator's log.
    pub fn fault(detail: impl std::fmt::Display) -> Self {
        let mut problem = Self::refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "fault",
            "the server could not do its work; whether anything happened is not known",
            "look at what stands before trying again; the operator finds the cause under the request id",
        );
        problem.0.internal = Some(detail.to_string());
        problem
    }

    /// Something that cannot be: 500, and loud.
    pub fn bug(detail: impl std::fmt::Display) -> Self {
        let mut problem = Self::fault(format!("bug: {detail}"));
        "bug".clone_into(&mut problem.0.code);
        problem
    }

    /// Says in how many seconds it is worth asking again (RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.header = Some((header::RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }

    /// Adds what is wrong at a place of the body.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.0.errors.push(ProblemDetail { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Somebody else was first: 409, unless deciding again helps.
    pub fn conflict() -> Self {
        let mut problem = Self::refused(
            StatusCode::CONFLICT,
            "conflict",
            "somebody else changed it at the same moment, several times over",
            "look at what stands now and try again",
        );
        problem.0.conflict = true;
        problem
    }

    /// Whether somebody else was first, so that deciding again may help.
    pub fn is_conflict(&self) -> bool {
        self.0.conflict
    }

    /// Its stable name.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// Everything that is known of it, for the operator.
    pub fn detail(&self) -> String {
        match &self.0.internal {
            Some(detail) => format!("{}: {detail}", self.0.code),
            None => format!("{}: {}", self.0.code, self.0.reason),
        }
    }
}

/// Sign-in is needed for the act itself, or the signature is not good.
const SIGN_AGAIN: &str = "open it again and sign what is shown now, with a passkey of your own";

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::UnknownRequest | Refusal::UnknownAlert => StatusCode::NOT_FOUND,
            Refusal::NotAnActivePerson(_)
            | Refusal::SelfApproval
            | Refusal::NotEligible { .. }
            | Refusal::NotYours
            | Refusal::DeniedByPolicy
            | Refusal::HardwarePasskeyNeeded
            | Refusal::RecoveryWaiting(_)
            | Refusal::NumberMismatch(_)
            | Refusal::NumbersUsedUp
            | Refusal::RequesterFrozen { .. }
            | Refusal::AlertAboutYou
            | Refusal::DecisionNotPossible => StatusCode::FORBIDDEN,
            Refusal::CannotBeFilled(_) | Refusal::NumberNeeded => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::RequestExists
            | Refusal::AlreadyDecided(_)
            | Refusal::NotYetInTurn(_)
            | Refusal::NothingToWithdraw(_)
            | Refusal::Changed(_)
            | Refusal::OfferExpired(_)
            | Refusal::WrongState { .. }
            | Refusal::TooEarly(_)
            | Refusal::TooLate(_)
            | Refusal::NumberUnknown
            | Refusal::LeaseMisfit(_) => StatusCode::CONFLICT,
        };
        Self::refused(status, refusal.code(), refusal.to_string(), refusal.remedy())
    }
}

impl From<DecisionRefusal> for Problem {
    fn from(refusal: DecisionRefusal) -> Self {
        Self::refused(StatusCode::FORBIDDEN, refusal.code(), refusal.to_string(), SIGN_AGAIN)
    }
}

impl From<RequestRefusal> for Problem {
    fn from(refusal: RequestRefusal) -> Self {
        let remedy = "draft the request again and sign the document that is returned";
        Self::refused(StatusCode::FORBIDDEN, refusal.code(), refusal.to_string(), remedy)
    }
}

impl From<IdentityRefusal> for Problem {
    fn from(refusal: IdentityRefusal) -> Self {
        Self::refused(StatusCode::FORBIDDEN, refusal.code(), refusal.to_string(), SIGN_AGAIN)
    }
}

impl From<SuccessorRefusal> for Problem {
    fn from(refusal: SuccessorRefusal) -> Self {
        let remedy = "look at it again; `chancery trust propose --replace` on the server's host begins anew";
        Self::refused(StatusCode::FORBIDDEN, refusal.code(), refusal.to_string(), remedy)
    }
}

impl From<SessionRefusal> for Problem {
    fn from(refusal: SessionRefusal) -> Self {
        Self::unauthenticated(refusal.code(), refusal.to_string())
    }
}

impl From<AttestationRefusal> for Problem {
    fn from(refusal: AttestationRefusal) -> Self {
        Self::invalid(refusal.code(), refusal.to_string(), "enrol again, or use another authenticator")
    }
}

impl From<RegistrationRefusal> for Problem {
    fn from(refusal: RegistrationRefusal) -> Self {
        let remedy = "open the link again and make the passkey on this site, with user verification";
        Self::invalid(refusal.code(), refusal.to_string(), remedy)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::ReadOnly => Self::refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "log_closed",
                "this life of the log is over: nothing is recorded until the next one begins",
                "administrators sign the trust root under People, then the operator runs `chancery log rotate` again",
            ),
            Fault::Busy => Self::busy("as many writes wait as the server takes").retry_after(1),
            fault => Self::fault(fault),
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Self {
        match &error {
            AppendError::Conflict { .. } => Self::conflict(),
            AppendError::TicketGone { kind, .. } => {
                let reason = format!("the {kind} was used before, or its time is over");
                Self::refused(
                    StatusCode::CONFLICT,
                    "offer_used",
                    reason,
                    "begin again: each offer is good once",
                )
            }
            AppendError::TicketTaken { .. } => Self::refused(
                StatusCode::CONFLICT,
                "idempotency_key_busy",
                "a request with this idempotency key is being worked on",
                "try again in a moment, with the same key and body",
            ),
            AppendError::Refused(chancery_store::Refusal::Event { .. }) => Self::invalid(
                "event_too_large",
                "what was signed does not fit into one entry of the log (4 KiB)",
                "use a passkey with a shorter credential id, or fewer words",
            ),
            AppendError::Refused(refusal) => Self::bug(refusal),
            AppendError::Fault(fault) => fault.clone().into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let request_id = boundary::request_id();
        let said = Said { code: self.0.code.clone(), internal: self.0.internal.clone() };
        match &said.internal {
            // One line is logged of each request, at its edge; this is part of it.
            _ if boundary::is_observed() => {}
            Some(detail) => tracing::error!(request_id, code = self.0.code, detail, "a request failed"),
            None => tracing::info!(
                request_id,
                code = self.0.code,
                status = self.0.status.as_u16(),
                "a request was refused"
            ),
        }
        let body = Body {
            problem_type: format!("urn:chancery:problem:{}", self.0.code),
            title: self.0.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.0.status.as_u16(),
            code: self.0.code,
            reason: self.0.reason,
            remedy: self.0.remedy,
            request_id: request_id.clone(),
            errors: self.0.errors,
        };
        // A struct of strings and numbers always has a JSON form.
        let text = serde_json::to_string(&body).unwrap_or_default();
        let mut response =
            (self.0.status, [(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE))], text)
                .into_response();
        response.extensions_mut().insert(said);
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        if let Some((name, value)) = self.0.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
