//! Losses one after the other.

/// Runs of losses, found in one feedback.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Runs {
    pub count: u32,
    /// Packets in them.
    pub lost: u32,
    /// From departure of the first to that of the last of each, together, in microseconds.
    pub spans_us: u64,
    open: Option<(i64, i64)>,
}

impl Runs {
    /// The next packet, sent then, is lost.
    pub fn lose(&mut self, sent_us: i64) {
        self.lost = self.lost.saturating_add(1);
        let first = self.open.map_or(sent_us, |(first, _)| first);
        self.open = Some((first, sent_us));
    }

    /// The next packet arrived, or there is none.
    pub fn end(&mut self) {
        if let Some((first, last)) = self.open.take() {
            self.count = self.count.saturating_add(1);
            self.spans_us =
                self.spans_us.saturating_add(u64::try_from(last.saturating_sub(first)).unwrap_or(0));
        }
    }
}
