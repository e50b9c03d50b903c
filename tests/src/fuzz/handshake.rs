//! DTLS after a valid check: records no client should send, and a client's own that were changed, cut, lost, repeated
//! or delayed on the way. In any case a client that never answers the engine's checks gets little.

use super::reader::Reader;
use super::rig::Rig;
use std::collections::VecDeque;
use std::time::Duration;

/// `transport/paths.rs`: bytes that may go to an address in question for each one that came from it.
const AMPLIFICATION: usize = 3;

/// The first byte says whether the client answers the engine's checks; then a sequence of steps, each led by a
/// byte that chooses it.
pub fn handshake(data: &[u8]) {
    let mut input = Reader(data);
    let mut rig = Rig::new(1);
    rig.sites[0].is_deaf = input.byte() & 1 == 1;
    let mut flight = VecDeque::new();
    // The client's first check, and with its answer the hello.
    rig.send_flight(&mut flight);
    while let Some(check) = flight.pop_front() {
        rig.send(0, &check);
    }
    while let Some(step) = input.step() {
        rig.send_flight(&mut flight);
        rig.tamper(step, &mut input, &mut flight);
        let (received, sent) = rig.sites[0].traffic;
        let is_deaf = rig.sites[0].is_deaf;
        assert!(!is_deaf || sent <= AMPLIFICATION * received, "{sent} bytes for {received}");
    }
}

impl Rig {
    /// What the client sends by now.
    fn send_flight(&mut self, flight: &mut VecDeque<Vec<u8>>) {
        let line = &mut self.sites[0].line;
        line.handle_timeout(self.machine.now);
        flight.extend(std::iter::from_fn(|| line.poll_transmit()));
    }

    fn tamper(&mut self, step: u8, input: &mut Reader<'_>, flight: &mut VecDeque<Vec<u8>>) {
        match step % 8 {
            0 => flight.drain(..).for_each(|datagram| self.send(0, &datagram)),
            1 => self.send(0, &changed(flight.pop_front().unwrap_or_default(), input)),
            2 => self.send(0, &flight.front().cloned().unwrap_or_default()),
            3 => flight.rotate_left(1.min(flight.len())),
            4 => drop(flight.pop_front()),
            5 => self.passes(Duration::from_millis(u64::from(input.byte()) * 20)),
            6 => {
                let length = input.byte();
                self.send(0, input.bytes(length));
            }
            _ => self.send(0, &records(usize::from(step >> 6) + 1, input)),
        }
    }
}

/// A byte is changed, one is put in, or the end is cut off.
fn changed(mut datagram: Vec<u8>, input: &mut Reader<'_>) -> Vec<u8> {
    let (how, at) = (input.byte(), usize::from(input.word()));
    let at = at.checked_rem(datagram.len()).unwrap_or(0);
    match (how % 4, datagram.get_mut(at)) {
        (0, _) => datagram.truncate(at),
        (1, _) => datagram.insert(at, input.byte()),
        (_, Some(byte)) => *byte ^= input.byte(),
        _ => {}
    }
    datagram
}

/// Records of any kind whose header is right: RFC 6347 section 4.1, and 4.2.2 for a handshake message.
fn records(count: usize, input: &mut Reader<'_>) -> Vec<u8> {
    let mut datagram = Vec::new();
    for _ in 0..count {
        let (kind, epoch, number) = (20 + input.byte() % 8, input.byte() & 1, input.byte());
        let (message, length) = (input.byte(), input.byte());
        let mut body = Vec::new();
        if kind == 22 {
            let sequence = input.byte();
            body.extend_from_slice(&[message % 25, 0, 0, length, 0, sequence & 7, 0, 0, 0, 0, 0, length]);
        }
        body.extend_from_slice(input.bytes(length));
        datagram.extend_from_slice(&[kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, number]);
        datagram.extend_from_slice(&(body.len() as u16).to_be_bytes());
        datagram.extend_from_slice(&body);
    }
    datagram
}
