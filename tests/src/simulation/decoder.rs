//! A decoder that complains: it begins with a key frame, and shows a picture only whole and upon what it has shown.

use super::codec::Descriptor;
use super::picture::Told;
use rtc::rtp;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(super) struct Decoder {
    source: Option<(u8, u8)>,
    /// Timestamp, and what the picture's first packet said.
    last: Option<(u32, Descriptor)>,
    open: bool,
    /// Each with its number in the codec's own words.
    shown: BTreeMap<u32, Option<u16>>,
    /// Waits for a key frame, as at the start.
    pub broken: bool,
    /// The bridge may leave out upper temporal layers.
    pub thinned: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder {
            source: None,
            last: None,
            open: false,
            shown: BTreeMap::new(),
            broken: true,
            thinned: false,
        }
    }
}

impl Decoder {
    pub fn take(&mut self, packet: &rtp::Packet) -> Result<(), String> {
        let descriptor = Descriptor::read(packet).ok_or("no video")?;
        let told = Told::read(&packet.payload).ok_or("not ours")?;
        let timestamp = packet.header.timestamp;
        let result = if descriptor.start {
            self.begin(timestamp, descriptor, told)
        } else {
            self.go_on(timestamp, descriptor, told)
        };
        if packet.header.marker && !self.broken {
            self.open = false;
            self.shown.insert(told.picture, descriptor.number);
        }
        result.inspect_err(|_| self.broken = true)
    }

    fn begin(&mut self, timestamp: u32, descriptor: Descriptor, told: Told) -> Result<(), String> {
        let whole = !self.broken;
        self.broken &= !descriptor.key;
        if self.broken {
            return Ok(());
        }
        let (source, before) = (self.source, self.last);
        let torn = std::mem::replace(&mut self.open, true);
        (self.source, self.last) = (Some((told.site, told.layer)), Some((timestamp, descriptor)));
        if descriptor.key {
            self.shown.clear();
        }
        let Some((_, last)) = before.filter(|_| whole) else {
            return if descriptor.key { Ok(()) } else { Err("no key frame".to_owned()) };
        };
        // A picture whose tail is lost is given up for a key frame (`PICTURE_END_TIMEOUT`). Of a picture that
        // was left out, a part may come by RTX: its number was kept when nobody knew what it was.
        if torn && (descriptor.key || (self.thinned && last.temporal > 0)) {
            return Ok(());
        }
        if torn {
            return Err("the picture before is torn".to_owned());
        }
        if !descriptor.key && source != self.source {
            return Err("another source without a key frame".to_owned());
        }
        self.build_upon(last, descriptor, told)
    }

    /// A picture that begins whole behind another one: its ids follow, and what it needs was shown.
    fn build_upon(&self, last: Descriptor, descriptor: Descriptor, told: Told) -> Result<(), String> {
        if !descriptor.follows(&last) && !self.thinned {
            return Err(format!("ids leap from {last:?} to {descriptor:?}"));
        }
        // Upper layers that were left out may come by RTX all the same: their numbers were kept when nobody
        // knew what they were.
        let fragment = self.thinned && descriptor.temporal > 0;
        let shown = self.shown.get(&told.needs);
        if !descriptor.key && !fragment && shown.is_none() {
            let newest: Vec<u32> = self.shown.keys().rev().take(6).copied().collect();
            let temporal = descriptor.temporal;
            return Err(format!("of layer {temporal}, builds upon {}, not among {newest:?}", told.needs));
        }
        match (descriptor.refers_to, shown.copied().flatten()) {
            (Some(named), Some(number)) if named != number => {
                Err(format!("names number {named} where it is built upon number {number}"))
            }
            _ => Ok(()),
        }
    }

    fn go_on(&mut self, timestamp: u32, descriptor: Descriptor, told: Told) -> Result<(), String> {
        if self.broken {
            return Ok(());
        }
        let fits = self.last.is_some_and(|(at, d)| at == timestamp && d.number == descriptor.number);
        let ours = self.source == Some((told.site, told.layer));
        // Of a left-out picture, as above.
        let fragment = self.thinned && descriptor.temporal > 0;
        if (self.open && fits && ours) || fragment {
            Ok(())
        } else {
            Err("a packet of no picture".to_owned())
        }
    }
}
