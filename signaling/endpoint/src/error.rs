//! Why an endpoint is not in the meeting: a stable code and a sentence for people.

use protocol::ErrorCode;

/// `code` is for scripts and never changes; `text` is Vietnamese and may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} [{code}]")]
pub struct JoinError {
    pub code: String,
    pub text: String,
}

impl JoinError {
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), text: text.into() }
    }

    /// The server said no; its own code and sentence are handed on.
    pub fn refused(code: ErrorCode, text: String) -> Self {
        Self::new(&code.to_string(), text)
    }

    /// The peer connection itself failed; not by a mistake of the user.
    pub fn media(cause: impl std::fmt::Display) -> Self {
        Self::new("media_failed", format!("Không thiết lập được đường truyền hình và tiếng: {cause}."))
    }

    /// Whether trying again can never help, so that even a demo site stops.
    pub fn is_final(&self) -> bool {
        matches!(
            self.code.as_str(),
            "bad_link"
                | "unknown_link"
                | "seat_taken"
                | "meeting_ended"
                | "site_removed"
                | "version"
                | "ended"
                | "removed"
                | "taken_over"
        )
    }
}
