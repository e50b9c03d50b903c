use super::*;

const MS: Duration = Duration::from_millis(1);
const MEGABIT: Capacity = Capacity::Rate(1_000_000.0);

/// When each of datagrams of 1,250 bytes arrives that are sent at these milliseconds.
fn arrivals(way: &mut Way, sent: impl IntoIterator<Item = u32>) -> Vec<Vec<u128>> {
    let began = way.began;
    let ms = |at: Instant| (at - began).as_millis();
    sent.into_iter().map(|at| way.send(began + MS * at, 1250).into_iter().map(ms).collect()).collect()
}

fn way(model: WayModel) -> Way {
    Way::new(Instant::now(), model, 7)
}

fn lost(arrivals: &[Vec<u128>]) -> usize {
    arrivals.iter().filter(|arrivals| arrivals.is_empty()).count()
}

#[test]
fn the_default_is_a_perfect_line() {
    assert_eq!(arrivals(&mut way(WayModel::default()), [0, 0, 5]), [[0], [0], [5]]);
}

/// 1 Mbit/s carries a datagram of 1,250 bytes in 10 ms.
#[test]
fn a_narrow_line_delays_and_then_loses() {
    let mut narrow = way(WayModel { capacity: MEGABIT, queue: 50 * MS, delay: 5 * MS, ..Default::default() });
    let came = arrivals(&mut narrow, [0; 7]);
    assert_eq!(came, [vec![15], vec![25], vec![35], vec![45], vec![55], vec![], vec![]]);
    assert_eq!(arrivals(&mut narrow, [30, 1000]), [[65], [1015]]);
    let waits = narrow.gauge().waits(Duration::ZERO, 20 * MS);
    assert_eq!(waits, [10, 20, 30, 40, 50].map(|ms| ms * MS));
    assert_eq!(narrow.gauge().rates(Duration::ZERO, Duration::from_secs(1)), (80_000.0, 60_000.0));
    let flood = narrow.flood(Duration::ZERO, Duration::from_secs(2)).expect("a limit");
    assert_eq!(flood, Flood { two_seconds: 0.045, second: 0.08 });
}

#[test]
fn a_trace_serves_what_waits_and_forgets_chances_nobody_took() {
    let trace = Trace::read("10\n20\n30\n").expect("a trace");
    let capacity = Capacity::Trace(trace);
    let mut radio = way(WayModel { capacity, queue: Duration::from_secs(1), ..Default::default() });
    // A chance is 1,500 bytes: the second datagram gets 250 of the first one, the sixth none of the fifth.
    assert_eq!(arrivals(&mut radio, [0, 0, 0, 0, 0, 0]), [[10], [20], [30], [40], [50], [50]]);
    assert_eq!(arrivals(&mut radio, [215, 221]), [[220], [230]]);
}

#[test]
fn a_blackout_takes_what_is_sent_and_what_would_leave_in_it() {
    let blackouts = vec![100 * MS..200 * MS];
    let mut black = way(WayModel { capacity: MEGABIT, queue: 50 * MS, blackouts, ..Default::default() });
    assert_eq!(arrivals(&mut black, [50, 95, 150, 200]), [vec![60], vec![], vec![], vec![210]]);
    assert_eq!(black.flood(100 * MS, 400 * MS), None, "there is no second in which it carried something");
}

#[test]
fn losses_follow_their_shares() {
    let every_2_ms = || (0..50_000).map(|number| number * 2);
    let mut random = way(WayModel { loss: 0.3, ..Default::default() });
    let count = lost(&arrivals(&mut random, every_2_ms()));
    assert!((14_500..15_500).contains(&count), "{count}");
    let mut bursty = way(WayModel { bursts: Some(Bursts::of(0.2)), ..Default::default() });
    let count = lost(&arrivals(&mut bursty, every_2_ms()));
    assert!((8_800..11_200).contains(&count), "{count}");
}

#[test]
fn jitter_keeps_the_order_and_reordering_does_not() {
    let jittery = WayModel { jitter: 30 * MS, ..Default::default() };
    let steps = || (0..500).map(|number| number * 10);
    let overtaken = |came: &[Vec<u128>]| came.windows(2).filter(|pair| pair[0][0] > pair[1][0]).count();
    let came = arrivals(&mut way(jittery.clone()), steps());
    assert_eq!(overtaken(&came), 0);
    assert!(came.iter().zip(steps()).any(|(came, sent)| came[0] > u128::from(sent) + 20));
    let mixed = WayModel { reorder: 0.1, held_back: 50 * MS, ..jittery };
    let count = overtaken(&arrivals(&mut way(mixed), steps()));
    assert!((25..75).contains(&count), "{count}");
}

#[test]
fn duplicates_come_twice() {
    let came = arrivals(&mut way(WayModel { duplicate: 0.5, ..Default::default() }), 0..1000);
    let twice = came.iter().filter(|came| came.len() == 2).count();
    assert!((450..550).contains(&twice), "{twice}");
}

#[test]
fn a_segment_is_sent_again_until_it_arrives() {
    let mut poor = way(WayModel { loss: 0.9, ..Default::default() });
    let now = poor.began;
    let late: Vec<Duration> = (0..20).map(|_| poor.send_reliably(now, 1000, 200 * MS) - now).collect();
    assert!(late.iter().all(|late| late.as_millis().is_multiple_of(200)));
    assert!(late.iter().max() > Some(&Duration::from_secs(1)));
}

#[test]
fn the_same_seed_is_the_same_line_and_a_change_is_one_from_then_on() {
    let model = WayModel { loss: 0.3, jitter: 10 * MS, duplicate: 0.1, ..Default::default() };
    let came = || arrivals(&mut way(model.clone()), 0..200);
    assert_eq!(came(), came());
    let mut changed = way(model.clone());
    let now = changed.began;
    changed.change(now + 100 * MS, WayModel::default());
    assert_eq!(arrivals(&mut changed, [150]), [[150]]);
}
