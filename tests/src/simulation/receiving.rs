//! What a simulated site does with what comes to it: media is checked, feedback obeyed, gaps asked for.

use super::client::{Client, OUR_SSRC, Seen};
use super::codec::VideoCodec;
use super::frame::{CONTENT, Stamp};
use super::hearing::is_voice;
use super::incoming::{Came, SlotView};
use super::outgoing::Outgoing;
use bytes::BytesMut;
use rtc::interceptor::Packet;
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use rtc::rtp;
use rtc::sansio::Protocol;
use rtc::shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sfu::ids::{SlotId, SourceKind};
use std::net::SocketAddr;
use std::time::Instant;

/// NTP seconds of the virtual epoch, as the engine's clock has it.
const EPOCH_NTP_S: f64 = 1_800_000_000.0 + 2_208_988_800.0;

impl Client {
    /// A datagram that left the bridge at `sent_at`.
    pub fn receive(&mut self, now: Instant, sent_at: Instant, from: SocketAddr, bytes: &[u8]) {
        let transport = TransportContext {
            local_addr: self.address,
            peer_addr: from,
            ecn: None,
            transport_protocol: TransportProtocol::UDP,
        };
        // What does not authenticate is refused by the stack; that is its business.
        let _refused =
            self.peer.handle_read(TaggedBytesMut { now, transport, message: BytesMut::from(bytes) });
        while self.peer.poll_read().is_some() {}
        while let Some(packet) = self.port.receive() {
            match packet {
                Packet::Rtp(packet) => self.see(now, sent_at, packet),
                Packet::Rtcp(packets) => {
                    packets.iter().for_each(|packet| self.on_feedback(now, packet.as_ref()))
                }
                _ => {}
            }
        }
    }

    /// Its handshake is done: what it sends leaves.
    pub fn is_open(&self) -> bool {
        self.port.is_open()
    }

    /// What it has found fault with since the last call.
    pub fn take_faults(&mut self) -> Vec<String> {
        let mut faults = std::mem::take(&mut self.faults);
        for (kind, views) in [("video", &mut self.video), ("audio", &mut self.audio)] {
            for (slot, view) in views {
                faults.extend(view.faults.drain(..).map(|fault| format!("{kind} {slot}: {fault}")));
            }
        }
        faults
    }

    fn on_feedback(&mut self, now: Instant, packet: &dyn rtcp::Packet) {
        let any = packet.as_any();
        if let Some(pli) = any.downcast_ref::<PictureLossIndication>() {
            self.request_key(now, pli.media_ssrc);
        } else if let Some(fir) = any.downcast_ref::<FullIntraRequest>() {
            fir.fir.iter().for_each(|entry| self.request_key(now, entry.ssrc));
        } else if let Some(nack) = any.downcast_ref::<TransportLayerNack>() {
            for sequence in nack.nacks.iter().flat_map(|pair| pair.packet_list()) {
                self.answer(now, nack.media_ssrc, sequence);
            }
        } else if let Some(report) = any.downcast_ref::<ReceiverReport>() {
            let voice = self.voice.as_ref().map(|voice| voice.ssrc);
            let own = report.reports.iter().find(|block| Some(block.ssrc) == voice);
            self.voice_lost = own.map_or(self.voice_lost, |block| f64::from(block.fraction_lost) / 256.0);
        } else if let Some(report) = any.downcast_ref::<SenderReport>() {
            let seconds = report.ntp_time as f64 / 4_294_967_296.0 - EPOCH_NTP_S;
            if let Some(view) = self.view(report.ssrc) {
                view.on_report(seconds, report.rtp_time);
            }
        }
    }

    pub(super) fn streams(&mut self) -> impl Iterator<Item = &mut Outgoing> {
        let pictures = self.layers.iter_mut().chain(&mut self.content).map(|layer| &mut layer.stream);
        pictures.chain(&mut self.voice)
    }

