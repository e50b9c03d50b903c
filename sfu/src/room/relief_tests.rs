//! The loop against a worker in virtual time: a queue of voices and frames, a host that steals time.

use super::*;
use std::collections::VecDeque;

/// The model's grain.
const TICK: Duration = Duration::from_millis(1);
const TICK_S: f64 = 0.001;
/// How often the driver reports what was done.
const SPAN: Duration = Duration::from_millis(100);
/// 30 frames a second.
const FRAME_TICKS: u64 = 33;

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A camera and all its viewers.
struct Source {
    /// Seconds of work for one frame to all of them.
    work: f64,
    phase: u64,
    left_out: bool,
    /// Came back, and its next frame is a key frame.
    needs_key: bool,
}

/// What a span of time showed.
#[derive(Default, Clone, Copy)]
struct Span {
    used: f64,
    share: f64,
    /// Longest wait of any frame, and of any voice.
    frame_wait: Duration,
    voice_wait: Duration,
}

/// One worker: voices and what comes in are served first, then frames in the order they came.
struct Model {
    tick: u64,
    sources: Vec<Source>,
    /// Work a second that cannot be left out: reading, voices, reports.
    base: f64,
    /// Share of a core that others leave, tick by tick.
    available: Box<dyn Fn(u64) -> f64>,
    /// Part of a frame's work that is saved when it has waited for a tenth of a second: it leaves together with others.
    saving: f64,
    base_queue: VecDeque<(u64, f64)>,
    frames: VecDeque<(u64, f64)>,
    relief: Relief,
    share: f64,
    worked: f64,
    slept: f64,
    least_wait: Option<Duration>,
    span: Span,
    spans: Vec<Span>,
}

impl Model {
    /// `load` of a core in all, a tenth of it not video, in `sources` equal cameras.
    fn new(load: f64, sources: u64) -> Model {
        let per_frame = load * 0.9 / sources as f64 * FRAME_TICKS as f64 * TICK_S;
        let source = |n: u64| Source {
            work: per_frame,
            phase: n * FRAME_TICKS / sources,
            left_out: false,
            needs_key: false,
        };
        Model {
            tick: 0,
            sources: (0..sources).map(source).collect(),
            base: load * 0.1,
            available: Box::new(|_| 1.0),
            saving: 0.0,
            base_queue: VecDeque::new(),
            frames: VecDeque::new(),
            relief: Relief::default(),
            share: 0.0,
            worked: 0.0,
            slept: 0.0,
            least_wait: None,
            span: Span::default(),
            spans: Vec::new(),
        }
    }

    fn host(mut self, available: impl Fn(u64) -> f64 + 'static) -> Model {
        self.available = Box::new(available);
        self
    }

    /// Changes the work of all cameras and of everything else.
    fn scale(&mut self, by: f64) {
        self.base *= by;
        self.sources.iter_mut().for_each(|source| source.work *= by);
    }

    fn run(&mut self, seconds: u64) -> &[Span] {
        let first = self.spans.len();
        for _ in 0..seconds * 1000 {
            self.arrive();
            self.serve();
            self.tick += 1;
            if self.tick.is_multiple_of(SPAN.as_millis() as u64) {
                self.report_effort();
            }
        }
        &self.spans[first..]
    }

    fn arrive(&mut self) {
        self.base_queue.push_back((self.tick, self.base * TICK_S));
        let due = |source: &&mut Source| self.tick % FRAME_TICKS == source.phase && !source.left_out;
        for source in self.sources.iter_mut().filter(due) {
            let size = if std::mem::take(&mut source.needs_key) { 10.0 } else { 1.0 };
            self.frames.push_back((self.tick, source.work * size));
        }
    }

