//! Identifiers, parsed at the door: ULIDs in Crockford base 32, upper case, 26 characters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an identifier: expected 26 characters of Crockford base 32 in upper case (a ULID)")]
pub struct IdError(String);

/// The text of a ULID (github.com/ulid/spec): 26 characters, first one `0`..=`7`, so that it fits 128 bits.
fn check_ulid(text: &str) -> Result<(), IdError> {
    let fits = text.len() == 26 && text.starts_with(|c: char| ('0'..='7').contains(&c));
    let crockford = |b: u8| b.is_ascii_digit() || (b.is_ascii_uppercase() && !b"ILOU".contains(&b));
    if fits && text.bytes().all(crockford) {
        return Ok(());
    }
    Err(IdError(text.chars().take(40).collect()))
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The 26 characters.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                check_ulid(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// One request, through all its revisions; also the grant that it becomes.
    RequestId
);
identifier!(
    /// One human. Never an account, a group or a mail address.
    PersonId
);
identifier!(
    /// One credential instance under a grant.
    LeaseId
);

identifier!(
    /// One alert.
    AlertId
);

impl AlertId {
    /// The alert that a request raises: one at most, so that it has the request's id.
    pub fn of_request(id: &RequestId) -> Self {
        Self(id.0.clone())
    }

    /// The request that raised it, if one did.
    pub fn request(&self) -> RequestId {
        RequestId(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::PersonId;

    #[test]
    fn only_a_ulid_in_its_one_spelling_is_an_id() {
        for (text, good) in [
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", true),
            ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", true),
            ("8ZZZZZZZZZZZZZZZZZZZZZZZZZ", false),
            ("01arz3ndektsv4rrffq69g5fav", false),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAI", false),
            ("01ARZ3NDEKTSV4RRFFQ69G5FA", false),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAVV", false),
            ("", false),
            ("../../../../../../etc/pass", false),
        ] {
            assert_eq!(text.parse::<PersonId>().is_ok(), good, "{text}");
        }
    }
}
