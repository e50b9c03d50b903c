//! AV1 aggregation header, AV1 RTP specification section 4.4. Layers come from the dependency
//! descriptor.

use super::Descriptor;

pub fn describe(marker: bool, payload: &[u8]) -> Option<Descriptor> {
    let header = *payload.first()?;
    let continues = header & 0x80 != 0;
    let new_sequence = header & 0x08 != 0;
    Some(Descriptor {
        keyframe: new_sequence && !continues,
        frame_start: !continues,
        frame_end: marker,
        ..Descriptor::default()
    })
}
