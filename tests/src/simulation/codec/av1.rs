//! AV1 as one spatial and three temporal layers, `L1T3`: what a forwarder must know is in the dependency descriptor
//! (AV1 RTP specification appendix A), with the templates that Chromium has for this mode.

use super::{Descriptor, Payload, VideoCodec};
use crate::simulation::frame::{Frame, Stamp};

/// Aggregation header (section 4.4): an element goes on here, or in the next packet; one element; a new sequence.
const CONTINUES: u8 = 0x80;
const CONTINUED: u8 = 0x40;
const ONE_ELEMENT: u8 = 0x10;
const NEW_SEQUENCE: u8 = 0x08;
const WIDTH: u32 = 320;

/// A template: its temporal layer, and how many frames earlier the one it refers to is.
struct Template {
    temporal: u8,
    back: u16,
}

/// A key frame, layer 0, layer 1, layer 2 after layer 0 and after layer 1.
const TEMPLATES: [Template; 5] = [
    Template { temporal: 0, back: 0 },
    Template { temporal: 0, back: 4 },
    Template { temporal: 1, back: 2 },
    Template { temporal: 2, back: 1 },
    Template { temporal: 2, back: 1 },
];

/// Templates are numbered from here on, 64 of them in a circle: for each layer from somewhere else.
fn first_template(stamp: &Stamp) -> u8 {
    stamp.site.wrapping_mul(13).wrapping_sub(stamp.layer) & 0x3f
}

pub fn pack(frame: &Frame, index: usize) -> Payload {
    let (begins, ends) = (index == 0, index + 1 == frame.packets);
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let aggregation = ONE_ELEMENT
        | flag(!begins, CONTINUES)
        | flag(!ends, CONTINUED)
        | flag(begins && frame.key, NEW_SEQUENCE);
    let template = match (frame.key, frame.step.temporal, frame.step.base) {
        (true, _, _) => 0,
        (false, 2, 1) => 4,
        (false, temporal, _) => temporal + 1,
    };
    let id = first_template(&frame.stamp).wrapping_add(template) & 0x3f;
    let [high, low] = frame.number.to_be_bytes();
    let mut dependency = vec![flag(begins, 0x80) | flag(ends, 0x40) | id, high, low];
    if begins && frame.key {
        dependency.extend(structure(first_template(&frame.stamp), frame.lines));
    }
    Payload { bytes: frame.fill(vec![aggregation]), dependency: Some(dependency) }
}

/// The extended fields with `template_dependency_structure()` (sections A.8.2 and A.8.3).
fn structure(first_template: u8, lines: u16) -> Vec<u8> {
    // A structure is there, and no indications of the frame's own; number of the first template, decode targets less
    // one.
    let mut fields = vec![(0b10000, 5), (u32::from(first_template), 6), (2, 5)];
    // How the next template's layer differs: the same, the next temporal one; no more.
    fields.extend([0, 1, 1, 0, 3].map(|next| (next, 2)));
    // For each template and target: not in it 0, discardable 1, one may switch there 2.
    fields.extend([0b101010, 0b101010, 0b000110, 0b000001, 0b000001].map(|targets| (targets, 6)));
    for template in &TEMPLATES {
        if template.back > 0 {
            fields.extend([(1, 1), (u32::from(template.back) - 1, 4)]);
        }
        fields.push((0, 1));
    }
    // One chain, and how far back each template's frame of it is.
    fields.push((1, 2));
    fields.extend([0, 4, 2, 1, 3].map(|back| (back, 4)));
    fields.extend([(1, 1), (WIDTH - 1, 16), (u32::from(lines) - 1, 16)]);
    bytes(&fields)
}

/// Values of so many bits each, one after the other, highest bit first.
fn bytes(fields: &[(u32, u32)]) -> Vec<u8> {
    let bit = |(value, width): &(u32, u32)| (0..*width).rev().map(|at| value >> at & 1).collect::<Vec<_>>();
    let bits: Vec<u32> = fields.iter().flat_map(bit).collect();
    let byte = |bits: &[u32]| (0..8).fold(0, |byte, at| byte << 1 | bits.get(at).copied().unwrap_or(0) as u8);
    bits.chunks(8).map(byte).collect()
}

pub fn read(payload: &[u8], dependency: &[u8]) -> Option<Descriptor> {
    let [first, high, low, ref extended @ ..] = *dependency else {
        return None;
    };
    let stamp = Stamp::read(payload)?;
    let place = (first & 0x3f).wrapping_sub(first_template(&stamp)) & 0x3f;
    let template = TEMPLATES.get(usize::from(place))?;
    let (start, number) = (first & 0x80 != 0, u16::from_be_bytes([high, low]));
    Some(Descriptor {
        codec: VideoCodec::Av1,
        start,
        key: start && !extended.is_empty(),
        temporal: template.temporal,
        number: Some(number),
        tl0: None,
        refers_to: Some(number.wrapping_sub(template.back)),
    })
}
