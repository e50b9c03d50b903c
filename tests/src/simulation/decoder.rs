//! A decoder that complains: it begins with a key frame, and decodes a frame only if it is whole and all that it
//! depends on was decoded.

use super::codec::{Descriptor, VideoCodec};
use super::frame::Stamp;
use rtc::rtp;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(super) struct Decoder {
    source: Option<(u8, u8)>,
    /// Timestamp and descriptor of the frame's first packet.
    last: Option<(u32, Descriptor)>,
    open: bool,
    /// Each with its number in the codec.
    shown: BTreeMap<u32, Option<u16>>,
    /// Waits for a key frame, as at the start.
    pub broken: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder { source: None, last: None, open: false, shown: BTreeMap::new(), broken: true }
    }
}

impl Decoder {
    pub fn take(&mut self, packet: &rtp::Packet) -> Result<(), String> {
        let descriptor = Descriptor::read(packet).ok_or("no video")?;
        let stamp = Stamp::read(&packet.payload).ok_or("not ours")?;
        let timestamp = packet.header.timestamp;
        let result = if descriptor.start {
            self.begin(timestamp, descriptor, stamp)
        } else {
            self.go_on(timestamp, descriptor, stamp)
        };
        if packet.header.marker && !self.broken {
            self.open = false;
            self.shown.insert(stamp.frame, descriptor.number);
        }
        result.inspect_err(|_| self.broken = true)
    }

    fn begin(&mut self, timestamp: u32, descriptor: Descriptor, stamp: Stamp) -> Result<(), String> {
        let whole = !self.broken;
        self.broken &= !descriptor.key;
        if self.broken {
            return Ok(());
        }
        let (source, before) = (self.source, self.last);
        let torn = std::mem::replace(&mut self.open, true);
        (self.source, self.last) = (Some((stamp.site, stamp.layer)), Some((timestamp, descriptor)));
        if descriptor.key {
            self.shown.clear();
        }
        let Some((_, last)) = before.filter(|_| whole) else {
            return if descriptor.key { Ok(()) } else { Err("no key frame".to_owned()) };
        };
        // A frame whose tail is lost is given up for a key frame (`FRAME_END_TIMEOUT`). Of a frame that was left out, a
        // part may come by RTX: its number was kept before it was known what it was.
        if torn && (descriptor.key || last.temporal > 0) {
            return Ok(());
        }
        if torn {
            return Err("the frame before is torn".to_owned());
        }
        if !descriptor.key && source != self.source {
            return Err("another source without a key frame".to_owned());
        }
        self.depend_on(last, descriptor, stamp)
    }

    /// A frame that begins after a whole one: its ids follow, and what it needs was decoded.
    fn depend_on(&self, last: Descriptor, descriptor: Descriptor, stamp: Stamp) -> Result<(), String> {
        // The bridge may leave out upper temporal layers at any time. Ids of VP8 have no holes even then, but after a frame
        // that was left out and came in part all the same, and before a key frame: what waited for the line was taken
        // back.
        let goes_on = descriptor.codec == VideoCodec::Vp8 && !descriptor.key && last.temporal == 0;
        if !descriptor.follows(&last) && goes_on {
            return Err(format!("ids leap from {last:?} to {descriptor:?}"));
        }
        // Upper layers that were left out may come by RTX all the same: their numbers were kept before it was known
        // what they were.
        let fragment = descriptor.temporal > 0;
        let shown = self.shown.get(&stamp.needs);
        if !descriptor.key && !fragment && shown.is_none() {
            let newest: Vec<u32> = self.shown.keys().rev().take(6).copied().collect();
            let temporal = descriptor.temporal;
            return Err(format!("of layer {temporal}, depends on {}, not among {newest:?}", stamp.needs));
        }
        match (descriptor.refers_to, shown.copied().flatten()) {
            (Some(named), Some(number)) if named != number => {
                Err(format!("names number {named} where it depends on number {number}"))
            }
            _ => Ok(()),
        }
    }

    fn go_on(&mut self, timestamp: u32, descriptor: Descriptor, stamp: Stamp) -> Result<(), String> {
        if self.broken {
            return Ok(());
        }
        let fits = self.last.is_some_and(|(at, d)| at == timestamp && d.number == descriptor.number);
        let ours = self.source == Some((stamp.site, stamp.layer));
        // Of a left-out frame, as above.
        let fragment = descriptor.temporal > 0;
        if (self.open && fits && ours) || fragment { Ok(()) } else { Err("a packet of no frame".to_owned()) }
    }
}
