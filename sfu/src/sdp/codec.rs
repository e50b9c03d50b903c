//! Which codecs are taken, and with which parameters.

use rtp::codec::Codec;
use std::collections::BTreeMap;

/// One codec of one section, under the client's payload type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NegotiatedCodec {
    pub codec: Codec,
    pub payload_type: u8,
    /// RFC 4588; payload type of the retransmissions of this codec.
    pub rtx_payload_type: Option<u8>,
    pub parameters: Parameters,
    /// Generic NACK, RFC 4585 section 6.2.1.
    pub nack: bool,
    /// RFC 4585 section 6.3.1.
    pub pli: bool,
    /// RFC 5104 section 4.3.1.
    pub fir: bool,
    /// draft-holmer-rmcat-transport-wide-cc-extensions-01.
    pub transport_cc: bool,
    /// Where there is no `transport-cc`.
    pub remb: bool,
}

/// What of `a=fmtp` differs between offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameters {
    Fixed,
    /// RFC 2198: the payload type of every block.
    Redundancy {
        blocks: u8,
    },
    /// RFC 6184 section 8.1; profile, constraints, level.
    H264 {
        profile_level_id: [u8; 3],
    },
}

impl NegotiatedCodec {
    /// Value of `a=rtpmap`, without the payload type.
    pub(super) fn rtpmap(&self) -> String {
        let channels = if self.codec.is_video() { "" } else { "/2" };
        format!("{}/{}{channels}", self.codec.name(), self.codec.clock_rate())
    }

    /// Value of `a=fmtp`, without the payload type.
    pub(super) fn fmtp(&self) -> Option<String> {
        match (self.codec, self.parameters) {
            // DTX: a quiet site costs nothing. Stereo is left out: meeting rooms speak in mono.
            (Codec::Opus, _) => Some("minptime=10;useinbandfec=1;usedtx=1".to_owned()),
            (Codec::Vp9, _) => Some("profile-id=0".to_owned()),
            // The defaults of the AV1 RTP specification, section 7.2.3.
            (Codec::Av1, _) => Some("level-idx=5;profile=0;tier=0".to_owned()),
            (_, Parameters::Redundancy { blocks }) => Some(format!("{blocks}/{blocks}")),
            (_, Parameters::H264 { profile_level_id }) => {
                let [profile, constraints, level] = profile_level_id;
                Some(format!(
                    "level-asymmetry-allowed=1;packetization-mode=1;\
                     profile-level-id={profile:02x}{constraints:02x}{level:02x}"
                ))
            }
            (_, Parameters::Fixed) => None,
        }
    }

    /// A later offer may list codecs in another order, leave some out and bring others, but what a payload type has
    /// once stood for it stands for as long as the session lasts (RFC 3264 section 8.3.2).
    pub(super) fn keeps_its_meaning(&self, later: &[NegotiatedCodec]) -> bool {
        let of = |c: &NegotiatedCodec| {
            let media = (c.payload_type, Meaning::Media(c.codec, c.parameters));
            let rtx = c.rtx_payload_type.map(|rtx| (rtx, Meaning::Rtx(c.payload_type)));
            [Some(media), rtx].into_iter().flatten()
        };
        let same = |(before, meaning)| later.iter().flat_map(of).all(|(pt, m)| pt != before || m == meaning);
        of(self).all(same)
    }
}

/// What a payload type stands for.
#[derive(PartialEq)]
enum Meaning {
    Media(Codec, Parameters),
    Rtx(u8),
}

/// Everything an offer's section says about one payload type.
#[derive(Debug, Default, Clone)]
struct Description<'a> {
    /// `name/clock[/channels]`.
    rtpmap: &'a str,
    fmtp: &'a str,
    feedback: Feedback,
}

#[derive(Debug, Default, Clone, Copy)]
struct Feedback {
    nack: bool,
    pli: bool,
    fir: bool,
    transport_cc: bool,
    remb: bool,
}

impl Feedback {
    fn add(&mut self, value: &str) {
        match value.trim() {
            "nack" => self.nack = true,
            "nack pli" => self.pli = true,
            "ccm fir" => self.fir = true,
            "transport-cc" => self.transport_cc = true,
            "goog-remb" => self.remb = true,
            _ => {}
        }
    }
}

/// Collects `a=rtpmap`, `a=fmtp` and `a=rtcp-fb` of one section.
#[derive(Debug, Default)]
pub(super) struct CodecTable<'a> {
    payload_types: BTreeMap<u8, Description<'a>>,
    /// `a=rtcp-fb:*`.
    for_all: Feedback,
}

impl<'a> CodecTable<'a> {
    pub(super) fn rtpmap(&mut self, value: &'a str) {
        if let Some((description, rest)) = self.entry(value) {
            description.rtpmap = rest;
        }
    }

    pub(super) fn fmtp(&mut self, value: &'a str) {
        if let Some((description, rest)) = self.entry(value) {
            description.fmtp = rest;
        }
    }

