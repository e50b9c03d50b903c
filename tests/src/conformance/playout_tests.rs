use super::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const MINUTE: u32 = 3000;

/// A minute of speech over 50 ms; `late` says by how many milliseconds each piece is late, or that it is lost.
fn speech(mut late: impl FnMut(u32) -> Option<f64>) -> Vec<Piece> {
    let piece = |number: u32| {
        let captured = number * PIECE;
        Some(Piece { at: f64::from(captured) + 50.0 + late(number)?, captured })
    };
    let mut pieces: Vec<Piece> = (0..MINUTE).filter_map(piece).collect();
    pieces.sort_by(|a, b| a.at.total_cmp(&b.at));
    pieces
}

fn heard(pieces: &[Piece]) -> Playout {
    play(pieces, (10_000.0, 60_000.0), |_| false)
}

fn furthest(playout: &Playout) -> f64 {
    playout.buffer.iter().copied().fold(0.0, f64::max)
}

#[test]
fn on_a_clean_line_everything_is_played_soon() {
    let playout = heard(&speech(|_| Some(0.0)));
    assert_eq!((playout.turns, playout.unplayable(), playout.gaps.len()), (2500, 0.0, 0));
    assert!(furthest(&playout) <= 60.0, "{}", furthest(&playout));
}

#[test]
fn what_is_lost_is_concealed_in_its_turn() {
    let playout = heard(&speech(|number| (number % 10 != 0).then_some(0.0)));
    assert!((playout.unplayable() - 0.1).abs() < 0.01, "{}", playout.unplayable());
    assert_eq!(playout.gaps.last(), Some(&20));
    let burst = heard(&speech(|number| (!(1000..1010).contains(&number)).then_some(0.0)));
    assert_eq!((burst.concealed, burst.gaps), (10, vec![200]));
}

#[test]
fn the_buffer_grows_with_jitter_and_then_nothing_is_lost() {
    let mut rng = StdRng::seed_from_u64(1);
    let jittery = speech(|_| Some(rng.random_range(0.0..100.0)));
    let playout = heard(&jittery);
    assert!(playout.unplayable() < 0.01, "{}", playout.unplayable());
    assert!((100.0..200.0).contains(&furthest(&playout)), "{}", furthest(&playout));
}

#[test]
fn the_buffer_follows_what_is_resent_late() {
    // A third is lost and comes 300 ms later.
    let playout = heard(&speech(|number| Some(if number % 3 == 0 { 300.0 } else { 0.0 })));
    assert!(playout.unplayable() < 0.01, "{}", playout.unplayable());
    assert!((300.0..400.0).contains(&furthest(&playout)), "{}", furthest(&playout));
}

#[test]
fn a_stall_is_a_gap_and_what_is_too_old_is_left_out() {
    // From 20 s on for 5 s everything waits for the end of it.
    let stall = |number: u32| (1000..1250).contains(&number).then(|| f64::from((1250 - number) * PIECE));
    let playout = heard(&speech(|number| Some(stall(number).unwrap_or(0.0))));
    assert!(playout.gaps.last().is_some_and(|gap| (4800..5100).contains(gap)), "{:?}", playout.gaps);
    assert!((180..230).contains(&playout.skipped), "{}", playout.skipped);
    assert!(furthest(&playout) > BOUND - 100.0 && playout.buffer.last().is_some_and(|end| *end < 600.0));
}

#[test]
fn what_is_lost_in_a_stall_is_one_gap_and_not_two() {
    let playout = heard(&speech(|number| (!(1000..1250).contains(&number)).then_some(0.0)));
    assert_eq!((playout.concealed, playout.skipped, playout.gaps.len()), (250, 0, 1));
}

#[test]
fn silence_is_all_concealed_and_some_turns_can_be_left_out() {
    assert_eq!(heard(&[]).unplayable(), 1.0);
    let burst = speech(|number| (!(1000..1010).contains(&number)).then_some(0.0));
    let without = play(&burst, (10_000.0, 60_000.0), |at| (20_000.0..21_000.0).contains(&at));
    assert_eq!((without.turns, without.concealed), (2450, 0));
}
