//! VP9 payload descriptor, RFC 9628 section 4.2.

use super::{Descriptor, Ids, picture_id_at};

struct Layout {
    ids: Ids,
    layers: Option<u8>,
    /// After the layer indices: references or, in a key frame, the scalability structure.
    rest: usize,
}

#[inline]
fn layout(payload: &[u8]) -> Option<Layout> {
    let flags = *payload.first()?;
    let mut at = 1usize;
    let mut layout = Layout { ids: Ids::default(), layers: None, rest: 0 };
    if flags & 0x80 != 0 {
        layout.ids.picture_id = Some(at);
        let wide = *payload.get(at)? & 0x80 != 0;
        at = at.wrapping_add(if wide { 2 } else { 1 });
    }
    if flags & 0x20 != 0 {
        layout.layers = Some(*payload.get(at)?);
        at = at.wrapping_add(1);
        let flexible = flags & 0x10 != 0;
        if !flexible {
            layout.ids.tl0 = Some(at);
            at = at.wrapping_add(1);
        }
    }
    layout.rest = at;
    (at < payload.len()).then_some(layout)
}

pub fn describe(marker: bool, payload: &[u8]) -> Option<Descriptor> {
    let layout = layout(payload)?;
    let flags = *payload.first()?;
    let inter_picture = flags & 0x40 != 0;
    let (begins, ends) = (flags & 0x08 != 0, flags & 0x04 != 0);
    let layers = layout.layers.unwrap_or(0);
    let spatial = (layers >> 1) & 0x07;
    let keyframe = begins && !inter_picture && spatial == 0;
    let structure = payload.get(layout.rest..).filter(|_| flags & 0x02 != 0);
    Some(Descriptor {
        keyframe,
        // A picture of RFC 9628, here a frame, may be several layer frames: it begins with the lowest and ends with the
        // marker.
        frame_start: begins && spatial == 0,
        frame_end: marker || (ends && layout.layers.is_none()),
        temporal: layers >> 5,
        opens_upper: layers & 0x10 != 0,
        picture_id: layout.ids.picture_id.and_then(|at| picture_id_at(payload, at)),
        tl0_pic_idx: layout.ids.tl0.and_then(|at| payload.get(at)).copied(),
        height: structure.filter(|_| keyframe).and_then(height),
        ..Descriptor::default()
    })
}

/// The highest spatial layer's height, from the scalability structure.
fn height(structure: &[u8]) -> Option<u16> {
    let (flags, sizes) = structure.split_first()?;
    let highest = usize::from(flags >> 5);
    let size = sizes.chunks_exact(4).nth(highest).filter(|_| flags & 0x10 != 0)?;
    size.last_chunk().map(|height| u16::from_be_bytes(*height))
}

#[inline]
pub fn ids(payload: &[u8]) -> Option<Ids> {
    layout(payload).map(|layout| layout.ids)
}