    pub(super) fn rtcp_fb(&mut self, value: &'a str) {
        if let Some(rest) = value.strip_prefix("* ") {
            self.for_all.add(rest);
        } else if let Some((description, rest)) = self.entry(value) {
            description.feedback.add(rest);
        }
    }

    fn entry(&mut self, value: &'a str) -> Option<(&mut Description<'a>, &'a str)> {
        let (payload_type, rest) = value.split_once(' ')?;
        let payload_type = payload_type.parse().ok()?;
        Some((self.payload_types.entry(payload_type).or_default(), rest.trim()))
    }

    /// What is taken of `formats`, the payload types of the `m=` line, in their order.
    pub(super) fn choose(mut self, video: bool, formats: &[String]) -> Vec<NegotiatedCodec> {
        let listed: Vec<u8> =
            formats.iter().filter_map(|f| f.parse().ok()).filter(|pt| usable(*pt)).collect();
        let retransmissions = self.retransmissions(&listed);
        let mut chosen = Vec::new();
        for payload_type in listed {
            // Taken out: a payload type that is listed twice counts once.
            let Some(description) = self.payload_types.remove(&payload_type) else {
                continue;
            };
            let Some((codec, parameters)) = recognise(&description) else {
                continue;
            };
            if codec.is_video() != video {
                continue;
            }
            let (own, all) = (description.feedback, self.for_all);
            let transport_cc = own.transport_cc || all.transport_cc;
            chosen.push(NegotiatedCodec {
                codec,
                payload_type,
                rtx_payload_type: retransmissions.get(&payload_type).copied(),
                parameters,
                nack: own.nack || all.nack,
                pli: video && (own.pli || all.pli),
                fir: video && (own.fir || all.fir),
                transport_cc,
                remb: video && !transport_cc && (own.remb || all.remb),
            });
        }
        without_orphans(chosen)
    }

    /// Media payload type → its RTX payload type (RFC 4588 section 8.6).
    fn retransmissions(&self, listed: &[u8]) -> BTreeMap<u8, u8> {
        let mut found = BTreeMap::new();
        for payload_type in listed {
            let Some(description) = self.payload_types.get(payload_type) else {
                continue;
            };
            let is_rtx = description.rtpmap.eq_ignore_ascii_case("rtx/90000");
            let apt = parameter(description.fmtp, "apt").and_then(|apt| apt.parse::<u8>().ok());
            if let Some(apt) = apt.filter(|_| is_rtx) {
                found.entry(apt).or_insert(*payload_type);
            }
        }
        found
    }
}

/// Beside rtcp-mux, RTP with these payload types and a marker would look like RTCP (RFC 5761
/// section 4).
fn usable(payload_type: u8) -> bool {
    payload_type < 64 || (96..128).contains(&payload_type)
}

fn recognise(description: &Description<'_>) -> Option<(Codec, Parameters)> {
    let fmtp = description.fmtp;
    let absent_or_zero = |key| parameter(fmtp, key).is_none_or(|value| value == "0");
    match description.rtpmap.to_ascii_lowercase().as_str() {
        "opus/48000/2" => Some((Codec::Opus, Parameters::Fixed)),
        "red/48000/2" => redundancy(fmtp).map(|blocks| (Codec::Red, blocks)),
        "vp8/90000" => Some((Codec::Vp8, Parameters::Fixed)),
        "vp9/90000" if absent_or_zero("profile-id") => Some((Codec::Vp9, Parameters::Fixed)),
        "av1/90000" if absent_or_zero("profile") => Some((Codec::Av1, Parameters::Fixed)),
        "h264/90000" => h264(fmtp).map(|parameters| (Codec::H264, parameters)),
        _ => None,
    }
}

/// `111/111`: every block of the one codec, RFC 2198 section 5.
fn redundancy(fmtp: &str) -> Option<Parameters> {
    let mut blocks = fmtp.split('/').map(|block| block.trim().parse::<u8>().ok());
    let first = blocks.next().flatten()?;
    blocks.all(|block| block == Some(first)).then_some(Parameters::Redundancy { blocks: first })
}

/// Baseline and constrained baseline in packetization mode 1: what every browser with H.264 has.
fn h264(fmtp: &str) -> Option<Parameters> {
    let text = parameter(fmtp, "profile-level-id")?;
    let mode = parameter(fmtp, "packetization-mode");
    let id = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
    let [0, profile @ 0x42, constraints, level] = id else {
        return None;
    };
    (text.len() == 6 && mode == Some("1"))
        .then_some(Parameters::H264 { profile_level_id: [profile, constraints, level] })
}

/// RED around a codec that is not taken has nothing to carry.
fn without_orphans(mut chosen: Vec<NegotiatedCodec>) -> Vec<NegotiatedCodec> {
    let opus = chosen.iter().find(|codec| codec.codec == Codec::Opus);
    let opus = opus.map(|codec| codec.payload_type);
    chosen.retain(|codec| match codec.parameters {
        Parameters::Redundancy { blocks } => Some(blocks) == opus,
        _ => true,
    });
    chosen
}

