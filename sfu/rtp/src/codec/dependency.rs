//! The dependency descriptor, AV1 RTP specification appendix A: key frames, layers, heights, and
//! where a receiver may go up.

use super::bits::Bits;
use super::{Codec, Descriptor};
use arrayvec::ArrayVec;

/// Templates are numbered with six bits.
const MAX_TEMPLATES: usize = 64;
/// Decode target indications (table A.1): the frame is not in the target, or the target can be
/// decoded from here on once this frame is.
const NOT_PRESENT: u64 = 0;
const SWITCH: u64 = 2;

/// What a stream announced with its last key frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateStructure {
    first_id: u8,
    /// Number of decode targets, 1–32.
    targets: u8,
    /// The target that has all layers.
    top: u8,
    templates: Vec<Template>,
    /// Height in pixels of the tallest spatial layer.
    height: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Template {
    spatial: u8,
    temporal: u8,
    /// Refers to no other frame.
    independent: bool,
    opens_upper: bool,
}

/// What one descriptor says of its own frame, instead of what its template says.
#[derive(Debug, Clone, Copy, Default)]
struct Own {
    announced: bool,
    independent: Option<bool>,
    opens_upper: Option<bool>,
}

/// Adds what the descriptor says to `descriptor`, which was read from the payload, and keeps a structure it announces.
/// Of one that does not parse, or refers to a structure that was not received, only the frame number counts.
pub fn refine(
    bytes: &[u8],
    codec: Codec,
    structure: &mut Option<TemplateStructure>,
    descriptor: &mut Descriptor,
) {
    let Some(([first, high, low], rest)) = bytes.split_first_chunk() else {
        return;
    };
    descriptor.frame_number = Some(u16::from_be_bytes([*high, *low]));
    let own = match rest {
        [] => Some(Own::default()),
        rest => read_extended(rest, structure),
    };
    let Some((own, known)) = own.zip(structure.as_ref()) else {
        return;
    };
    let index = (first & 0x3f).wrapping_sub(known.first_id) & 0x3f;
    let Some(template) = known.templates.get(usize::from(index)) else {
        return;
    };
    descriptor.temporal = template.temporal;
    descriptor.opens_upper = own.opens_upper.unwrap_or(template.opens_upper);
    if codec == Codec::Av1 {
        let starts = first & 0x80 != 0 && template.spatial == 0;
        descriptor.frame_start = starts;
        descriptor.keyframe = starts && own.announced && own.independent.unwrap_or(template.independent);
    }
    if descriptor.keyframe {
        descriptor.height = descriptor.height.or(known.height);
    }
}

/// The fields after the three that are always there, sections A.8.2 and A.8.3.
fn read_extended(bytes: &[u8], structure: &mut Option<TemplateStructure>) -> Option<Own> {
    let mut bits = Bits::new(bytes);
    let announced = bits.flag()?;
    let active_targets = bits.flag()?;
    let (own_indications, own_references) = (bits.flag()?, bits.flag()?);
    let _own_chains = bits.flag()?;
    if announced {
        *structure = Some(read_structure(&mut bits)?);
    }
    let known = structure.as_ref()?;
    if active_targets {
        bits.read(u32::from(known.targets))?;
    }
    let mut own = Own { announced, ..Own::default() };
    if own_indications {
        let all = read_indications(&mut bits, known.targets)?;
        own.opens_upper = Some(indication(all, known.targets, known.top) == SWITCH);
    }
    if own_references {
        // The width of the first reference; 0 is "no more".
        own.independent = Some(bits.read(2)? == 0);
    }
    Some(own)
}

/// `template_dependency_structure()`.
fn read_structure(bits: &mut Bits<'_>) -> Option<TemplateStructure> {
    let first_id = bits.read(6)? as u8;
    let targets = (bits.read(5)? as u8).wrapping_add(1);
    let layers = read_layers(bits)?;
    let mut indications = ArrayVec::<u64, MAX_TEMPLATES>::new();
    for _ in &layers {
        indications.push(read_indications(bits, targets)?);
    }
    let top = top_target(&layers, &indications, targets);
    let mut templates = Vec::with_capacity(layers.len());
    for ((spatial, temporal), all) in layers.iter().zip(&indications) {
        templates.push(Template {
            spatial: *spatial,
            temporal: *temporal,
            independent: !read_references(bits)?,
            opens_upper: indication(*all, targets, top) == SWITCH,
        });
    }
    skip_chains(bits, targets, templates.len())?;
    let highest = layers.last().map_or(0, |(spatial, _)| *spatial);
    Some(TemplateStructure { first_id, targets, top, templates, height: read_resolutions(bits, highest)? })
}

fn read_layers(bits: &mut Bits<'_>) -> Option<ArrayVec<(u8, u8), MAX_TEMPLATES>> {
    let mut layers = ArrayVec::new();
    let (mut spatial, mut temporal) = (0u8, 0u8);
    loop {
        layers.try_push((spatial, temporal)).ok()?;
        match bits.read(2)? {
            0 => {}
            1 => temporal = temporal.wrapping_add(1),
            2 => {
                temporal = 0;
                spatial = spatial.wrapping_add(1);
            }
            _ => return Some(layers),
        }
    }
}

/// Two bits for each target, the first target highest.
fn read_indications(bits: &mut Bits<'_>, targets: u8) -> Option<u64> {
    (0..targets).try_fold(0, |all, _| Some((all << 2) | u64::from(bits.read(2)?)))
}

fn indication(all: u64, targets: u8, target: u8) -> u64 {
    let lower = targets.saturating_sub(target).saturating_sub(1);
    (all >> u32::from(lower).wrapping_mul(2)) & 3
}

/// The target with the highest layers, and of these the one with the most templates.
fn top_target(layers: &[(u8, u8)], indications: &[u64], targets: u8) -> u8 {
    let reach = |target: &u8| {
        let members = layers.iter().zip(indications);
        let members = members.filter(|(_, all)| indication(**all, targets, *target) != NOT_PRESENT);
        let members = members.map(|(layer, _)| *layer);
        (members.clone().max(), members.count())
    };
    (0..targets).max_by_key(reach).unwrap_or(0)
}

/// The differences to the frames a template refers to; whether there are any.
fn read_references(bits: &mut Bits<'_>) -> Option<bool> {
    let mut any = false;
    while bits.flag()? {
        bits.read(4)?;
        any = true;
    }
    Some(any)
}

fn skip_chains(bits: &mut Bits<'_>, targets: u8, templates: usize) -> Option<()> {
    let chains = bits.non_symmetric(u32::from(targets).wrapping_add(1))?;
    if chains == 0 {
        return Some(());
    }
    for _ in 0..targets {
        bits.non_symmetric(chains)?;
    }
    for _ in 0..templates {
        for _ in 0..chains {
            bits.read(4)?;
        }
    }
    Some(())
}

/// Width and height of each spatial layer, less one; the height of the highest.
fn read_resolutions(bits: &mut Bits<'_>, highest: u8) -> Option<Option<u16>> {
    if !bits.flag()? {
        return Some(None);
    }
    let mut height = 0u32;
    for _ in 0..=highest {
        bits.read(16)?;
        height = bits.read(16)?;
    }
    Some(u16::try_from(height.wrapping_add(1)).ok())
}
