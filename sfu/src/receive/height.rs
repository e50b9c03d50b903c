//! How tall the pictures of a layer are, by its key frames.

/// A phone is turned, a camera is exchanged: the height of a layer changes while it is watched, and with it which
/// layer fits a tile.
#[derive(Debug, Default)]
pub struct Height {
    lines: Option<u16>,
    /// What it was when layers were last chosen by it.
    judged: Option<u16>,
}

impl Height {
    /// Takes the height in a packet, if it has one.
    pub fn update(&mut self, lines: Option<u16>) {
        self.lines = lines.or(self.lines);
    }

    pub fn lines(&self) -> Option<u16> {
        self.lines
    }

    /// Whether it has changed since the last call. Called once a second: a source that changes its height with each key
    /// frame costs no more than one that does so once.
    pub fn has_changed(&mut self) -> bool {
        std::mem::replace(&mut self.judged, self.lines) != self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_change_however_often_it_is_reported() {
        let mut height = Height::default();
        assert!(!height.has_changed());
        for lines in [Some(180), None, Some(180)] {
            height.update(lines);
        }
        assert_eq!(height.lines(), Some(180));
        assert!(height.has_changed());
        assert!(!height.has_changed());
        height.update(None);
        assert!(!height.has_changed());
        height.update(Some(320));
        height.update(Some(180));
        assert!(!height.has_changed(), "there and back");
        height.update(Some(320));
        assert!(height.has_changed());
    }
}
