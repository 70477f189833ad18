//! Why a bundle is refused.

/// Why a bundle is refused; each names the file and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The directory or a file cannot be read.
    #[error("cannot read `{path}`: {cause}")]
    Unreadable {
        /// Which.
        path: String,
        /// What the system says.
        cause: String,
    },
    /// A path that a bundle may not hold.
    #[error("`{path}` does not belong in a bundle: {remedy}")]
    Path {
        /// Which.
        path: String,
        /// What may.
        remedy: &'static str,
    },
    /// Too many files, or too large.
    #[error("`{what}` is over the limit of {limit}: make it smaller")]
    TooLarge {
        /// A path, or the whole bundle.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// `bundle.toml` is missing or wrong.
    #[error("`bundle.toml`: {0}")]
    Settings(String),
    /// A data file is wrong.
    #[error("`{file}`: {cause}")]
    Data {
        /// Which.
        file: String,
        /// What is wrong, and the remedy.
        cause: String,
    },
    /// A module does not parse or compile.
    #[error("`{file}` is not valid Rego: {cause}")]
    Rego {
        /// Which; `bundle` when the engine does not say.
        file: String,
        /// What the engine says.
        cause: String,
    },
    /// A module outside `chancery`.
    #[error("`{file}` is of package `{package}`: use a package under `chancery`")]
    Package {
        /// Which.
        file: String,
        /// Its package.
        package: String,
    },
    /// A reference to nothing. In plain Rego its negation would be true.
    #[error(
        "`{file}` line {line} refers to `{reference}`, which no module and no data defines: correct the name"
    )]
    UnknownReference {
        /// Which.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The path after `data`.
        reference: String,
    },
    /// A builtin that could answer differently tomorrow, or that the engine lacks.
    #[error(
        "`{file}` line {line} calls `{builtin}`, which is not deterministic or not offered: take the fact from `input`"
    )]
    Builtin {
        /// Which.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The builtin.
        builtin: String,
    },
    /// Rules that lead back to themselves.
    #[error("rule `{rule}` depends on itself: break the circle")]
    Recursion {
        /// One of the rules.
        rule: String,
    },
    /// Rules that need others, and those others, further than the engine's stack goes.
    #[error("rule `{rule}` leads too deep into other rules: let it need fewer of them, or shorten them")]
    TooDeep {
        /// The rule.
        rule: String,
    },
    /// A package that contributes, and that `bundle.toml` does not know.
    #[error(
        "`{file}` contributes to `{package}.{set}`, but `bundle.toml` names no root `{package}`: name it, with its owners"
    )]
    UnnamedRoot {
        /// Which.
        file: String,
        /// Its package.
        package: String,
        /// The set.
        set: String,
    },
    /// A set that is defined as something else.
    #[error(
        "`{file}` line {line} defines `{set}` as something else than a set: write `{set} contains … if …`"
    )]
    NotASet {
        /// Which.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The set.
        set: String,
    },
}
