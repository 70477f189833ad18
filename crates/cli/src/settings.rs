//! Which server, which profile, which form of output: flag, else environment (clap reads both), else the
//! project's `.chancery.toml`, else the user's `config.toml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::Global;
use crate::failure::Failure;
use crate::files;

/// The profile when none is named.
const DEFAULT_PROFILE: &str = "default";
/// The name of a project's file, looked for in the current folder and those above it.
const PROJECT_FILE: &str = ".chancery.toml";

/// What the files may say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    server: Option<String>,
    profile: Option<String>,
    /// Named sets of the same; `--profile NAME` picks one.
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    server: Option<String>,
}

/// What holds for this command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    server: Option<String>,
    profile: String,
}

impl Settings {
    /// Reads what applies here.
    ///
    /// # Errors
    /// A file that cannot be read, or holds keys that nobody knows.
    pub fn load(global: &Global) -> Result<Self, Failure> {
        let project = match project_file() {
            Some(path) => read(&path)?,
            None => File::default(),
        };
        let user = read(&files::config_folder()?.join("config.toml"))?;
        Self::merge(global, &project, &user)
    }

    fn merge(global: &Global, project: &File, user: &File) -> Result<Self, Failure> {
        let profile = global.profile.as_ref().or(project.profile.as_ref()).or(user.profile.as_ref());
        let profile = profile.map_or(DEFAULT_PROFILE, String::as_str);
        let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        if profile.is_empty() || profile.len() > 64 || !profile.chars().all(plain) {
            return Err(Failure::Usage(format!(
                "`{profile}` is not a profile: use letters, digits, `-` and `_`"
            )));
        }
        let of = |file: &File| {
            file.profiles
                .get(profile)
                .and_then(|profile| profile.server.clone())
                .or_else(|| file.server.clone())
        };
        let server = global.server.clone().or_else(|| of(project)).or_else(|| of(user));
        let server = server.map(|server| server.trim_end_matches('/').to_owned());
        Ok(Self { server, profile: profile.to_owned() })
    }

    /// The server's web origin.
    ///
    /// # Errors
    /// [`Failure::Usage`] when nothing names one.
    pub fn server(&self) -> Result<&str, Failure> {
        self.server.as_deref().ok_or_else(|| {
            Failure::Usage(format!(
                "no server is named: use `--server URL`, `CHANCERY_SERVER`, or `server = \"URL\"` in {PROJECT_FILE} or config.toml"
            ))
        })
    }

    /// Names the session.
    pub fn profile(&self) -> &str {
        &self.profile
    }
}

fn project_file() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|folder| folder.join(PROJECT_FILE)).find(|path| path.is_file())
}

fn read(path: &Path) -> Result<File, Failure> {
    match files::read_if_there(path)? {
        Some(text) => toml::from_str(&text).map_err(|fault| {
            // Its picture of the place takes several lines; an error has one.
            let before = fault.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Failure::file(path, format!("line {line}: {}", fault.message().trim_end()))
        }),
        None => Ok(File::default()),
    }
}

#[cfg(test)]
mod tests;
