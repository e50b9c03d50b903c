//! Packets of padding, of which probes are made.

use super::{Run, Sealer};
use crate::discard::DropReason;
use crate::forward::packet::Pending;
use crate::forward::write::{Head, write_padding};

impl Sealer<'_> {
    /// Padding on a slot's RTX stream, where it concerns no decoder.
    pub(super) fn seal_padding(
        &mut self,
        pending: &Pending,
        room: &mut [u8],
        run: Run,
    ) -> Result<Option<usize>, DropReason> {
        let subscriber = &mut *self.subscriber;
        let video = subscriber.video.get_mut(usize::from(pending.slot)).ok_or(DropReason::UnknownSsrc)?;
        let codec = video.slot.rtp.codecs.iter().find(|codec| codec.rtx_payload_type.is_some());
        let payload_type = codec.and_then(|codec| codec.rtx_payload_type);
        let sequence = video.resent.peek_sequence();
        let head = Head {
            payload_type: payload_type.ok_or(DropReason::CodecNotNegotiated)?,
            ssrc: video.slot.rtp.rtx_ssrc.ok_or(DropReason::CodecNotNegotiated)?.0,
            marker: false,
            sequence: sequence.number(),
            timestamp: pending.offsets.timestamp,
            original: None,
            transport_sequence: Some(subscriber.history.peek()),
            mid: subscriber.extensions.mid.map(|_| video.slot.rtp.mid.as_str()),
        };
        let written = write_padding(room, head, subscriber.extensions, subscriber.pacer.padding())
            .ok_or(DropReason::Oversized)?;
        let size = written.total.saturating_add(self.line.overhead());
        if run.packets > 0 && size > run.segment {
            return Ok(None);
        }
        let sealed = self.line.seal_rtp(room, written.header, written.total, sequence)?;
        video.resent.next_sequence();
        subscriber.history.record(self.departure, size, subscriber.pacer.probe_id());
        Ok(Some(sealed))
    }
}
