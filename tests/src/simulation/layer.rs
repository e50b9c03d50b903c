//! One layer of a source: an encoder and the stream it sends on.

use super::codec::VideoCodec;
use super::frame::{CONTENT, Encoder};
use super::outgoing::{Outgoing, SiteClock};
use super::port::Port;
use std::time::Instant;

pub struct Layer {
    pub stream: Outgoing,
    pub(super) encoder: Encoder,
    /// The encoder leaves this layer out, as an encoder does that is short of bandwidth.
    pub quiet: bool,
    /// Padding after every frame, as of a sender that probes for bandwidth.
    pub pads: bool,
}

/// Of what is presented: the page at half the size, and as it is. Its SSRCs begin with this one.
pub(super) fn content_layers(site: u8, codec: VideoCodec, ssrc: u32, mid: &'static str) -> Vec<Layer> {
    let rids = if codec.is_simulcast() { &["l", "h"][..] } else { &[""] };
    let numbered = rids.iter().zip(0u8..).zip([360, 720]);
    let layers = numbered.map(|((rid, number), lines)| {
        let mut layer = Layer::new((site, CONTENT + number), codec, ssrc + u32::from(number), mid, rid);
        layer.encoder.resize(lines);
        layer
    });
    layers.collect()
}

/// A frame of each layer that is wanted; one that is not goes on with a key frame.
pub(super) fn encode(now: Instant, clock: SiteClock, port: &Port, layers: &mut [Layer], wanted: &[bool]) {
    for (number, layer) in layers.iter_mut().enumerate() {
        if layer.quiet || !wanted.get(number).copied().unwrap_or(true) {
            layer.encoder.want_key();
        } else {
            layer.show(now, clock, port);
        }
    }
}

impl Layer {
    pub(super) fn new(
        (site, number): (u8, u8),
        codec: VideoCodec,
        ssrc: u32,
        mid: &'static str,
        rid: &'static str,
    ) -> Layer {
        Layer {
            stream: Outgoing::new(ssrc, mid, rid, codec.payload_type()),
            encoder: Encoder::new(site, number, codec),
            quiet: false,
            pads: false,
        }
    }

    pub(super) fn show(&mut self, now: Instant, clock: SiteClock, port: &Port) {
        let payloads = self.encoder.next_frame(clock.ms(now));
        let count = payloads.len();
        for (index, payload) in payloads.into_iter().enumerate() {
            self.stream.send(now, clock, port, index + 1 == count, payload, None);
        }
        if self.pads {
            self.stream.pad(now, clock, port);
        }
    }
}
