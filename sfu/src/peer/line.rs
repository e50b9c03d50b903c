//! How packets come from an endpoint and go to it. What it publishes and what it receives do not depend on that: the
//! engine's modules ask [`Line`]; only this file and the code that makes a line know which variant it is.
//!
//! A line between two engines (SRTP under keys that a command brings, no ICE, no DTLS) and that of a gateway inside the
//! process (no encryption at all) would be further variants. A mix needs none: it only publishes (`engine/mixes.rs`).

use crate::discard::DropReason;
use crate::net::{IceCredentials, Path};
use crate::room::plan::LineState;
use crate::sdp::Negotiated;
use crate::transport::{Received, Transport, TransportEvent};
use rtp::ids::Ssrc;
use rtp::sequence::Sequence;
use std::time::{Duration, Instant};

/// In place and not behind a pointer, which would be followed for each run that is sent.
#[derive(Debug)]
pub enum Line {
    WebRtc(WebRtc),
}

/// A client's line: ICE, DTLS and SRTP, as one offer and answer agreed.
#[derive(Debug)]
pub struct WebRtc {
    pub transport: Transport,
    pub negotiated: Negotiated,
}

impl Line {
    pub fn web_rtc(transport: Transport, negotiated: Negotiated) -> Line {
        Line::WebRtc(WebRtc { transport, negotiated })
    }

    pub fn state(&self) -> LineState {
        let Line::WebRtc(line) = self;
        match (line.transport.is_connected(), line.transport.is_about_to_connect()) {
            (true, _) => LineState::Up,
            (false, true) => LineState::Arriving,
            (false, false) => LineState::Down,
        }
    }

    #[inline]
    pub fn is_up(&self) -> bool {
        let Line::WebRtc(line) = self;
        line.transport.is_connected()
    }

    /// Where control goes, and media as soon as the line is up.
    #[inline]
    pub fn path(&self) -> Option<Path> {
        let Line::WebRtc(line) = self;
        line.transport.selected()
    }

    /// Whether the endpoint has shown that it receives on `path`.
    pub fn has_proved(&self, now: Instant, path: &Path) -> bool {
        let Line::WebRtc(line) = self;
        line.transport.has_proved(now, path)
    }

    /// Round trip as the handshake showed it.
    pub fn initial_rtt(&self) -> Option<Duration> {
        let Line::WebRtc(line) = self;
        line.transport.initial_rtt()
    }

    /// Takes in a datagram of this endpoint. Media is opened within `data`.
    #[inline]
    pub fn receive(&mut self, now: Instant, path: Path, data: &mut [u8]) -> Result<Received, DropReason> {
        let Line::WebRtc(line) = self;
        line.transport.handle_datagram(now, path, data)
    }

    /// The endpoint sends with another SSRC in place of this one.
    pub fn end_ssrc(&mut self, ssrc: Ssrc) {
        let Line::WebRtc(line) = self;
        line.transport.end_ssrc(ssrc);
    }

    pub fn path_closed(&mut self, now: Instant, path: Path) {
        let Line::WebRtc(line) = self;
        line.transport.path_closed(now, path);
    }

    /// When the line is to be visited.
    pub fn next_timeout(&self) -> Option<Instant> {
        let Line::WebRtc(line) = self;
        line.transport.poll_timeout()
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let Line::WebRtc(line) = self;
        line.transport.handle_timeout(now);
    }

    pub fn poll_event(&mut self) -> Option<TransportEvent> {
        let Line::WebRtc(line) = self;
        line.transport.poll_event()
    }

    /// What the line itself has to send: checks, handshake.
    pub fn poll_transmit(&mut self) -> Option<(Path, Vec<u8>)> {
        let Line::WebRtc(line) = self;
        line.transport.poll_transmit()
    }

    /// What the line itself could not send since the last call.
    pub fn take_drops(&mut self) -> [(DropReason, u64); 2] {
        let Line::WebRtc(line) = self;
        line.transport.take_drops()
    }

    /// Bytes that [`Line::seal_rtp`] adds to a packet.
    #[inline]
    pub fn overhead(&self) -> usize {
        let Line::WebRtc(line) = self;
        line.transport.srtp_overhead()
    }

    /// Makes a written packet ready to leave, in place; returns its length.
    #[inline]
    pub fn seal_rtp(
        &mut self,
        packet: &mut [u8],
        header: usize,
        length: usize,
        sequence: Sequence,
    ) -> Result<usize, DropReason> {
        let Line::WebRtc(line) = self;
        line.transport.seal_rtp(packet, header, length, sequence)
    }

    pub fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), DropReason> {
        let Line::WebRtc(line) = self;
        line.transport.seal_rtcp(packet)
    }
}

impl WebRtc {
    /// A later offer has been answered; new credentials restart ICE.
    pub fn renegotiate(&mut self, now: Instant, ice: Option<IceCredentials>, negotiated: Negotiated) {
        if let Some(ice) = ice {
            self.transport.restart(now, ice, negotiated.remote_ice.clone());
        }
        self.negotiated = negotiated;
    }
}
