//! What every command has at hand.

use chancery_api::server::ServerInformation;

use crate::client::Client;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use crate::settings::Settings;

/// Settings, output, and the way to the server.
#[derive(Debug)]
pub struct Context<'a> {
    /// Flags, environment and files, joined.
    pub settings: Settings,
    /// Where to say things.
    pub output: &'a Output,
}

impl Context<'_> {
    /// A client for whoever is signed in.
    ///
    /// # Errors
    /// [`Failure::SignIn`] when nobody is.
    pub fn client(&self) -> Result<Client, Failure> {
        let server = self.settings.server()?;
        let session = Session::load(server, self.settings.profile())?;
        self.output.detail(&format!("server {server}, profile {}", self.settings.profile()));
        let client = Client::new(server, session)?;
        client.session()?;
        Ok(client)
    }

    /// A client for nobody.
    ///
    /// # Errors
    /// When no server is named.
    pub fn anonymous(&self) -> Result<Client, Failure> {
        Client::new(self.settings.server()?, None)
    }

    /// What the server says of itself.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn server_information(&self) -> Result<ServerInformation, Failure> {
        self.anonymous()?.read("/api/v1/server")
    }
}
