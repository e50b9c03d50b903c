use super::*;
use protocol::LinkGrade;

const MEETING: MeetingId = MeetingId(0);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn link(site: u32, rtt_ms: u32) -> SiteLink {
    SiteLink { site: SiteId(site), grade: LinkGrade::Good, loss_percent: 0.1, rtt_ms: Some(rtt_ms) }
}

/// A meeting whose links are measured every round, in virtual time.
struct Story {
    start: Instant,
    now: Instant,
    lights: Lights,
    sites: u32,
    /// What came out: when, to whom, and how long it is.
    sent: Vec<(Duration, SiteId, usize)>,
}

impl Story {
    fn of(sites: u32) -> Story {
        let start = Instant::now();
        Story { start, now: start, lights: Lights::new(start), sites, sent: Vec::new() }
    }

    /// So many rounds; `links` gives the link of a site in a round.
    fn run(&mut self, rounds: u32, links: impl Fn(u32, u32) -> SiteLink) {
        let mut round = 0;
        while round < rounds || !self.lights.waiting.is_empty() {
            self.now = self.now.max(self.lights.wake_at());
            if self.lights.begins_round(self.now) {
                let all: Vec<_> = (0..self.sites).map(|site| links(round, site)).collect();
                let receivers = (0..self.sites).map(SiteId);
                self.lights.measured(self.now, MEETING, all, receivers);
                self.lights.spread(self.now);
                round += 1;
            }
            for (_, site, message) in self.lights.due(self.now) {
                self.sent.push((self.now - self.start, site, message.text().len()));
            }
        }
    }

    /// Most that any site got, as kbit/s, with the frame of the WebSocket and the record of TLS.
    fn kbps(&self) -> f64 {
        let bytes = |site| {
            let to = self.sent.iter().filter(|(_, to, _)| *to == SiteId(site));
            to.map(|(_, _, bytes)| bytes + 4 + 22).sum::<usize>()
        };
        let most = (0..self.sites).map(bytes).max().unwrap_or_default();
        most as f64 * 8.0 / 1000.0 / (self.now - self.start).as_secs_f64()
    }
}

#[test]
fn links_that_stay_as_they_are_cost_nothing() {
    let mut story = Story::of(101);
    story.run(1, |_, site| link(site, 40));
    let first = story.sent.len();
    // A little up and down is not worth sending.
    story.run(60, |round, site| link(site, 40 + round % 5 * 2));
    let later = &story.sent[first..];
    let bytes: usize = later.iter().filter(|(_, to, _)| *to == SiteId(7)).map(|(_, _, bytes)| *bytes).sum();
    let kbps = bytes as f64 * 8.0 / 1000.0 / 120.0;
    assert!(kbps <= 2.0, "{kbps:.2} kbit/s for numbers that are refreshed twice a minute");
}

#[test]
fn a_meeting_of_101_where_everything_changes_costs_a_site_seven_kbit_a_second() {
    let mut story = Story::of(101);
    let changing = |round: u32, site: u32| SiteLink {
        grade: [LinkGrade::Disconnected, LinkGrade::Fair][(round + site) as usize % 2],
        loss_percent: 10.1 + f64::from((round * 37 + site) % 50),
        rtt_ms: Some(1000 + (round * 997 + site * 31) % 900),
        ..link(site + 10_000, 0)
    };
    story.run(60, changing);
    assert!(story.kbps() <= 7.0, "{:.2} kbit/s", story.kbps());
    assert!(story.kbps() >= 3.0, "and something is sent: {:.2} kbit/s", story.kbps());
}

#[test]
fn a_round_is_spread_over_two_seconds() {
    let mut story = Story::of(1000);
    story.run(4, |round, site| link(site, 40 + round * 100));
    for (at, _, _) in &story.sent {
        let together = story.sent.iter().filter(|(other, _, _)| other == at).count();
        assert!(together <= 12, "{together} messages in one moment");
    }
    assert_eq!(story.sent.len(), 4000, "every site gets every round");
    let times: Vec<Duration> = story.sent.iter().map(|(at, _, _)| *at).collect();
    assert!(times[999] - times[0] >= ms(1500) && times[999] < times[1000], "before the next begins");
}

#[test]
fn a_newcomer_gets_the_whole_and_nothing_is_serialised_twice() {
    let mut story = Story::of(30);
    story.run(3, |_, site| link(site, 40));
    let whole = story.lights.whole(MEETING);
    assert!(whole.text().len() > 30 * 40, "all links: {}", whole.text());
    assert_eq!(whole.text().as_ptr(), story.lights.whole(MEETING).text().as_ptr(), "the same text again");
    story.run(1, |_, site| link(site, if site == 3 { 400 } else { 40 }));
    assert!(story.lights.whole(MEETING).text().contains("400"), "as it is after the change");
    story.lights.forget(MEETING);
    assert_eq!(story.lights.whole(MEETING).text().as_str(), r#"{"type":"links","links":[]}"#);
}

#[test]
fn lights_go_before_numbers_and_every_number_has_its_turn() {
    let start = Instant::now();
    let mut told = Told::default();
    let first: Vec<_> = (0..80).map(|site| link(site, 10)).collect();
    while told.links.len() < 80 {
        assert!(!told.take(start, first.clone()).is_empty());
    }
    let mut fresh: std::collections::BTreeSet<SiteId> = (0..80).map(SiteId).collect();
    for round in 1..=5u32 {
        let rtt = |site| link(site, 10 + round * 100);
        let poor = SiteLink { grade: LinkGrade::Poor, ..rtt(79) };
        let links = (0..79).map(rtt).chain([if round == 3 { poor } else { rtt(79) }]).collect();
        let changes = told.take(start + ROUND * round, links);
        assert_eq!(changes.len(), MOST_CHANGES);
        assert!(round != 3 || changes[0].site == SiteId(79), "the light is first");
        changes.iter().for_each(|link| {
            fresh.remove(&link.site);
        });
    }
    assert!(fresh.is_empty(), "no number waits for ever: {fresh:?}");
}

#[test]
fn a_small_difference_is_sent_when_it_is_old() {
    let table = [
        (link(1, 40), link(1, 49), false),
        (link(1, 40), link(1, 50), true),
        (link(1, 400), link(1, 470), false),
        (link(1, 400), link(1, 501), true),
        (link(1, 40), SiteLink { rtt_ms: None, ..link(1, 0) }, true),
        (link(1, 40), SiteLink { loss_percent: 0.5, ..link(1, 40) }, false),
        (link(1, 40), SiteLink { loss_percent: 0.6, ..link(1, 40) }, true),
    ];
    let start = Instant::now();
    for (before, after, told_at_once) in table {
        let mut told = Told::default();
        told.take(start, vec![before.clone()]);
        let changes = told.take(start + ROUND, vec![after.clone()]);
        assert_eq!(!changes.is_empty(), told_at_once, "{before:?} {after:?}");
        let changes = told.take(start + ROUND + REFRESH, vec![after.clone()]);
        assert_eq!(changes.is_empty(), told_at_once, "{before:?} {after:?}");
    }
}

#[test]
fn a_seat_that_was_given_up_is_forgotten() {
    let start = Instant::now();
    let mut told = Told::default();
    told.take(start, vec![link(1, 40), link(2, 40)]);
    assert!(told.take(start, vec![link(1, 40)]).is_empty());
    assert_eq!(told.take(start, vec![link(1, 40), link(2, 40)]), [link(2, 40)], "it comes again");
}
