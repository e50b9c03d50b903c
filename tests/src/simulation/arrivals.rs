//! What a simulated client reports of arrivals: transport-wide feedback, as browsers send it
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use super::client::{Client, OUR_SSRC};
use super::outgoing::TRANSPORT_SEQUENCE;
use rtc::interceptor::Packet;
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::rtp::Header;
use rtp::ids::Ssrc;
use rtp::rtcp::write_transport_feedback;
use sfu::receive::feedback::ArrivalRecorder;
use std::time::Instant;

/// Browsers report as often as what they send pays for, whatever comes: twenty times a second from 300 kbit/s on.
const PAYS: usize = 1_500;

pub struct Arrivals(ArrivalRecorder);

impl Arrivals {
    pub fn new(start: Instant) -> Arrivals {
        Arrivals(ArrivalRecorder::new(start))
    }

    pub fn see(&mut self, now: Instant, header: &Header) {
        if let Some([high, low]) = header.get_extension(TRANSPORT_SEQUENCE).as_deref() {
            self.0.record(now, u16::from_be_bytes([*high, *low]), PAYS);
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.0.next_timeout()
    }

    /// The report that is due. It goes through the foreign stack's parser, so that stack must understand it.
    pub fn report(&mut self, now: Instant, media: u32) -> Option<Packet> {
        let report = self.0.take(now)?;
        let mut bytes = Vec::new();
        write_transport_feedback(&mut bytes, Ssrc(OUR_SSRC), Ssrc(media), &report);
        let parsed = rtcp::packet::unmarshal(&mut bytes.as_slice()).expect("transport-wide feedback");
        Some(Packet::Rtcp(parsed))
    }
}

impl Client {
    /// Says what it estimates of its line (draft-alvestrand-rmcat-remb-03).
    pub fn estimate(&mut self, now: Instant, bps: u64) {
        let estimate =
            ReceiverEstimatedMaximumBitrate { sender_ssrc: OUR_SSRC, bitrate: bps as f32, ssrcs: Vec::new() };
        self.port.send(now, Packet::Rtcp(vec![Box::new(estimate)]));
    }
}
