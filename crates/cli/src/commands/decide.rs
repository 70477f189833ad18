//! Deciding. A passkey signs, and passkeys live in browsers: the command opens the page and waits for what it did.

use std::time::Duration;

use chancery_api::decision::DecisionKind;
use chancery_api::request::{DecisionView, RequestView};
use clap::Args;

use crate::browser;
use crate::commands::request::{grouped, read, show_view};
use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::{Tone, clean};
use crate::wait::{self, Waited};

/// `chancery approve`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  chancery approve 01JD3Z5YQX8M0V4K2T7B9C6E1A")]
pub struct Approve {
    /// The request
    id: String,
    #[command(flatten)]
    waiting: Waiting,
}

/// `chancery reject`
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  chancery reject 01JD3Z5YQX8M0V4K2T7B9C6E1A --reason 'use the read replica'"
)]
pub struct Reject {
    /// The request
    id: String,
    /// Why; to be entered on the page, where it is signed with the decision
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    waiting: Waiting,
}

/// `chancery withdraw`
#[derive(Debug, Args)]
pub struct Withdraw {
    /// The request
    id: String,
    #[command(flatten)]
    waiting: Waiting,
}

/// How long to wait for the page.
#[derive(Debug, Args)]
pub struct Waiting {
    /// How long to wait for the signature; then exit with 8
    #[arg(long, value_name = "LENGTH", default_value = "10m", value_parser = moment::parse_seconds)]
    timeout: u64,
}

impl Approve {
    /// Opens the page, waits.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        decide(context, &self.id, DecisionKind::Approve, None, &self.waiting)
    }
}

impl Reject {
    /// Opens the page, waits.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        decide(context, &self.id, DecisionKind::Reject, Some(&self.reason), &self.waiting)
    }
}

impl Withdraw {
    /// Opens the page, waits.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        decide(context, &self.id, DecisionKind::Withdraw, None, &self.waiting)
    }
}

/// The name of a decision in actions, views and addresses.
fn word(decision: DecisionKind) -> &'static str {
    match decision {
        DecisionKind::Approve => "approve",
        DecisionKind::Reject => "reject",
        DecisionKind::Withdraw => "withdraw",
        DecisionKind::Revoke => "revoke",
        DecisionKind::Override => "override",
        DecisionKind::BreakGlass => "break_glass",
    }
}

/// Shows what is about to be decided, opens the page, and waits until this person's decision stands in the log.
pub fn decide(
    context: &Context<'_>,
    id: &str,
    decision: DecisionKind,
    reason: Option<&str>,
    waiting: &Waiting,
) -> Result<Exit, Failure> {
    let (output, client) = (context.output, context.client()?);
    let before = read(&client, id)?;
    refuse_what_is_not_open(&before, decision)?;
    output.note(&show_view(&before, output));
    output.note(&format!(
        "the page must show this digest: {}",
        output.on_stderr(Tone::Strong, &grouped(&before.request_sha256))
    ));
    if let Some(reason) = reason {
        output.note(&format!("reason to enter on the page: {}", clean(reason)));
    }
    browser::open(output, &page(context, id)?, true);
    wait::announce_on_interrupt(id, output)?;
    let person = client.session()?.person().to_owned();
    let limit = Some(Duration::from_secs(waiting.timeout));
    let waited =
        wait::for_request(&client, id, limit, output, |view| outcome(&before, view, &person, decision))?;
    let view = read(&client, id)?;
    context.output.show(&view, |output| show_view(&view, output))?;
    match waited {
        Waited::Until(exit) => Ok(exit),
        Waited::TimedOut => Ok(Exit::Pending),
    }
}

fn page(context: &Context<'_>, id: &str) -> Result<String, Failure> {
    Ok(format!("{}/review/{}", context.settings.server()?, segment(id)?))
}

/// The server says what is open to this person; asking it is better than guessing.
fn refuse_what_is_not_open(view: &RequestView, decision: DecisionKind) -> Result<(), Failure> {
    let Some(action) = view.actions.get(word(decision)) else { return Ok(()) };
    if action.allowed {
        return Ok(());
    }
    let code = action.code.as_deref().unwrap_or_default();
    let exit = if code == "wrong_state" || code == "already_decided" { Exit::Ended } else { Exit::Error };
    Err(Failure::Outcome {
        exit,
        message: action.reason.clone().unwrap_or_else(|| "this decision is not open to you".to_owned()),
        remedy: "`chancery request view` shows who may decide".to_owned(),
    })
}

/// Whether waiting is over: the decision stands, or the request went another way.
fn outcome(before: &RequestView, now: &RequestView, person: &str, decision: DecisionKind) -> Option<Exit> {
    let known = before.decisions.iter().map(|decision| decision.leaf_index).max();
    let is_it = |made: &&DecisionView| {
        made.person.person == person
            && made.decision == word(decision)
            && known.is_none_or(|known| made.leaf_index > known)
    };
    if now.decisions.iter().any(|made| is_it(&made)) {
        return Some(Exit::Done);
    }
    let moved_on = now.revision != before.revision
        || (now.state != before.state && Exit::of_state(&now.state).is_some());
    moved_on.then_some(Exit::Ended)
}

/// Ends a grant early: a decision like the others.
pub fn revoke(context: &Context<'_>, id: &str, reason: &str, waiting: &Waiting) -> Result<Exit, Failure> {
    decide(context, id, DecisionKind::Revoke, Some(reason), waiting)
}
