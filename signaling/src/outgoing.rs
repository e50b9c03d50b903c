//! A message on its way to sites: serialised once, however many get it.

use axum::extract::ws::Utf8Bytes;
use protocol::{Sdp, ServerMessage};
use std::mem::{Discriminant, discriminant};

/// A message as it goes out. What many get is serialised once, and shared.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    kind: Discriminant<ServerMessage>,
    part: Part,
    text: Utf8Bytes,
    /// The SDP of an answer: the connection packs it where the offer came packed.
    answer: Option<String>,
}

/// How a message relates to those that still wait before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All are needed.
    Single,
    /// Of its kind only the newest is true.
    Snapshot,
    /// Of all links, and so it takes the place of changes too.
    Links,
    /// What of the links has changed since the last of these.
    LinkChanges,
}

impl Part {
    fn of(message: &ServerMessage) -> Part {
        match message {
            ServerMessage::Meeting { .. } | ServerMessage::Slots { .. } | ServerMessage::Speakers { .. } => {
                Part::Snapshot
            }
            ServerMessage::Links { .. } => Part::Links,
            ServerMessage::LinkChanges { .. } => Part::LinkChanges,
            _ => Part::Single,
        }
    }
}

impl Outgoing {
    pub fn of(message: &ServerMessage) -> Outgoing {
        // Strings, numbers and lists of them: nothing of ours cannot be written as JSON.
        let text = serde_json::to_string(message).unwrap_or_default();
        let answer = match message {
            ServerMessage::Answer { sdp: Sdp::Plain(text) } => Some(text.clone()),
            _ => None,
        };
        Outgoing { kind: discriminant(message), part: Part::of(message), text: text.into(), answer }
    }

    /// Of which only one may wait, if it is a snapshot.
    pub fn kind(&self) -> Discriminant<ServerMessage> {
        self.kind
    }

    pub fn part(&self) -> Part {
        self.part
    }

    /// The plain SDP of an answer.
    pub fn answer(&self) -> Option<&str> {
        self.answer.as_deref()
    }

    pub fn text(&self) -> &Utf8Bytes {
        &self.text
    }
}

impl From<ServerMessage> for Outgoing {
    fn from(message: ServerMessage) -> Outgoing {
        Outgoing::of(&message)
    }
}
