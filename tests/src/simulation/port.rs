//! Where a simulated client's media enters and leaves the foreign stack: plain packets in, plain packets
//! out. ICE, DTLS and SRTP stay the stack's business; numbers, reports and requests are the client's
//! own, so that they come from the virtual clock and the seed alone. (The stack's report interceptor
//! reads the wall clock, and its NACK generator walks a table in random order.)

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::TransportContext;
use rtc::shared::error::Error;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// The only interceptor: any place in the chain will do.
pub const SLOT: usize = 14_000;

#[derive(Default)]
struct Queues {
    incoming: VecDeque<Packet>,
    outgoing: VecDeque<TaggedPacket>,
    /// The stack asks for packets once its handshake is done.
    open: bool,
}

/// Both ends of the port: one is the client's, one the stack's.
#[derive(Clone, Default)]
pub struct Port(Arc<Mutex<Queues>>);

impl Port {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.0.lock().expect("one thread")
    }

    /// Before the handshake is done there is nowhere to send to.
    pub fn send(&self, now: Instant, packet: Packet) {
        let mut queues = self.queues();
        if queues.open {
            let transport = TransportContext::default();
            queues.outgoing.push_back(TaggedPacket { now, transport, message: packet.into() });
        }
    }

    pub fn is_open(&self) -> bool {
        self.queues().open
    }

    pub fn receive(&self) -> Option<Packet> {
        self.queues().incoming.pop_front()
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Port {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.queues().incoming.push_back(packet.message.packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        None
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.queues().outgoing.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        let mut queues = self.queues();
        queues.open = true;
        queues.outgoing.pop_front()
    }

    fn handle_timeout(&mut self, _now: Instant) -> Result<(), Error> {
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        None
    }
}

impl Interceptor for Port {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}
