//! Bytes to values.

use super::{
    APPLICATION, FIR, Feedback, GOODBYE, MAX_ARRIVALS, MAX_NACKED, NACK, PAYLOAD_FEEDBACK, PLI,
    RECEIVER_REPORT, ReportBlock, SENDER_REPORT, SenderReport, TRANSPORT_FEEDBACK, TRANSPORT_WIDE, transport,
    word,
};
use crate::error::Malformed;
use crate::ids::Ssrc;
use crate::ntp::NtpTime;

/// Reads every packet of a compound. A wrong version or a length beyond the datagram is
/// `MalformedRtcp`; a packet whose body is too short for its type is skipped.
pub fn parse_compound(mut bytes: &[u8]) -> Result<Vec<Feedback>, Malformed> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (head, packet, rest) = split(bytes).ok_or(Malformed::Rtcp)?;
        read_packet(head, packet, &mut all);
        bytes = rest;
    }
    Ok(all)
}

/// Count or format, and packet type.
struct Head {
    count: u8,
    kind: u8,
}

/// The first packet's header and body (after the four common bytes), and what follows.
fn split(bytes: &[u8]) -> Option<(Head, &[u8], &[u8])> {
    let [first, kind, high, low] = *bytes.first_chunk::<4>()?;
    if first >> 6 != 2 {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([high, low])).wrapping_add(1).wrapping_mul(4);
    let (packet, rest) = bytes.split_at_checked(length)?;
    let padding = if first & 0x20 != 0 { usize::from(*packet.last()?) } else { 0 };
    let body = packet.get(4..length.checked_sub(padding)?)?;
    Some((Head { count: first & 0x1f, kind }, body, rest))
}

fn read_packet(head: Head, body: &[u8], all: &mut Vec<Feedback>) {
    match (head.kind, head.count) {
        (SENDER_REPORT, count) => all.extend(sender_report(body, count)),
        (RECEIVER_REPORT, count) => all.extend(word(body, 0).map(|ssrc| Feedback::ReceiverReport {
            ssrc: Ssrc(ssrc),
            reports: blocks(body.get(4..).unwrap_or_default(), count),
        })),
        (GOODBYE, count) => {
            let sources = (0..usize::from(count)).map_while(|n| word(body, n.wrapping_mul(4)));
            all.extend(sources.map(|ssrc| Feedback::Bye { ssrc: Ssrc(ssrc) }));
        }
        (TRANSPORT_FEEDBACK, NACK) => all.extend(nack(body)),
        (TRANSPORT_FEEDBACK, TRANSPORT_WIDE) => {
            let left = MAX_ARRIVALS.saturating_sub(all.iter().map(arrivals).sum());
            all.extend(transport::read(body, left).map(Feedback::TransportFeedback));
        }
        (PAYLOAD_FEEDBACK, PLI) => {
            all.extend(word(body, 4).map(|media| Feedback::Pli { media: Ssrc(media) }));
        }
        (PAYLOAD_FEEDBACK, FIR) => {
            let entries = body.get(8..).unwrap_or_default().chunks_exact(8).take(MAX_NACKED);
            let media = entries.filter_map(|entry| word(entry, 0));
            all.extend(media.map(|media| Feedback::Fir { media: Ssrc(media) }));
        }
        (PAYLOAD_FEEDBACK, APPLICATION) => all.extend(remb(body)),
        _ => {}
    }
}

/// Six bits of exponent and eighteen of mantissa (draft-alvestrand-rmcat-remb-03 section 2.2).
fn remb(body: &[u8]) -> Option<Feedback> {
    let rate = word(body, 12).filter(|_| body.get(8..12) == Some(b"REMB"))?;
    let (exponent, mantissa) = (rate >> 18 & 0x3f, u64::from(rate & 0x3_ffff));
    let bps = mantissa.saturating_mul(1u64.checked_shl(exponent).unwrap_or(u64::MAX));
    Some(Feedback::Remb { bps })
}

/// What a packet already unpacked to.
fn arrivals(feedback: &Feedback) -> usize {
    match feedback {
        Feedback::TransportFeedback(report) => report.arrivals.len(),
        _ => 0,
    }
}

fn sender_report(body: &[u8], count: u8) -> Option<Feedback> {
    let ntp = (u64::from(word(body, 4)?) << 32) | u64::from(word(body, 8)?);
    Some(Feedback::SenderReport(SenderReport {
        ssrc: Ssrc(word(body, 0)?),
        ntp: NtpTime(ntp),
        rtp: word(body, 12)?,
        packets: word(body, 16)?,
        octets: word(body, 20)?,
        reports: blocks(body.get(24..)?, count),
    }))
}

fn blocks(bytes: &[u8], count: u8) -> Vec<ReportBlock> {
    bytes.chunks_exact(24).take(usize::from(count)).filter_map(block).collect()
}

fn block(bytes: &[u8]) -> Option<ReportBlock> {
    let lost = word(bytes, 4)?;
    Some(ReportBlock {
        ssrc: Ssrc(word(bytes, 0)?),
        fraction_lost: (lost >> 24) as u8,
        // 24 bits with a sign.
        cumulative_lost: ((lost << 8) as i32) >> 8,
        highest_sequence: word(bytes, 8)?,
        jitter: word(bytes, 12)?,
        last_sr: word(bytes, 16)?,
        delay_since_last_sr: word(bytes, 20)?,
    })
}

/// Generic NACK, RFC 4585 section 6.2.1: a number and a bitmask of the sixteen after it.
fn nack(body: &[u8]) -> Option<Feedback> {
    let media = Ssrc(word(body, 4)?);
    let mut sequences = Vec::new();
    for entry in body.get(8..)?.chunks_exact(4) {
        let pair = word(entry, 0)?;
        let (first, mask) = ((pair >> 16) as u16, pair as u16);
        sequences.push(first);
        let following = (0..16u16).filter(|bit| mask & (1 << bit) != 0);
        sequences.extend(following.map(|bit| first.wrapping_add(bit).wrapping_add(1)));
    }
    sequences.truncate(MAX_NACKED);
    Some(Feedback::Nack { media, sequences })
}
