//! Which simulcast layer a slot is to show. Pure: layers and a wish in, a choice out.

/// What is known of one layer of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerState {
    /// Packets are coming.
    pub active: bool,
    /// Picture height of the last key frame, in pixels.
    pub height: Option<u16>,
}

/// The layer a slot wants and the one it can have now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Wanted from the publisher.
    pub wanted: usize,
    /// Shown meanwhile: the wanted one where it is active, else the nearest active one.
    pub available: Option<usize>,
}

/// The best layer not taller than `max_height`, or the lowest there is. Layers are lowest first;
/// where heights are not known yet each is taken to be half of the next and the tallest 720.
pub fn wished(layers: &[LayerState], max_height: u16) -> Option<usize> {
    let last = layers.len().checked_sub(1)?;
    let fits = |index: usize| height(layers, index, last) <= u32::from(max_height);
    Some((0..=last).rev().find(|index| fits(*index)).unwrap_or(0))
}

/// How this layer can be had now.
pub fn choose(layers: &[LayerState], wanted: usize) -> Choice {
    let active = |index: &usize| layers.get(*index).is_some_and(|layer| layer.active);
    let below = (0..=wanted).rev().find(active);
    let above = (wanted..layers.len()).find(active);
    Choice { wanted, available: below.or(above) }
}

/// What a layer takes, where it sends nothing now: 150 kbit/s for 180 lines, and as browsers do, 3.4 times as much for
/// twice the height.
pub fn assumed_bps(layers: &[LayerState], index: usize) -> u64 {
    let lines = height(layers, index, layers.len().saturating_sub(1)).clamp(1, 2160);
    (150_000.0 * (f64::from(lines) / 180.0).powf(1.75)) as u64
}

/// Height assumed for the tallest layer until a key frame gives it.
const ASSUMED_TALLEST: u32 = 720;

/// What a layer sends, or would send. What it sent when it last did is worth less than what the others send
/// now: since then a phone may have been turned, or a camera gone into another mode.
fn height(layers: &[LayerState], index: usize, last: usize) -> u32 {
    let known = |layer: &LayerState| layer.height.map(u32::from);
    let own = layers.get(index);
    if let Some(height) = own.filter(|layer| layer.active).and_then(known) {
        return height;
    }
    let scaled = |(from, layer): (usize, &LayerState)| Some(scale(known(layer)?, from, index));
    let by_distance = |(from, _): &(usize, &LayerState)| from.abs_diff(index);
    let sending = layers.iter().enumerate().filter(|(_, layer)| layer.active && layer.height.is_some());
    let now = sending.min_by_key(by_distance).and_then(scaled);
    let before = || own.and_then(known).or_else(|| layers.iter().enumerate().find_map(scaled));
    now.or_else(before).unwrap_or_else(|| scale(ASSUMED_TALLEST, last, index))
}

fn scale(height: u32, from: usize, to: usize) -> u32 {
    if to >= from {
        height.checked_shl(to.saturating_sub(from) as u32).unwrap_or(u32::MAX)
    } else {
        height.checked_shr(from.saturating_sub(to) as u32).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(layers: &[LayerState], max_height: u16) -> Option<Choice> {
        Some(super::choose(layers, wished(layers, max_height)?))
    }

    fn layers(spec: &[(bool, Option<u16>)]) -> Vec<LayerState> {
        spec.iter().map(|(active, height)| LayerState { active: *active, height: *height }).collect()
    }

    #[test]
    fn the_best_that_fits_or_the_lowest() {
        let all = layers(&[(true, Some(180)), (true, Some(360)), (true, Some(720))]);
        for (max_height, expected) in [(1080, 2), (720, 2), (719, 1), (360, 1), (200, 0), (90, 0)] {
            let choice = choose(&all, max_height).unwrap();
            assert_eq!(choice, Choice { wanted: expected, available: Some(expected) }, "{max_height}");
        }
    }

    #[test]
    fn an_inactive_layer_is_wanted_and_the_nearest_is_shown() {
        let low_only = layers(&[(true, Some(180)), (false, None), (false, None)]);
        assert_eq!(choose(&low_only, 1080), Some(Choice { wanted: 2, available: Some(0) }));
        let high_only = layers(&[(false, None), (false, None), (true, Some(720))]);
        assert_eq!(choose(&high_only, 200), Some(Choice { wanted: 0, available: Some(2) }));
        let around = layers(&[(true, Some(180)), (false, Some(360)), (true, Some(720))]);
        assert_eq!(
            choose(&around, 360),
            Some(Choice { wanted: 1, available: Some(0) }),
            "below before above"
        );
        let below = layers(&[(true, Some(180)), (true, Some(360)), (false, Some(720))]);
        assert_eq!(choose(&below, 720), Some(Choice { wanted: 2, available: Some(1) }), "the nearest below");
        let above = layers(&[(false, Some(180)), (true, Some(360)), (true, Some(720))]);
        assert_eq!(choose(&above, 180), Some(Choice { wanted: 0, available: Some(1) }), "the nearest above");
        let none = layers(&[(false, None)]);
        assert_eq!(choose(&none, 200), Some(Choice { wanted: 0, available: None }));
        assert_eq!(choose(&[], 200), None);
    }

    #[test]
    fn a_silent_layer_takes_what_its_height_lets_expect() {
        let known = layers(&[(true, Some(180)), (false, None), (false, None)]);
        let kbps: Vec<u64> = (0..3).map(|index| assumed_bps(&known, index) / 1000).collect();
        assert_eq!(kbps, [150, 504, 1697]);
    }

    #[test]
    fn unknown_heights_are_halves() {
        let unknown = layers(&[(true, None), (true, None), (true, None)]);
        assert_eq!(choose(&unknown, 360).unwrap().wanted, 1);
        let one_known = layers(&[(true, Some(90)), (true, None), (true, None)]);
        assert_eq!(choose(&one_known, 360).unwrap().wanted, 2);
    }

    #[test]
    fn a_layer_that_sends_nothing_is_as_tall_as_the_others_suggest() {
        let wanted =
            |spec: &[(bool, Option<u16>)], max_height| choose(&layers(spec), max_height).unwrap().wanted;
        // A camera of 720 lines was exchanged for one of 480 while only its lowest layer was watched.
        let exchanged = [(true, Some(120)), (false, Some(360)), (false, Some(720))];
        assert_eq!(wanted(&exchanged, 479), 1);
        assert_eq!(wanted(&exchanged, 480), 2);
        // A phone was turned upright: what was 180 lines is 320 now.
        let turned = [(true, Some(320)), (false, Some(360)), (false, Some(720))];
        assert_eq!(wanted(&turned, 720), 1);
        assert_eq!(wanted(&turned, 500), 0);
        // The nearest that sends is the best evidence: layers need not be halves of each other.
        let between = [(true, Some(180)), (true, Some(540)), (false, Some(720))];
        assert_eq!(wanted(&between, 1079), 1);
        // Nothing sends: then what was known last.
        let silent = [(false, Some(120)), (false, None), (false, Some(360))];
        assert_eq!(wanted(&silent, 360), 2);
        assert_eq!(wanted(&silent, 240), 1);
    }
}
