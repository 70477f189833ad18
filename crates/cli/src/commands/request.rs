//! Asking for something, and following what becomes of it.

mod create;
mod idempotency;
mod show;

use std::time::Duration;

use chancery_api::request::{RequestSummary, RequestView};
use clap::{Subcommand, ValueEnum};

use crate::browser;
use crate::client::Client;
use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::{Output, Table, clean};
use crate::wait::{self, Waited};

pub use create::{Create, check_draft};
pub use show::{clock, grouped, view as show_view};

/// `chancery request`
#[derive(Debug, Subcommand)]
pub enum Request {
    /// Ask for an entitlement, and wait for the decision
    Create(Box<Create>),
    /// Requests that you may see
    List(List),
    /// One request: what is asked, who must approve, what happened
    View {
        /// Its id
        id: String,
    },
    /// Wait until a request is decided
    Wait {
        /// Its id
        id: String,
        /// How long to wait
        #[arg(long, value_name = "LENGTH", value_parser = moment::parse_seconds)]
        timeout: Option<u64>,
    },
    /// Take a request back
    Cancel {
        /// Its id
        id: String,
    },
    /// Open a request in the browser
    Open {
        /// Its id
        id: String,
    },
}

/// `chancery request list`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  chancery request list --role approver --state pending\n  chancery request list -o jsonl --limit 200"
)]
pub struct List {
    /// In which part you stand
    #[arg(long, value_enum, default_value_t)]
    role: Role,
    /// Only those in this state
    #[arg(long)]
    state: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// In which part the reader stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Role {
    Requester,
    Approver,
    #[default]
    Any,
}

impl Request {
    /// Does it.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Create(create) => create.run(context),
            Self::List(list) => list.run(context),
            Self::View { id } => {
                let view = read(&context.client()?, &id)?;
                context.output.show(&view, |output| show::view(&view, output))?;
                Ok(Exit::Done)
            }
            Self::Wait { id, timeout } => follow(context, &context.client()?, &id, timeout),
            Self::Cancel { id } => cancel(context, &id),
            Self::Open { id } => {
                let url = format!("{}/review/{}", context.settings.server()?, segment(&id)?);
                browser::open(context.output, &url, true);
                Ok(Exit::Done)
            }
        }
    }
}

/// Reads one request.
pub fn read(client: &Client, id: &str) -> Result<RequestView, Failure> {
    client.read(&format!("/api/v1/requests/{}", segment(id)?))
}

/// Waits for the decision, shows the request, and says by the exit code what it was.
pub fn follow(
    context: &Context<'_>,
    client: &Client,
    id: &str,
    timeout: Option<u64>,
) -> Result<Exit, Failure> {
    let output = context.output;
    segment(id)?;
    wait::announce_on_interrupt(id, output)?;
    let revision = read(client, id)?.revision;
    let limit = timeout.map(Duration::from_secs);
    let waited = wait::for_request(client, id, limit, output, |view| {
        let decided = view.revision != revision || Exit::of_state(&view.state).is_some();
        decided.then(|| view.clone())
    })?;
    let view = match waited {
        Waited::Until(view) => view,
        Waited::TimedOut => read(client, id)?,
    };
    finish(output, &view, revision)
}

/// Shows where a request stands, and turns that into an exit code.
pub fn finish(output: &Output, view: &RequestView, revision: u32) -> Result<Exit, Failure> {
    output.show(view, |output| show::view(view, output))?;
    if view.revision != revision {
        output.note(&format!("the request was changed: it is at revision {} now", view.revision));
        return Ok(Exit::Ended);
    }
    let Some(exit) = Exit::of_state(&view.state) else {
        output.note(&format!("still pending; `chancery request wait {}` goes on waiting", view.id));
        return Ok(Exit::Pending);
    };
    if exit == Exit::Done {
        output.note(&format!("next: chancery grant credential {}", view.id));
    }
    Ok(exit)
}

fn cancel(context: &Context<'_>, id: &str) -> Result<Exit, Failure> {
    let client = context.client()?;
    client.post_empty(&format!("/api/v1/requests/{}/cancel", segment(id)?))?;
    let view = read(&client, id)?;
    context.output.show(&view, |_| format!("request {}: {}", clean(&view.id), clean(&view.state)))?;
    Ok(Exit::Done)
}

impl List {
    fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let client = context.client()?;
        let role = match self.role {
            Role::Requester => "requester",
            Role::Approver => "approver",
            Role::Any => "any",
        };
        let state = self.state.as_deref().map(|state| ("state", state));
        let filters: Vec<(&str, &str)> = std::iter::once(("role", role)).chain(state).collect();
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let items: Vec<RequestSummary> = client.list("/api/v1/requests", &filters, limit)?;
        context.output.show_all(&items, |output| {
            let mut table = Table::with_header(&["REQUEST", "STATE", "ENTITLEMENT", "BY", "RISK", "DUE"]);
            for item in &items {
                table.row([
                    item.id.clone(),
                    item.state.clone(),
                    item.entitlement.clone(),
                    item.requester.name.clone().unwrap_or_else(|| item.requester.person.clone()),
                    item.risk_score.to_string(),
                    item.due_at.as_deref().map(moment::with_distance).unwrap_or_default(),
                ]);
            }
            table.render(output, "no requests")
        })?;
        Ok(Exit::Done)
    }
}
