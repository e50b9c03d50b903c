//! VP8 payload descriptor, RFC 7741 section 4.2.

use super::{Descriptor, Ids, picture_id_at};

/// Offsets of the optional fields, and where the VP8 payload begins.
#[derive(Debug, Clone, Copy, Default)]
struct Layout {
    ids: Ids,
    temporal: Option<usize>,
    body: usize,
}

#[inline]
fn layout(payload: &[u8]) -> Option<Layout> {
    let first = *payload.first()?;
    let mut layout = Layout { body: 1, ..Layout::default() };
    if first & 0x80 == 0 {
        return Some(layout);
    }
    let flags = *payload.get(1)?;
    let mut at = 2usize;
    if flags & 0x80 != 0 {
        layout.ids.picture_id = Some(at);
        let wide = *payload.get(at)? & 0x80 != 0;
        at = at.wrapping_add(if wide { 2 } else { 1 });
    }
    if flags & 0x40 != 0 {
        layout.ids.tl0 = Some(at);
        at = at.wrapping_add(1);
    }
    if flags & 0x30 != 0 {
        layout.temporal = Some(at).filter(|_| flags & 0x20 != 0);
        at = at.wrapping_add(1);
    }
    layout.body = at;
    (at < payload.len()).then_some(layout)
}

pub fn describe(marker: bool, payload: &[u8]) -> Option<Descriptor> {
    let layout = layout(payload)?;
    let first = *payload.first()?;
    let begins = first & 0x10 != 0 && first & 0x07 == 0;
    let temporal = layout.temporal.and_then(|at| payload.get(at)).copied();
    let body = payload.get(layout.body..)?;
    let keyframe = begins && body.first().is_some_and(|byte| byte & 1 == 0);
    Some(Descriptor {
        keyframe,
        frame_start: begins,
        frame_end: marker,
        temporal: temporal.map_or(0, |byte| byte >> 6),
        switching_point: temporal.is_some_and(|byte| byte & 0x20 != 0),
        picture_id: layout.ids.picture_id.and_then(|at| picture_id_at(payload, at)),
        tl0_pic_idx: layout.ids.tl0.and_then(|at| payload.get(at)).copied(),
        height: if keyframe { height(body) } else { None },
        ..Descriptor::default()
    })
}

/// Frame header of a key frame, RFC 6386 section 9.1: 3 bytes of tag, the start code, width, height.
fn height(body: &[u8]) -> Option<u16> {
    let header: &[u8; 10] = body.first_chunk()?;
    let [_, _, _, 0x9d, 0x01, 0x2a, _, _, low, high] = *header else {
        return None;
    };
    Some(u16::from_le_bytes([low, high]) & 0x3fff)
}

#[inline]
pub fn ids(payload: &[u8]) -> Option<Ids> {
    layout(payload).map(|layout| layout.ids)
}
