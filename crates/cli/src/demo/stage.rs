//! An installation with its people, for tests: what the demonstration sets up before its first request.

use std::path::PathBuf;

use super::installation::Installation;
use super::people::{Cast, enrol_administrators, enrol_people};
use super::story::Story;
use crate::cli::Global;
use crate::failure::Failure;
use crate::output::{Format, Output};

/// A running server whose trust root is sealed, and everybody enrolled and signed in.
pub struct Stage {
    cast: Cast,
    installation: Installation,
}

impl Stage {
    /// Sets it, in silence.
    ///
    /// # Errors
    /// The step that did not come out as told.
    pub fn set() -> Result<Self, Failure> {
        let output = Output::new(&Global { quiet: true, output: Format::Json, ..Global::default() });
        let mut story = Story::begin(&output);
        let installation = Installation::make(&mut story)?;
        let administrators = enrol_administrators(&mut story, &installation)?;
        installation.seal(&mut story)?;
        let cast = enrol_people(&mut story, &installation, administrators)?;
        Ok(Self { cast, installation })
    }

    /// The server's web origin.
    pub fn url(&self) -> &str {
        self.installation.url()
    }

    /// The installation.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Everybody.
    pub fn cast(&self) -> &Cast {
        &self.cast
    }

    /// The sealed trust root.
    pub fn trust_folder(&self) -> PathBuf {
        self.installation.trust_folder()
    }
}
