//! One layer of a source: an encoder and the stream it sends on.

use super::codec::VideoCodec;
use super::frame::Encoder;
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