    /// One tick of the core, as much of it as there is for us.
    fn serve(&mut self) {
        let mut left = (self.available)(self.tick) * TICK_S;
        let had = left;
        let voice_wait = serve(&mut self.base_queue, &mut left, self.tick, 0.0, |_| {});
        self.span.voice_wait = self.span.voice_wait.max(voice_wait);
        let least = &mut self.least_wait;
        let frame_wait = serve(&mut self.frames, &mut left, self.tick, self.saving, |wait| {
            *least = Some(least.map_or(wait, |known| known.min(wait)));
        });
        self.span.frame_wait = self.span.frame_wait.max(frame_wait);
        self.worked += had - left;
        // A worker with work left does not sleep; one without sleeps for the rest of the tick.
        self.slept +=
            if self.base_queue.is_empty() && self.frames.is_empty() { TICK_S - (had - left) } else { 0.0 };
    }

    fn report_effort(&mut self) {
        let effort = Effort {
            span: SPAN,
            worked: Duration::from_secs_f64(self.worked.min(SPAN.as_secs_f64())),
            slept: Duration::from_secs_f64(self.slept.min(SPAN.as_secs_f64())),
        };
        let stuck = if self.frames.is_empty() { Duration::ZERO } else { SPAN };
        self.share = self.relief.on_effort(effort, self.least_wait.take().unwrap_or(stuck));
        self.span.used = self.worked / SPAN.as_secs_f64();
        self.span.share = self.share;
        self.spans.push(std::mem::take(&mut self.span));
        (self.worked, self.slept) = (0.0, 0.0);
        self.plan();
    }

    /// Whole sources are left out, the first ones first; what comes back needs a key frame.
    fn plan(&mut self) {
        let out = (self.share * self.sources.len() as f64).ceil() as usize;
        for (n, source) in self.sources.iter_mut().enumerate() {
            let left_out = n < out;
            source.needs_key |= source.left_out && !left_out;
            source.left_out = left_out;
        }
    }
}

/// Works off a queue within `left` seconds; returns the longest wait of what was begun.
fn serve(
    queue: &mut VecDeque<(u64, f64)>,
    left: &mut f64,
    tick: u64,
    saving: f64,
    mut each: impl FnMut(Duration),
) -> Duration {
    let mut longest = Duration::ZERO;
    while let Some((since, work)) = queue.front_mut().filter(|_| *left > 0.0) {
        let wait = TICK * (tick - *since) as u32;
        each(wait);
        longest = longest.max(wait);
        let price = 1.0 - saving * wait.div_duration_f64(ms(100)).min(1.0);
        let done = work.min(*left / price);
        *left -= done * price;
        *work -= done;
        if *work <= f64::EPSILON {
            queue.pop_front();
        }
    }
    longest
}

fn mean(spans: &[Span], of: impl Fn(&Span) -> f64) -> f64 {
    spans.iter().map(of).sum::<f64>() / spans.len() as f64
}

fn longest(spans: &[Span], of: impl Fn(&Span) -> Duration) -> Duration {
    spans.iter().map(of).max().unwrap_or_default()
}

#[test]
fn below_capacity_nothing_is_left_out() {
    for (load, sources) in [(0.01, 3), (0.5, 12), (0.9, 24), (0.97, 100)] {
        let mut model = Model::new(load, sources);
        let spans = model.run(60);
        assert!(spans.iter().all(|span| span.share == 0.0), "{load} of a core in {sources} cameras");
    }
}

#[test]
fn overload_uses_the_core_and_leaves_out_what_is_too_much() {
    let loads = [(1.1, 24), (1.1, 100), (1.5, 24), (1.5, 100), (2.0, 24), (2.0, 100), (3.0, 100)];
    for (load, sources) in loads {
        let mut model = Model::new(load, sources);
        let begin = model.run(5).to_vec();
        let spans = model.run(60);
        let what = format!("{load} of a core in {sources} cameras");
        let used = mean(spans, |span| span.used);
        assert!(used >= 0.9, "{what}: {used:.3} used");
        let (share, too_much) = (mean(spans, |span| span.share), (load - 1.0) / (load * 0.9));
        assert!(share < too_much + 0.08, "{what}: {share:.3} left out where {too_much:.3} is too much");
        let voices = longest(spans, |span| span.voice_wait);
        assert!(voices <= ms(2), "{what}: a voice waited {voices:?}");
        let usually = mean(spans, |span| span.frame_wait.as_secs_f64());
        assert!(usually <= 0.04, "{what}: frames waited {usually:.3} s");
        let wait = longest(spans, |span| span.frame_wait);
        assert!(wait <= ms(250), "{what}: a frame waited {wait:?}");
        // What came in before enough was left out is served first.
        let (wait, most) = (longest(&begin, |span| span.frame_wait), ms(600).mul_f64(load));
        assert!(wait <= most, "{what}: at first a frame waited {wait:?}");
    }
}

