//! Secrets of links and seats. A client that knows one is that site, so none is ever shown by accident: not by `{:?}`
//! of something it is part of, not in a trace, not in a parser's error.

use rand::Rng;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Text that is only seen where [`Secret::reveal`] is written.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// 128 random bits in hexadecimal: for seats and join links.
    pub fn fresh() -> Secret {
        let bytes: [u8; 16] = rand::rng().random();
        Secret(bytes.iter().map(|b| format!("{b:02x}")).collect())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(text.to_owned())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    /// A parser's own error quotes what it found: `invalid type: integer 123…, expected a string`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        let text = String::deserialize(deserializer);
        text.map(Secret).map_err(|_| D::Error::custom("phải là một chuỗi trong dấu ngoặc kép"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_secrets_have_128_bits_and_differ() {
        let (one, other) = (Secret::fresh(), Secret::fresh());
        assert_ne!(one, other);
        assert_eq!(one.reveal().len(), 32);
        assert!(one.reveal().chars().all(|c| c.is_ascii_hexdigit()));
    }
}
