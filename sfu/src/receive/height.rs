//! How tall the pictures of a layer are, as its key frames tell.

/// A phone is turned, a camera is exchanged: the height of a layer changes while it is watched, and with it which
/// layer fits a tile.
#[derive(Debug, Default)]
pub struct Height {
    told: Option<u16>,
    /// What it was when layers were last chosen by it.
    judged: Option<u16>,
}

impl Height {
    /// Of a packet that tells one.
    pub fn tell(&mut self, lines: Option<u16>) {
        self.told = lines.or(self.told);
    }

    pub fn lines(&self) -> Option<u16> {
        self.told
    }

    /// Whether it is another one than when this was last asked. Asked once a second: a source that says another
    /// height with each key frame costs no more than one that does so once.
    pub fn has_changed(&mut self) -> bool {
        std::mem::replace(&mut self.judged, self.told) != self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_one_change_however_often_it_is_told() {
        let mut height = Height::default();
        assert!(!height.has_changed());
        for lines in [Some(180), None, Some(180)] {
            height.tell(lines);
        }
        assert_eq!(height.lines(), Some(180));
        assert!(height.has_changed());
        assert!(!height.has_changed());
        height.tell(None);
        assert!(!height.has_changed());
        height.tell(Some(320));
        height.tell(Some(180));
        assert!(!height.has_changed(), "there and back");
        height.tell(Some(320));
        assert!(height.has_changed());
    }
}
