//! RTCP: what an SFU receives and sends (RFC 3550 section 6, RFC 4585, RFC 5104, transport-wide feedback). Reduced-size
//! packets are normal (RFC 5506); what is not understood is skipped.

mod read;
mod transport;
mod write;

pub use read::parse_compound;
pub use transport::{TransportReport, write_transport_feedback};
pub use write::{write_nack, write_pli, write_receiver_report, write_sdes_cname, write_sender_report};

use crate::ids::Ssrc;
use crate::ntp::NtpTime;

/// Packet types.
const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
/// Formats of transport feedback: generic NACK and transport-wide.
const NACK: u8 = 1;
const TRANSPORT_WIDE: u8 = 15;
/// Formats of payload feedback.
const PLI: u8 = 1;
const FIR: u8 = 4;
const APPLICATION: u8 = 15;

/// Sequence numbers one NACK packet may name; a hostile one names 17 with every four bytes.
pub const MAX_NACKED: usize = 512;

/// Packets that the reports of one compound may cover. Browsers report every 50–100 ms: a few hundred at the most. A
/// hostile report of 24 bytes covers 8,191.
const MAX_ARRIVALS: usize = 2000;

/// One packet of a compound, as far as an SFU cares.
#[derive(Debug, Clone, PartialEq)]
pub enum Feedback {
    SenderReport(SenderReport),
    ReceiverReport {
        ssrc: Ssrc,
        reports: Vec<ReportBlock>,
    },
    Nack {
        media: Ssrc,
        sequences: Vec<u16>,
    },
    Pli {
        media: Ssrc,
    },
    /// One per entry (RFC 5104 section 4.3.1).
    Fir {
        media: Ssrc,
    },
    TransportFeedback(TransportReport),
    /// Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03), in bit/s.
    Remb {
        bps: u64,
    },
    Bye {
        ssrc: Ssrc,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct SenderReport {
    pub ssrc: Ssrc,
    pub ntp: NtpTime,
    pub rtp: u32,
    pub packets: u32,
    pub octets: u32,
    pub reports: Vec<ReportBlock>,
}

/// RFC 3550 section 6.4.1. Jitter in timestamp units, delay in 1/65,536 s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    pub ssrc: Ssrc,
    pub fraction_lost: u8,
    pub cumulative_lost: i32,
    pub highest_sequence: u32,
    pub jitter: u32,
    pub last_sr: u32,
    pub delay_since_last_sr: u32,
}

/// Big-endian 32 bits at `at`.
fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let chunk = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*chunk))
}

#[cfg(test)]
mod tests;
