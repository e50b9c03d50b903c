//! Transport-wide feedback, draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.

use super::write::packet;
use super::{TRANSPORT_FEEDBACK, TRANSPORT_WIDE, word};
use crate::ids::Ssrc;

/// Arrivals of consecutive transport-wide sequence numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransportReport {
    pub base_sequence: u16,
    /// Time the first delta counts from, in units of 64 ms, 24 bits.
    pub reference_time: u32,
    pub feedback_count: u8,
    /// One entry per number from the base on: time since the one that arrived before (the first:
    /// since the reference time) in units of 250 µs, or `None` for one that has not arrived.
    pub arrivals: Vec<Option<i16>>,
}

/// Symbols of a status chunk.
const SMALL: u8 = 1;
const LARGE: u8 = 2;

/// Reads a report of at most `most` packets.
pub(super) fn read(body: &[u8], most: usize) -> Option<TransportReport> {
    let head = word(body, 8)?;
    let times = word(body, 12)?;
    // Reading a part would take status chunks for deltas.
    let count = Some(usize::from(head as u16)).filter(|count| *count <= most)?;
    let mut symbols = Vec::with_capacity(count);
    let mut at = 16usize;
    while symbols.len() < count {
        let chunk = half(body, at)?;
        at = at.wrapping_add(2);
        read_chunk(chunk, count, &mut symbols);
    }
    let mut arrivals = Vec::with_capacity(count);
    for symbol in symbols {
        let delta = match symbol {
            SMALL => i16::from(*body.get(at)?),
            LARGE => half(body, at)? as i16,
            _ => {
                arrivals.push(None);
                continue;
            }
        };
        at = at.wrapping_add(usize::from(symbol));
        arrivals.push(Some(delta));
    }
    Some(TransportReport {
        base_sequence: (head >> 16) as u16,
        reference_time: times >> 8,
        feedback_count: times as u8,
        arrivals,
    })
}

fn read_chunk(chunk: u16, count: usize, symbols: &mut Vec<u8>) {
    let left = count.saturating_sub(symbols.len());
    if chunk & 0x8000 == 0 {
        let run = usize::from(chunk & 0x1fff).min(left);
        symbols.extend(std::iter::repeat_n(((chunk >> 13) & 3) as u8, run));
    } else if chunk & 0x4000 == 0 {
        symbols.extend((0..14u16).rev().map(|bit| ((chunk >> bit) & 1) as u8).take(left));
    } else {
        symbols.extend((0..7u16).rev().map(|n| ((chunk >> n.wrapping_mul(2)) & 3) as u8).take(left));
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Appends a report: run-length chunks where seven or more symbols are the same, else vectors of
/// seven two-bit symbols.
pub fn write_transport_feedback(out: &mut Vec<u8>, sender: Ssrc, media: Ssrc, report: &TransportReport) {
    let symbols: Vec<u8> = report.arrivals.iter().map(symbol).collect();
    packet(out, TRANSPORT_WIDE, TRANSPORT_FEEDBACK, |out| {
        let count = symbols.len() as u16;
        for value in [
            sender.0,
            media.0,
            (u32::from(report.base_sequence) << 16) | u32::from(count),
            (report.reference_time << 8) | u32::from(report.feedback_count),
        ] {
            out.extend_from_slice(&value.to_be_bytes());
        }
        write_chunks(out, &symbols);
        for delta in report.arrivals.iter().flatten() {
            match u8::try_from(*delta) {
                Ok(small) => out.push(small),
                Err(_) => out.extend_from_slice(&delta.to_be_bytes()),
            }
        }
    });
}

fn symbol(arrival: &Option<i16>) -> u8 {
    match arrival {
        None => 0,
        Some(delta) if u8::try_from(*delta).is_ok() => SMALL,
        Some(_) => LARGE,
    }
}

fn write_chunks(out: &mut Vec<u8>, mut symbols: &[u8]) {
    while let Some(first) = symbols.first().copied() {
        let run = symbols.iter().take(0x1fff).take_while(|symbol| **symbol == first).count();
        let (chunk, used) = if run >= 7 || run == symbols.len() {
            ((u16::from(first) << 13) | run as u16, run)
        } else {
            let vector = symbols.iter().chain(std::iter::repeat(&0)).take(7);
            let bits = vector.fold(0u16, |bits, symbol| (bits << 2) | u16::from(*symbol));
            (0xc000 | bits, symbols.len().min(7))
        };
        out.extend_from_slice(&chunk.to_be_bytes());
        symbols = symbols.get(used..).unwrap_or_default();
    }
}