#[test]
fn what_was_left_out_comes_back_within_two_seconds() {
    for load in [1.5, 4.0] {
        let mut model = Model::new(load, 24);
        model.run(30);
        model.scale(0.7 / load);
        let spans = model.run(30);
        let back = spans.iter().position(|span| span.share == 0.0);
        assert!(back.is_some_and(|spans| spans <= 20), "{load} of a core: {back:?} tenths of a second");
        assert!(spans[20..].iter().all(|span| span.share == 0.0), "and nothing goes again");
    }
}

#[test]
fn a_busy_host_takes_no_frames() {
    // Others hold the core for so many milliseconds out of so many.
    for (held, of) in [(25, 50), (29, 30), (45, 60), (200, 250), (900, 1000)] {
        let mut model = Model::new(0.01, 12).host(move |tick| if tick % of < held { 0.0 } else { 1.0 });
        let spans = model.run(120);
        let waited = longest(spans, |span| span.frame_wait);
        assert!(waited >= ms(held - 2), "frames did wait: {waited:?}");
        assert!(spans.iter().all(|span| span.share == 0.0), "{held} of {of} ms");
    }
}

#[test]
fn a_worker_that_sleeps_is_not_behind() {
    // The one camera's frames always come while others hold the core, and wait for 25 ms each.
    let mut model = Model::new(0.2, 1).host(|tick| if tick % FRAME_TICKS < 25 { 0.0 } else { 1.0 });
    let spans = model.run(60);
    assert!(spans.iter().all(|span| span.frame_wait >= ms(25) && span.share == 0.0));
}

#[test]
fn a_worker_without_work_of_its_own_takes_no_frames() {
    // Others leave a hundredth of the core, and two are needed: leaving out frames would help no receiver.
    let mut model = Model::new(0.02, 12).host(|_| 0.01);
    let spans = model.run(10);
    assert!(longest(spans, |span| span.frame_wait) >= ms(1000));
    assert!(spans.iter().all(|span| span.share == 0.0));
}

#[test]
fn a_wait_of_25_ms_does_not_latch() {
    // Overloaded for a while, then the host delays every turn by 25 ms, with little work to do.
    let mut model = Model::new(1.5, 24).host(|tick| match tick {
        0..10_000 => 1.0,
        _ if tick % 30 < 25 => 0.0,
        _ => 1.0,
    });
    model.run(10);
    assert!(model.share > 0.0);
    model.scale(0.02 / 1.5);
    let spans = model.run(30);
    assert!(longest(&spans[20..], |span| span.frame_wait) >= ms(23));
    assert!(spans[20..].iter().all(|span| span.share == 0.0));
}

#[test]
fn a_stopped_process_catches_up_and_shows_everything_again() {
    // SIGSTOP for two seconds; what came meanwhile waits in the socket.
    for (load, most) in [(0.01, 0.0), (0.3, 0.0), (0.7, 0.5)] {
        let mut model =
            Model::new(load, 30).host(|tick| if (5_000..7_000).contains(&tick) { 0.0 } else { 1.0 });
        model.run(7);
        let spans = model.run(30);
        let share = spans.iter().map(|span| span.share).fold(0.0, f64::max);
        assert!(share <= most, "{load}: {share:.2} left out at most");
        let last = spans.iter().rposition(|span| span.share > 0.0).map_or(0, |last| last + 1);
        assert!(last <= 60, "{load}: still something left out after {last} tenths of a second");
    }
}

