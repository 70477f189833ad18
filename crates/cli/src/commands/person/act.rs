//! Acts on people. A passkey signs, and passkeys live in browsers: the command opens the page and waits until the
//! directory shows what it did.

use std::thread;
use std::time::{Duration, Instant};

use chancery_api::person::PersonView;
use chancery_canonical::base64::decode_url;
use clap::Args;

use crate::browser;
use crate::client::Client;
use crate::commands::segment;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::moment;

const ASK_EVERY: Duration = Duration::from_secs(1);

/// How long to wait for the page.
#[derive(Debug, Args)]
pub struct Waiting {
    /// How long to wait for the signature; then exit with 8
    #[arg(long, value_name = "LENGTH", default_value = "10m", value_parser = moment::parse_seconds)]
    timeout: u64,
}

/// One act on one person, as the page is told of it.
#[derive(Debug)]
pub struct Act<'a> {
    /// Its kind.
    pub act: &'static str,
    /// Whom it is about.
    pub person: &'a str,
    /// The passkey that it names, if it names one.
    pub credential_id: Option<&'a str>,
}

impl Act<'_> {
    /// Opens the page on which it is signed, and waits until `done`.
    ///
    /// # Errors
    /// What the server says, or that it cannot be reached.
    pub fn sign(
        &self,
        context: &Context<'_>,
        client: &Client,
        waiting: &Waiting,
        done: impl Fn(&PersonView) -> bool,
    ) -> Result<Exit, Failure> {
        let mut url =
            format!("{}/sign#/act/{}/{}", context.settings.server()?, self.act, segment(self.person)?);
        if let Some(id) = self.credential_id {
            url.push('/');
            url.push_str(id);
        }
        browser::open(context.output, &url, true);
        let (start, limit) = (Instant::now(), Duration::from_secs(waiting.timeout));
        let own = client.session()?.person() == self.person;
        loop {
            let view = match person(client, self.person) {
                Ok(view) => view,
                // Whoever acts on themself may have taken away what they signed in with.
                Err(Failure::Problem(problem)) if own && problem.status == 401 => {
                    context.output.note("done; this session ended with it: `chancery login` signs in again");
                    return Ok(Exit::Done);
                }
                Err(failure) => return Err(failure),
            };
            if done(&view) {
                context.output.show(&view, |output| super::one(&view, output))?;
                return Ok(Exit::Done);
            }
            if start.elapsed() >= limit {
                context.output.note("nothing was recorded yet; the page shows who still has to sign");
                return Ok(Exit::Pending);
            }
            thread::sleep(ASK_EVERY);
        }
    }
}

/// A person of the directory.
pub fn person(client: &Client, id: &str) -> Result<PersonView, Failure> {
    client.read(&format!("/api/v1/persons/{}", segment(id)?))
}

/// A credential id as it stands in an address: nothing that a server says leads the browser elsewhere.
pub fn passkey(credential_id: &str) -> Result<String, Failure> {
    let plain = decode_url(credential_id).is_ok_and(|bytes| !bytes.is_empty());
    if plain {
        Ok(credential_id.to_owned())
    } else {
        Err(Failure::Fault("the server names no passkey".to_owned()))
    }
}
