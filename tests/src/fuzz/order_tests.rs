//! In which order a connected engine sends what is ready: read from the wire, where SSRC and number are not encrypted.

use super::rig::Rig;
use rtp::packet::is_rtcp;
use sfu::engine::Input;
use sfu::stats::Effort;
use std::time::Duration;

const FRAME: Duration = Duration::from_millis(33);
/// The second site, which only watches here.
const VIEWER: usize = 1;

/// What a slot sends: a voice, which has no repair stream, a frame, or a frame again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Audio,
    Resent,
    Video,
}

/// Media for the viewer in the order in which it leaves: kind, SSRC and number.
fn leaving(rig: &mut Rig) -> Vec<(Kind, u32, u16)> {
    let to = rig.sites[VIEWER].address();
    let sent = rig.rest();
    let media = sent.iter().filter(|(remote, data)| *remote == to && data[0] >= 128 && !is_rtcp(data));
    let read = |(_, data): &(_, Vec<u8>)| {
        let ssrc = u32::from_be_bytes(*data[8..].first_chunk().expect("a header"));
        let kind = match data[1] & 0x7f {
            111 => Kind::Audio,
            97 => Kind::Resent,
            _ => Kind::Video,
        };
        (kind, ssrc, u16::from_be_bytes([data[2], data[3]]))
    };
    media.map(read).collect()
}

fn nack(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x81, 205, 0, 3, 0, 0, 0, 1];
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&[0, 0]);
    packet
}

/// A meeting in which the viewer has got some frames, and what came last.
fn watched() -> (Rig, Vec<(Kind, u32, u16)>) {
    let mut rig = Rig::connected();
    rig.frame(0, true);
    (0..3).for_each(|_| {
        rig.passes(FRAME);
        rig.frame(0, false);
    });
    rig.passes(FRAME);
    rig.is_held = true;
    rig.frame(0, false);
    let last = leaving(&mut rig);
    (rig, last)
}

#[test]
fn an_answer_to_a_nack_leaves_after_voices_and_before_new_frames() {
    let (mut rig, last) = watched();
    let (_, ssrc, sequence) = *last.iter().find(|(kind, ..)| *kind == Kind::Video).expect("a frame");
    rig.machine.now += FRAME;
    // The frame is decided before the NACK is read.
    rig.frame(0, false);
    rig.seal_and_send_rtcp(VIEWER, nack(ssrc, sequence));
    let kinds: Vec<Kind> = leaving(&mut rig).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, [Kind::Audio, Kind::Resent, Kind::Video, Kind::Video]);
}

#[test]
fn what_has_a_number_leaves_however_much_comes_at_once() {
    let (mut rig, mut sent) = watched();
    for frames in [1, 2, 40, 3] {
        rig.machine.now += FRAME;
        (0..frames).for_each(|_| rig.frame(0, false));
        let (_, ssrc, sequence) = sent[sent.len() - 1];
        rig.seal_and_send_rtcp(VIEWER, nack(ssrc, sequence));
        sent.extend(leaving(&mut rig));
    }
    let mut ssrcs: Vec<u32> = sent.iter().map(|(_, ssrc, _)| *ssrc).collect();
    ssrcs.sort_unstable();
    ssrcs.dedup();
    assert!(ssrcs.len() >= 4, "a voice, two slots and a repair stream: {ssrcs:?}");
    for ssrc in ssrcs {
        let numbers: Vec<u16> = sent.iter().filter(|(_, of, _)| *of == ssrc).map(|(.., n)| *n).collect();
        let steps = numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
        assert!(steps.clone().all(|step| step == 1), "{ssrc}: {numbers:?}");
    }
}

/// The end of a tenth of a second in which the worker had no time to sleep.
fn busy() -> Input<'static> {
    let span = Duration::from_millis(100);
    Input::Effort(Effort { span, worked: span, slept: Duration::ZERO })
}

/// A turn seals all that waits for a subscriber, up to what has just come; how long the oldest of it waited counts.
#[test]
fn a_queue_that_stands_is_seen_though_its_end_is_new() {
    let (mut rig, _) = watched();
    let mut videos = Vec::new();
    for _ in 0..15 {
        for _ in 0..3 {
            rig.frame(0, false);
            rig.machine.now += FRAME;
        }
        rig.frame(0, false);
        let sent = leaving(&mut rig);
        videos.push(sent.iter().filter(|(kind, ..)| *kind == Kind::Video).count());
        rig.machine.input(busy());
    }
    assert_eq!(videos[0], 8, "four frames of the camera and of content");
    assert!(videos[14] < videos[0], "less and less is shown: {videos:?}");
}