/// Value of `key` in `key=value;key=value`.
fn parameter<'a>(fmtp: &'a str, key: &str) -> Option<&'a str> {
    fmtp.split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (rtpmap, fmtp) → fmtp of the answer, or nothing when the codec is not taken.
    #[test]
    fn a_codec_is_taken_only_with_parameters_we_can_forward() {
        let h264 = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
        let table: &[(&str, &str, Option<&str>)] = &[
            (
                "opus/48000/2",
                "minptime=10;useinbandfec=1;stereo=1",
                Some("minptime=10;useinbandfec=1;usedtx=1"),
            ),
            ("OPUS/48000/2", "", Some("minptime=10;useinbandfec=1;usedtx=1")),
            ("opus/48000", "", None),
            ("red/48000/2", "111/111", Some("111/111")),
            ("red/48000/2", "111/0", None),
            ("red/90000", "", None),
            ("VP9/90000", "", Some("profile-id=0")),
            ("VP9/90000", "profile-id=2", None),
            ("AV1/90000", "level-idx=5;profile=0;tier=0", Some("level-idx=5;profile=0;tier=0")),
            ("AV1/90000", "level-idx=5;profile=1;tier=0", None),
            ("H264/90000", h264, Some(h264)),
            ("H264/90000", "packetization-mode=0;profile-level-id=42e01f", None),
            ("H264/90000", "packetization-mode=1;profile-level-id=64001f", None),
            ("H264/90000", "packetization-mode=1;profile-level-id=42e0", None),
            ("H264/90000", "packetization-mode=1", None),
            ("ulpfec/90000", "", None),
            ("telephone-event/8000", "", None),
        ];
        for (rtpmap, fmtp, expected) in table {
            let description = Description { rtpmap, fmtp, feedback: Feedback::default() };
            let answered = recognise(&description).and_then(|(codec, parameters)| {
                let codec = NegotiatedCodec {
                    codec,
                    payload_type: 100,
                    rtx_payload_type: None,
                    parameters,
                    nack: false,
                    pli: false,
                    fir: false,
                    transport_cc: false,
                    remb: false,
                };
                codec.fmtp()
            });
            assert_eq!(answered.as_deref(), *expected, "{rtpmap} {fmtp}");
        }
    }

    fn choose(video: bool, formats: &str, lines: &[(&str, &'static str)]) -> Vec<NegotiatedCodec> {
        let mut table = CodecTable::default();
        for (key, value) in lines {
            match *key {
                "rtpmap" => table.rtpmap(value),
                "fmtp" => table.fmtp(value),
                _ => table.rtcp_fb(value),
            }
        }
        let formats: Vec<String> = formats.split(' ').map(str::to_owned).collect();
        table.choose(video, &formats)
    }

    #[test]
    fn the_order_of_the_m_line_counts_and_rtx_finds_its_codec() {
        let lines = [
            ("fmtp", "99 apt=98"),
            ("rtpmap", "99 rtx/90000"),
            ("rtpmap", "96 VP8/90000"),
            ("rtpmap", "98 VP9/90000"),
            ("rtcp-fb", "98 nack"),
            ("rtcp-fb", "98 nack pli"),
            ("rtcp-fb", "98 goog-remb"),
            ("rtcp-fb", "* transport-cc"),
            ("rtpmap", "111 opus/48000/2"),
        ];
        let chosen = choose(true, "98 96 99 98 111 nonsense 300", &lines);
        let seen: Vec<_> = chosen.iter().map(|c| (c.payload_type, c.rtx_payload_type)).collect();
        assert_eq!(seen, [(98, Some(99)), (96, None)]);
        let first = &chosen[0];
        assert!(first.nack && first.pli && first.transport_cc && !first.fir);
        assert!(!chosen[1].nack && chosen[1].transport_cc && !first.remb);
        let chosen = choose(true, "98", &[("rtpmap", "98 VP9/90000"), ("rtcp-fb", "98 goog-remb")]);
        assert!(chosen[0].remb && !chosen[0].transport_cc, "where that is all there is");
    }

    #[test]
    fn red_goes_with_its_opus() {
        let red = [("rtpmap", "63 red/48000/2"), ("fmtp", "63 111/111")];
        assert_eq!(choose(false, "63 111", &red), []);
        let both = [red[0], red[1], ("rtpmap", "111 opus/48000/2")];
        let codecs: Vec<_> = choose(false, "63 111", &both).iter().map(|c| c.codec).collect();
        assert_eq!(codecs, [Codec::Red, Codec::Opus]);
    }

    #[test]
    fn payload_types_that_look_like_rtcp_are_left_out() {
        let lines = [("rtpmap", "72 VP8/90000"), ("rtpmap", "200 VP9/90000")];
        assert_eq!(choose(true, "72 200", &lines), []);
    }
}
