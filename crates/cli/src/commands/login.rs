//! Signing in and out.

use std::thread;
use std::time::Duration;

use chancery_api::login::{Login as Begun, LoginRequest, LoginStatus, SignedIn};
use chancery_api::session::WhoAmI;
use chancery_canonical::Sha256;
use clap::Args;

use crate::browser;
use crate::client::Client;
use crate::commands::request::grouped;
use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;
use crate::output::{Table, Tone};
use crate::session::{NewKey, Session};

const POLL_EVERY: Duration = Duration::from_millis(700);

/// `chancery login`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  chancery login --server https://chancery.example\n  chancery login --device    # on a machine without a browser"
)]
pub struct Login {
    /// Sign in on another device: print the address and the code, open nothing
    #[arg(long)]
    device: bool,
}

impl Login {
    /// Begins a login, shows where to sign, waits, and keeps the session.
    pub fn run(self, context: &Context<'_>) -> Result<Exit, Failure> {
        let (server, output) = (context.settings.server()?, context.output);
        let client = context.anonymous()?;
        let log_origin = context.server_information()?.log_origin;
        let key = NewKey::make()?;
        let begun: Begun = client.send("/api/v1/logins", &LoginRequest { public_key: key.public_key() })?;
        // Made from the key that is here: a server that introduced another key could not show this code.
        let code = grouped(&Sha256::of(&key.raw_public_key()).to_hex());
        output.note(&format!("the page must show this code: {}", output.on_stderr(Tone::Strong, &code)));
        browser::open(output, &begun.url, !self.device);
        let session = key.introduced(server, wait(&client, &begun)?)?;
        if session.log_origin() != log_origin {
            return Err(Failure::SignIn(format!("the session is for the log `{}`", session.log_origin())));
        }
        session.save(context.settings.profile())?;
        let client = Client::new(server, Some(session))?;
        show_person(context, &client)
    }
}

fn wait(client: &Client, begun: &Begun) -> Result<SignedIn, Failure> {
    let path = format!("/api/v1/logins/{}", segment(&begun.login)?);
    loop {
        match client.read(&path)? {
            LoginStatus::Done(signed_in) => return Ok(signed_in),
            LoginStatus::Pending { .. } => thread::sleep(POLL_EVERY),
        }
    }
}

/// Ends the session at the server, and forgets it here in any case.
pub fn logout(context: &Context<'_>) -> Result<Exit, Failure> {
    let (server, profile) = (context.settings.server()?, context.settings.profile());
    if let Some(session) = Session::load(server, profile)? {
        let ended = Client::new(server, Some(session))?.delete("/api/v1/sessions/current");
        if let Err(failure) = ended {
            context.output.note(&format!("the server did not end the session: {failure}"));
        }
    }
    Session::forget(server, profile)?;
    context.output.note("signed out");
    Ok(Exit::Done)
}

/// Shows who is signed in.
pub fn whoami(context: &Context<'_>) -> Result<Exit, Failure> {
    show_person(context, &context.client()?)
}

fn show_person(context: &Context<'_>, client: &Client) -> Result<Exit, Failure> {
    let who: WhoAmI = client.read("/api/v1/whoami")?;
    context.output.show(&who, |output| {
        let mut table = Table::default();
        table.pair("person", &who.person);
        if let Some(name) = &who.name {
            table.pair("name", name);
        }
        table.pair("roles", &who.roles.iter().cloned().collect::<Vec<_>>().join(", "));
        for (name, value) in &who.attributes {
            table.pair(name, value);
        }
        table.pair("passkeys", &who.passkeys.len().to_string());
        if let Some(recovery) = &who.recovery {
            let until = moment::with_distance(&recovery.counts_from);
            table.pair("recovery", &format!("running: a new passkey counts from {until}"));
            table.pair("if not yours", &format!("chancery person recover {} --stop", who.person));
        }
        table.pair("until", &moment::with_distance(&who.expires_at));
        table.render(output, "")
    })?;
    Ok(Exit::Done)
}
