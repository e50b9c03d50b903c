//! The loop step by step, with results worked out by hand.

use super::tests::ms;
use super::*;

fn busy(span_ms: u64) -> Effort {
    Effort { span: ms(span_ms), worked: ms(span_ms), slept: Duration::ZERO }
}

/// What each span changes, worked out by hand: what is shown falls by e to the power of −2 × growth and haste × seconds,
/// what is left out by five times what is free.
#[test]
fn the_share_follows_growth_and_length_of_the_wait() {
    let idle = Effort { span: ms(100), worked: Duration::ZERO, slept: ms(100) };
    let used = |percent| Effort { worked: ms(percent), slept: ms(100 - percent), ..idle };
    let table = [
        ("0.1 s above the target, and no growth known; counted as 200 ms", busy(250), 120, 0.039211),
        ("0.05 s longer in 0.1 s, 0.15 s above the target", busy(100), 170, 0.156335),
        ("it shrinks: nothing is given back while frames wait", busy(100), 120, 0.156335),
        ("no haste at the target", used(92), 20, 0.141335),
        ("a tenth of the core is free", used(85), 0, 0.091335),
        ("all of it is, and nothing more is left out", idle, 0, 0.0),
        ("more than can be had", busy(300), 3120, 0.181269),
        ("much at once is too much", busy(100), 9000, 0.999994),
    ];
    let mut relief = Relief::default();
    for (why, effort, wait_ms, expected) in table {
        let share = relief.on_effort(effort, ms(wait_ms));
        assert!((share - expected).abs() < 1e-6, "{why}: {share} is not {expected}");
    }
}

#[test]
fn nothing_is_taken_before_a_quarter_of_a_second() {
    type Row = (&'static str, &'static [(u64, u64)], bool);
    let table: [Row; 4] = [
        ("249 ms", &[(100, 120), (149, 120)], false),
        ("250 ms", &[(100, 120), (150, 120)], true),
        ("a wait of 20 ms is none", &[(250, 20), (100, 120)], false),
        ("one span without a wait, and it begins again", &[(200, 120), (100, 0), (200, 120)], false),
    ];
    for (why, spans, taken) in table {
        let mut relief = Relief::default();
        let shares = spans.iter().map(|(span, wait)| relief.on_effort(busy(*span), ms(*wait)));
        assert_eq!(shares.last().is_some_and(|share| share > 0.0), taken, "{why}");
    }
}