    fn answer(&mut self, now: Instant, ssrc: u32, sequence: u16) {
        let is_voice = self.voice.as_ref().is_some_and(|voice| voice.ssrc == ssrc);
        if self.forgets || !(is_voice || self.may_resend(now)) {
            return;
        }
        let port = self.port.clone();
        let stream = self.streams().find(|stream| stream.ssrc == ssrc);
        let answered = stream.map_or(Ok(()), |stream| stream.answer(now, &port, sequence));
        self.faults.extend(answered.err());
    }

    fn request_key(&mut self, now: Instant, ssrc: u32) {
        self.key_requests += 1;
        let layers = &mut self.layers.iter_mut().chain(&mut self.content);
        if let Some(layer) = layers.find(|layer| layer.stream.ssrc == ssrc) {
            layer.encoder.want_key();
            layer.stream.key_requests.push(now);
        }
    }

    fn view(&mut self, ssrc: u32) -> Option<&mut SlotView> {
        Some(match self.slots.of(ssrc)? {
            SlotId::Video(slot) => self.video.entry(usize::from(slot)).or_default(),
            SlotId::Audio(slot) => self.audio.entry(usize::from(slot)).or_default(),
        })
    }

    fn see(&mut self, now: Instant, sent_at: Instant, mut packet: rtp::Packet) {
        let Some(slot) = self.slots.of(packet.header.ssrc) else {
            self.faults.push(format!("ssrc {} is of no slot", packet.header.ssrc));
            return;
        };
        self.faults.extend(self.sections.check(&packet.header).err());
        self.arrivals.see(now, &packet.header);
        self.note_voice(now, &packet.header);
        let repeated = VideoCodec::repaired_by(packet.header.payload_type);
        if let Some(codec) = repeated {
            let [high, low, ..] = *packet.payload else { return };
            packet.header.payload_type = codec.payload_type();
            packet.header.sequence_number = u16::from_be_bytes([high, low]);
            packet.payload = packet.payload.slice(2..);
        }
        if is_voice(packet.header.payload_type) {
            self.faults.extend(self.heard.take(now, &mut packet).err());
        }
        let stamp = Stamp::read(&packet.payload);
        let ssrc = packet.header.ssrc;
        let came = Came { now, sent_at, at_s: self.clock.seconds(sent_at) };
        let Some(view) = self.view(ssrc) else { return };
        let newest = view.see(came, &packet);
        if is_voice(packet.header.payload_type) && !newest {
            self.heard.overtaken += 1;
        }
        if let Some(stamp) = stamp.filter(|_| newest && repeated.is_none()) {
            let kind = match stamp.layer {
                _ if matches!(slot, SlotId::Audio(_)) => SourceKind::Microphone,
                CONTENT.. => SourceKind::Content,
                _ => SourceKind::Camera,
            };
            self.seen.push(Seen { slot, site: stamp.site, kind, sent_at });
        }
    }

    pub(super) fn ask(&mut self, now: Instant) {
        for (slot, (media, _)) in self.slots.video.iter().enumerate() {
            let Some(view) = self.video.get_mut(&slot) else { continue };
            let asks = view.asks(now);
            let mut packets: Vec<Box<dyn rtcp::Packet>> = Vec::new();
            if !asks.nacks.is_empty() {
                let nacks =
                    asks.nacks.iter().map(|packet_id| NackPair { packet_id: *packet_id, lost_packets: 0 });
                packets.push(Box::new(TransportLayerNack {
                    sender_ssrc: OUR_SSRC,
                    media_ssrc: *media,
                    nacks: nacks.collect(),
                }));
            }
            if asks.pli {
                packets.push(Box::new(PictureLossIndication { sender_ssrc: OUR_SSRC, media_ssrc: *media }));
            }
            if !packets.is_empty() {
                self.port.send(now, Packet::Rtcp(packets));
            }
        }
    }
}
