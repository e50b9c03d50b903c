//! What of a wish a video slot does not show, and by whose doing.

/// What a video slot shows less of than its viewer wishes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is left.
    pub shows: Less,
    /// Whose line or machine it is.
    pub by: LimitedBy,
}

/// What is left of a picture, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Less {
    /// A smaller picture that moves.
    Lower,
    /// Fewer frames a second.
    Fewer,
    /// A picture every few seconds.
    Stills,
    /// The last picture.
    Held,
}

/// What limits a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitedBy {
    /// The line of the viewer.
    Viewer,
    /// The publisher, which sends no more, or whose line carries no more.
    Publisher,
    /// The server, which cannot keep up.
    Server,
}
