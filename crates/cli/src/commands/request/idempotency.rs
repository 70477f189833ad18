//! What was submitted under an idempotency key, so that the same command line, run again, rejoins its request.
//!
//! A draft has a fresh id and salts each time; only the very body that was sent can be sent again.

use std::path::PathBuf;

use chancery_api::request::SubmitRequest;
use chancery_canonical::Sha256;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::failure::Failure;
use crate::files;

/// The body of one submission.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    request: String,
    /// Digest of the arguments.
    arguments: Sha256,
    body: SubmitRequest,
}

impl Kept {
    /// Of what is about to be sent.
    pub fn new(request: &str, arguments: &Sha256, body: &SubmitRequest) -> Self {
        Self { request: request.to_owned(), arguments: *arguments, body: body.clone() }
    }

    /// What was sent under this key, to this server, by this person.
    pub fn load(client: &Client, key: &str) -> Result<Option<Self>, Failure> {
        let path = path_of(client, key)?;
        let Some(text) = files::read_if_there(&path)? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|fault| Failure::file(&path, fault))
    }

    /// Keeps it.
    pub fn save(&self, client: &Client, key: &str) -> Result<(), Failure> {
        let text = serde_json::to_vec(self).map_err(|fault| Failure::Fault(fault.to_string()))?;
        files::write_private(&path_of(client, key)?, &text)
    }

    /// Refuses to rejoin a request that asked for something else.
    pub fn require_same(&self, arguments: &Sha256) -> Result<(), Failure> {
        if self.arguments == *arguments {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "this idempotency key was used for another request (`{}`): use a new key",
            self.request
        )))
    }

    /// The request.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The body.
    pub fn body(&self) -> &SubmitRequest {
        &self.body
    }
}

fn path_of(client: &Client, key: &str) -> Result<PathBuf, Failure> {
    if key.is_empty() || key.len() > 200 || !key.chars().all(|character| character.is_ascii_graphic()) {
        return Err(Failure::Usage("an idempotency key has 1 to 200 visible ASCII characters".to_owned()));
    }
    let name = format!("{}\n{}\n{key}", client.server(), client.session()?.person());
    Ok(files::state_folder()?.join("submitted").join(format!("{}.json", Sha256::of(name.as_bytes()))))
}
