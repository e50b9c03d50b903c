//! One site: its socket, its line, and what it sends and receives.

use crate::net::Port;
use crate::publisher::{Camera, Publisher, Sent};
use crate::receiver::{Receiver, Sample};
use crate::sdp::Published;
use rtp::rtcp::{self, Feedback};
use sfu::net::IceCredentials;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::answer::Answer;
use tests::line::{Identity, Line};

pub struct Peer {
    pub port: Port,
    own: IceCredentials,
    camera: Option<(Camera, Published, Duration)>,
    pairs: usize,
    up: Option<Up>,
    publisher: Option<Publisher>,
    /// Its WebSocket was begun then.
    pub opened: Option<Instant>,
    /// What is in the heap of timers.
    pub due: Option<Instant>,
}

/// From the answer on.
struct Up {
    line: Line,
    server: SocketAddr,
    receiver: Receiver,
}

/// When a datagram came: for this program, and for the clock of send times.
#[derive(Debug, Clone, Copy)]
pub struct Arrived {
    pub at: Instant,
    pub stamp: Duration,
}

impl Peer {
    pub fn new(port: Port, number: u32, camera: Option<(Camera, Duration)>, pairs: usize) -> Peer {
        let own = IceCredentials {
            ufrag: format!("load{number:06}"),
            pwd: format!("a-password-for-load-{number:06}"),
        };
        let first = 10_000 + number * 3;
        let published = Published { audio: first, video: first + 1, rtx: first + 2 };
        Peer {
            port,
            own,
            camera: camera.map(|(camera, phase)| (camera, published, phase)),
            pairs,
            up: None,
            publisher: None,
            opened: None,
            due: None,
        }
    }

    pub fn offer(&self, identity: &Identity) -> String {
        let published = self.camera.map(|(_, published, _)| published);
        crate::sdp::offer(&self.own, &identity.fingerprint, published, self.pairs)
    }

    pub fn take_answer(
        &mut self,
        now: Instant,
        identity: &Arc<Identity>,
        answer: Answer,
        server: SocketAddr,
    ) {
        self.up = Some(Up {
            line: Line::new(now, identity.clone(), self.own.clone(), answer.ice),
            server,
            receiver: Receiver::new(now, &answer.slots),
        });
    }

    pub fn receiver(&self) -> Option<&Receiver> {
        self.up.as_ref().map(|up| &up.receiver)
    }

    pub fn is_connected(&self) -> bool {
        self.up.as_ref().is_some_and(|up| up.line.srtp.is_some())
    }

    pub fn sent(&self) -> Sent {
        self.publisher.as_ref().map(Publisher::sent).unwrap_or_default()
    }

    /// Returns a sample, where the packet was opened.
    #[inline]
    pub fn handle_datagram(&mut self, arrived: Arrived, data: &mut [u8]) -> Option<Sample> {
        let up = self.up.as_mut()?;
        match *data {
            [128..=191, 192..=223, ..] => self.handle_rtcp(arrived.at, data),
            [128..=191, ..] => {
                let srtp = up.line.srtp.as_mut()?;
                return up.receiver.handle_rtp(arrived.at, arrived.stamp, data, srtp);
            }
            [0..=3, ..] => up.line.handle_stun(arrived.at, data),
            [20..=63, ..] => {
                let was_connected = up.line.srtp.is_some();
                up.line.handle_dtls(arrived.at, data);
                if !was_connected && up.line.srtp.is_some() {
                    self.start_publishing(Instant::now());
                }
            }
            _ => {}
        }
        self.flush();
        None
    }

    fn start_publishing(&mut self, now: Instant) {
        self.publisher = self.camera.map(|(camera, ssrcs, phase)| Publisher::new(now, camera, ssrcs, phase));
    }

    fn handle_rtcp(&mut self, now: Instant, data: &mut [u8]) {
        let Some(up) = self.up.as_mut() else { return };
        // The server has its keys a flight earlier.
        let Some(srtp) = up.line.srtp.as_mut() else { return };
        let Ok(length) = srtp.open.open_rtcp(data) else {
            up.receiver.rejected += 1;
            return;
        };
        let (port, server) = (&self.port, up.server);
        for feedback in rtcp::parse_compound(&data[..length]).unwrap_or_default() {
            match (&feedback, &mut self.publisher) {
                (Feedback::Pli { .. } | Feedback::Fir { .. }, Some(publisher)) => publisher.request_key(now),
                (Feedback::Nack { sequences, .. }, Some(publisher)) => {
                    publisher.resend(sequences, srtp, |packet| {
                        port.send(server, packet, None);
                    });
                }
                _ => up.receiver.handle_feedback(now, &feedback),
            }
        }
    }

    /// Until then nothing is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let up = self.up.as_ref()?;
        let line = up.line.poll_timeout();
        if up.line.srtp.is_none() {
            return Some(line);
        }
        let publisher = self.publisher.as_ref().map_or(line, Publisher::poll_timeout);
        Some(line.min(up.receiver.poll_timeout()).min(publisher))
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(up) = self.up.as_mut() else { return };
        up.line.handle_timeout(now);
        if let Some(srtp) = &mut up.line.srtp {
            let (port, server) = (&self.port, up.server);
            let mut send = |packet: &[u8]| {
                port.send(server, packet, None);
            };
            if let Some(publisher) = &mut self.publisher {
                publisher.handle_timeout(now, srtp, &mut send);
            }
            up.receiver.handle_timeout(now, srtp, &mut send);
        }
        self.flush();
    }

    fn flush(&mut self) {
        let Some(up) = self.up.as_mut() else { return };
        while let Some(datagram) = up.line.poll_transmit() {
            self.port.send(up.server, &datagram, None);
        }
    }
}
