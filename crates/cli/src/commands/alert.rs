//! What somebody has to look at: a request that an approver found suspicious, digits that did not match.

use chancery_api::alert::AlertView;
use chancery_api::person::PersonReference;
use clap::{Subcommand, ValueEnum};

use crate::client::decode;
use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::{Output, Table, Tone};

/// `chancery alert`
#[derive(Debug, Subcommand)]
pub enum Alert {
    /// Alerts that you may see, newest first
    #[command(after_help = "Example:\n  chancery alert list --state open")]
    List {
        /// Only these
        #[arg(long, value_enum)]
        state: Option<State>,
    },
    /// Say that you looked at an alert; a requester that it froze may ask again
    #[command(
        after_help = "An identity administrator does it, and never the requester.\n\nExample:\n  chancery alert ack 01JD3Z5YQX8M0V4K2T7B9C6E1A"
    )]
    Ack {
        /// Its id
        id: String,
    },
}

/// Whether somebody looked at it. (Variants have no comments: clap would print a page of them.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum State {
    Open,
    Acknowledged,
}

impl Alert {
    /// Does it.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let client = context.client()?;
        match self {
            Self::List { state } => {
                let state = state.map(|state| match state {
                    State::Open => ("state", "open"),
                    State::Acknowledged => ("state", "acknowledged"),
                });
                let alerts: Vec<AlertView> = client.list("/api/v1/alerts", state.as_slice(), usize::MAX)?;
                context.output.show_all(&alerts, |output| table(&alerts, output))?;
            }
            Self::Ack { id } => {
                let answer = client.post_empty(&format!("/api/v1/alerts/{}/acknowledge", segment(&id)?))?;
                let alert: AlertView = decode(&answer)?;
                context.output.show(&alert, |output| table(std::slice::from_ref(&alert), output))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn table(alerts: &[AlertView], output: &Output) -> String {
    let mut table =
        Table::with_header(&["ALERT", "WHY", "REQUEST", "ASKED BY", "RAISED BY", "RAISED", "STATE"]);
    for alert in alerts {
        let (tone, state) = match (&alert.acknowledged_by, alert.freezes) {
            (Some(person), _) => (Tone::Faint, format!("acknowledged by {}", name(person))),
            (None, true) => (Tone::Bad, "open, the requester is frozen".to_owned()),
            (None, false) => (Tone::Bad, "open".to_owned()),
        };
        table.toned(vec![
            (None, alert.id.clone()),
            (None, alert.reason.replace('_', " ")),
            (None, alert.request.clone()),
            (None, name(&alert.requester).to_owned()),
            (None, name(&alert.raised_by).to_owned()),
            (None, moment::with_distance(&alert.raised_at)),
            (Some(tone), state),
        ]);
    }
    table.render(output, "no alerts")
}

fn name(person: &PersonReference) -> &str {
    person.name.as_deref().unwrap_or(&person.person)
}
