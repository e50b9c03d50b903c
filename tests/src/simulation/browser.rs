//! What clients do beyond those of the stories: their cameras send as much as the page has browsers send, they ask for lost
//! voice again as browsers do, and they note what they showed.

use super::client::{Client, OUR_SSRC, Publishes};
use super::codec::VideoCodec;
use super::frame::{Sizes, Stamp};
use super::hearing::is_voice;
use super::outgoing::SiteClock;
use super::voice_gaps::VoiceGaps;
use super::wire::LinkModel;
use super::world::World;
use rtc::interceptor::Packet;
use rtc::rtcp;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use rtc::rtp;
use std::time::{Duration, Instant};

/// See the module.
#[derive(Debug, Default)]
pub struct Browser {
    gaps: VoiceGaps,
    shown: Vec<Shown>,
    /// Packets it may send again in a second, how many it may just now, and since when it has been counted.
    resends: f64,
    room: f64,
    counted_at: Option<Instant>,
}

/// A frame that was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub at: Instant,
    pub site: u8,
    pub layer: u8,
    pub captured_ms: u32,
}

/// Packets it may send again at once at most: a key frame of the largest layer.
const MOST_ROOM: f64 = 40.0;
/// Bits of one.
const PACKET_BITS: f64 = 9000.0;

impl Browser {
    /// What an answer invites to.
    pub(super) fn read(&mut self, answer: &str) {
        self.gaps.read(answer);
    }
}

impl Client {
    /// One like a browser, whose camera of 720p has three layers.
    fn browser(now: Instant, site: u8, (publishes, slots): (Publishes, usize), clock: SiteClock) -> Client {
        let mut client = Client::bare(now, site, clock);
        client.add_sources(u32::from(site) * 1000, publishes, VideoCodec::Vp8);
        client.add_slots(slots);
        client.resize([180, 360, 720]);
        for layer in client.layers.iter_mut().chain(&mut client.content) {
            layer.encoder.set_sizes(Sizes::Camera);
        }
        client.browser = Some(Browser::default());
        client
    }

    /// Frames it showed since the last call; none where it is not like a browser.
    pub fn take_shown(&mut self) -> Vec<Shown> {
        self.browser.as_mut().map(|browser| std::mem::take(&mut browser.shown)).unwrap_or_default()
    }

    /// What it presents is another page from the next frame on: the whole frame is new.
    pub fn turn_page(&mut self) {
        self.content.iter_mut().for_each(|layer| layer.encoder.turn_page());
    }

    /// Of its uplink, pictures it sends again take so many bits per second: browsers pace them with all they send, and voices
    /// go first.
    pub fn limit_resends(&mut self, bits_per_second: f64) {
        self.browser.iter_mut().for_each(|browser| browser.resends = bits_per_second / PACKET_BITS);
    }

    pub(super) fn may_resend(&mut self, now: Instant) -> bool {
        let Some(browser) = &mut self.browser else { return true };
        let since = browser.counted_at.replace(now).map_or(Duration::from_secs(1), |before| now - before);
        browser.room = (browser.room + browser.resends * since.as_secs_f64()).min(MOST_ROOM);
        let may = browser.room >= 1.0;
        browser.room -= f64::from(u8::from(may));
        may
    }

    pub(super) fn note_voice(&mut self, now: Instant, header: &rtp::Header) {
        if let Some(browser) = self.browser.as_mut().filter(|_| is_voice(header.payload_type)) {
            browser.gaps.see(now, header.ssrc, header.sequence_number);
        }
    }

    /// Requests that are due, and what was decoded.
    pub(super) fn act_as_browser(&mut self, now: Instant) {
        let views = self.video.values_mut();
        let shown: Vec<(Instant, Stamp)> = views.flat_map(|view| view.shown.drain(..)).collect();
        let Some(browser) = &mut self.browser else { return };
        let of = |(at, Stamp { site, layer, captured_ms, .. })| Shown { at, site, layer, captured_ms };
        let shown = shown.into_iter().map(of);
        browser.shown.extend(shown);
        for (media_ssrc, numbers) in browser.gaps.ask(now) {
            let nack = |packet_id| NackPair { packet_id, lost_packets: 0 };
            let nacks = numbers.into_iter().map(nack).collect();
            let packet: Box<dyn rtcp::Packet> =
                Box::new(TransportLayerNack { sender_ssrc: OUR_SSRC, media_ssrc, nacks });
            self.port.send(now, Packet::Rtcp(vec![packet]));
        }
    }
}

impl World {
    /// A site whose client is like a browser joins.
    pub fn join_browser(&mut self, sends: (Publishes, usize), link: LinkModel) -> usize {
        let index = self.sites.len();
        let clock = SiteClock { epoch: self.epoch, wrong_s: 0.0 };
        let client = Client::browser(self.now, index as u8 + 1, sends, clock);
        self.admit(client, sends.1, link)
    }
}
