//! Values to bytes. Each function appends one packet.

use super::{
    NACK, PAYLOAD_FEEDBACK, PLI, RECEIVER_REPORT, ReportBlock, SENDER_REPORT, SOURCE_DESCRIPTION,
    TRANSPORT_FEEDBACK,
};
use crate::ids::Ssrc;
use crate::ntp::NtpTime;

/// Appends a packet of `kind` with `count` in its first byte; `body` appends what follows the four
/// common bytes and is padded to a word.
pub(super) fn packet(out: &mut Vec<u8>, count: u8, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | (count & 0x1f), kind, 0, 0]);
    body(out);
    while !out.len().wrapping_sub(start).is_multiple_of(4) {
        out.push(0);
    }
    let words = (out.len().wrapping_sub(start) / 4).wrapping_sub(1) as u16;
    if let Some(place) = out.get_mut(start.wrapping_add(2)..start.wrapping_add(4)) {
        place.copy_from_slice(&words.to_be_bytes());
    }
}

fn words(out: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| out.extend_from_slice(&value.to_be_bytes()));
}

/// A sender report without report blocks, RFC 3550 section 6.4.1.
pub fn write_sender_report(out: &mut Vec<u8>, ssrc: Ssrc, ntp: NtpTime, rtp: u32, packets: u32, octets: u32) {
    packet(out, 0, SENDER_REPORT, |out| {
        words(out, &[ssrc.0, (ntp.0 >> 32) as u32, ntp.0 as u32, rtp, packets, octets]);
    });
}

/// A receiver report with at most 31 blocks, RFC 3550 section 6.4.2.
pub fn write_receiver_report(out: &mut Vec<u8>, ssrc: Ssrc, reports: &[ReportBlock]) {
    let reports = reports.get(..31).unwrap_or(reports);
    packet(out, reports.len() as u8, RECEIVER_REPORT, |out| {
        words(out, &[ssrc.0]);
        for block in reports {
            let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
            let fraction = u32::from(block.fraction_lost) << 24;
            words(out, &[block.ssrc.0, fraction | lost, block.highest_sequence]);
            words(out, &[block.jitter, block.last_sr, block.delay_since_last_sr]);
        }
    });
}

/// A source description with a CNAME of at most 255 bytes, RFC 3550 section 6.5.
pub fn write_sdes_cname(out: &mut Vec<u8>, ssrc: Ssrc, cname: &str) {
    let name = cname.as_bytes().get(..255).unwrap_or(cname.as_bytes());
    packet(out, 1, SOURCE_DESCRIPTION, |out| {
        words(out, &[ssrc.0]);
        out.extend_from_slice(&[1, name.len() as u8]);
        out.extend_from_slice(name);
        out.push(0);
    });
}

/// A generic NACK, RFC 4585 section 6.2.1. `sequences` in rising order packs best.
pub fn write_nack(out: &mut Vec<u8>, sender: Ssrc, media: Ssrc, sequences: &[u16]) {
    packet(out, NACK, TRANSPORT_FEEDBACK, |out| {
        words(out, &[sender.0, media.0]);
        let mut rest = sequences.iter().copied().peekable();
        while let Some(first) = rest.next() {
            let mut mask = 0u16;
            while let Some(bit) = rest.peek().and_then(|next| bit_after(first, *next)) {
                mask |= 1 << bit;
                rest.next();
            }
            words(out, &[(u32::from(first) << 16) | u32::from(mask)]);
        }
    });
}

/// Which bit of the mask after `first` stands for `next`.
fn bit_after(first: u16, next: u16) -> Option<u16> {
    next.wrapping_sub(first).checked_sub(1).filter(|bit| *bit < 16)
}

/// A picture loss indication, RFC 4585 section 6.3.1.
pub fn write_pli(out: &mut Vec<u8>, sender: Ssrc, media: Ssrc) {
    packet(out, PLI, PAYLOAD_FEEDBACK, |out| words(out, &[sender.0, media.0]));
}