#[test]
fn a_worker_with_too_little_of_a_core_leaves_out_what_does_not_fit() {
    // Others take two thirds of the core for good, in slices of 20 ms.
    let mut model = Model::new(0.5, 24).host(|tick| if tick % 30 < 20 { 0.0 } else { 1.0 });
    model.run(5);
    let spans = model.run(60);
    assert!(mean(spans, |span| span.used) >= 0.3, "all there is for us is used");
    assert!(mean(spans, |span| span.share) < 0.37 + 0.1, "a third is too much");
    assert!(longest(spans, |span| span.voice_wait) <= ms(25), "voices wait for the host only");
}

#[test]
fn the_share_is_steady_under_a_steady_load() {
    let mut model = Model::new(1.5, 100);
    model.run(10);
    let spans = model.run(60);
    let shares: Vec<f64> = spans.iter().map(|span| span.share).collect();
    let spread = shares.iter().copied().fold(0.0, f64::max) - shares.iter().copied().fold(1.0, f64::min);
    assert!(spread <= 0.2, "{spread:.2}");
    // What comes back costs key frames: it does so seldom.
    let returns = shares.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(returns <= shares.len() / 4, "{returns} of {} spans give something back", shares.len());
}

#[test]
fn key_frames_for_all_receivers_at_once_are_no_overload() {
    let mut model = Model::new(0.6, 24);
    model.run(5);
    for _ in 0..10 {
        model.sources.iter_mut().for_each(|source| source.needs_key = true);
        let spans = model.run(2);
        assert!(spans.iter().all(|span| span.share == 0.0));
    }
}

#[test]
fn a_wait_that_does_not_shrink_is_worked_off() {
    // Nearly full, and once held up for 400 ms: by itself that would take 40 s.
    let mut model = Model::new(0.99, 24).host(|tick| if (5_000..5_400).contains(&tick) { 0.0 } else { 1.0 });
    model.run(8);
    let spans = model.run(30);
    let late = mean(spans, |span| span.frame_wait.as_secs_f64());
    assert!(late <= 0.06, "{late:.3} s");
}

#[test]
fn what_comes_back_does_not_come_all_at_once() {
    let mut model = Model::new(4.0, 24);
    model.run(30);
    model.scale(0.8 / 4.0);
    model.run(2);
    let waits = model.spans[300..].iter().skip(2).map(|span| span.frame_wait).max();
    assert!(waits.is_some_and(|wait| wait <= ms(50)), "{waits:?}");
}

#[test]
fn a_wait_too_short_to_notice_takes_nothing() {
    // The one camera's frames always wait for 10 ms, and the worker uses nearly all that it can have.
    let mut model = Model::new(0.65, 1).host(|tick| if tick % FRAME_TICKS < 10 { 0.0 } else { 1.0 });
    let spans = model.run(60);
    assert!(spans.iter().all(|span| span.frame_wait >= ms(10) && span.share == 0.0));
}

#[test]
fn one_long_turn_does_not_take_everything() {
    let mut relief = Relief::default();
    let turn = Duration::from_secs(2);
    let effort = Effort { span: turn, worked: turn, slept: Duration::ZERO };
    assert!(relief.on_effort(effort, ms(500)) <= 0.5);
}

/// Sends carry more packets the longer these wait: a queue that has grown once would stand, and without one less is carried.
#[test]
fn a_queue_that_makes_sends_cheaper_does_not_stand() {
    for (load, saving) in [(1.1, 0.3), (1.3, 0.3), (1.5, 0.3), (1.5, 0.5), (2.0, 0.5)] {
        let mut model = Model::new(load, 100);
        model.saving = saving;
        model.run(10);
        let spans = model.run(60);
        let what = format!("{load} of a core, {saving} saved");
        let usually = mean(spans, |span| span.frame_wait.as_secs_f64());
        assert!(usually <= 0.06, "{what}: frames waited {usually:.3} s");
        let (share, most) = (mean(spans, |span| span.share), (load - 1.0) / (load * 0.9));
        assert!(
            share < most + 0.08,
            "{what}: {share:.3} left out where {most:.3} is too much without a queue"
        );
        assert!(mean(spans, |span| span.used) >= 0.9, "{what}");
    }
}
