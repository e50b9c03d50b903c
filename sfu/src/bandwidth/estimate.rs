//! The estimate: the smaller of what delay and what loss allow (draft-ietf-rmcat-gcc-02), never grown far above what
//! really arrived, unless a probe has shown that it fits.

use super::MIN_BPS;
use super::acked::AckedRate;
use super::aimd::RateControl;
use super::history::{Acknowledged, Summary};
use super::loss::LossControl;
use super::pacer::Believed;
use super::probe::{Known, Probe, Prober};
use super::stream::StreamTrend;
use super::train::Trains;
use super::trend::{Trend, Usage};
use std::time::{Duration, Instant};

/// Growth ends at 1.5 × what arrives + 10 kbit/s (section 5.5): what an application-limited line has
/// not carried is not believed.
const HEADROOM: f64 = 1.5;
const HEADROOM_BPS: f64 = 10_000.0;
/// Assumed before the first acknowledgement.
const DEFAULT_RESPONSE: Duration = Duration::from_millis(100);
/// A way that has become longer is known after this.
const LEAST_WITHIN: Duration = Duration::from_secs(10);
/// A queue of ours on the line may be so long.
const QUEUE: Duration = Duration::from_millis(200);
/// Two frames that came through at less than this share of what arrived before, with so long a wait, tell of a line that
/// has become narrower, before the trend does.
const NARROWED: f64 = 0.75;
const WAITS_MS: f64 = 20.0;
const WAITS_LONG_MS: f64 = 40.0;
/// Less than this share of the estimate is sent: the application is the limit (libwebrtc, AlrDetector).
const LIMITED: f64 = 0.65;
/// Of what arrived lately at least this much does while a queue grows, or it is a stall.
const LEAST_CARRIED: f64 = 0.4;
/// In one report it is believed so much more of at most.
const CATCHES_UP: f64 = 1.5;
/// A line that was not used up is then believed to carry a quarter more than what arrives.
const UNUSED: f64 = 1.47;
/// What arrives without a queue fits; the window in which it is measured may have had a little more than its part.
const ARRIVES: f64 = 0.9;
/// A queue is gone so long after it was last seen to grow, and a response.
const CALM_AFTER: Duration = Duration::from_millis(300);
/// A queue that lets nothing through sooner for half a second stands. One that is full does not grow any more, and what a
/// line lets through late now and then is no queue.
const STANDS: Duration = Duration::from_millis(40);
const STANDS_FOR: Duration = Duration::from_millis(500);
/// An estimate that neither media nor a probe came near to for so long is believed less, by so much a second.
const FRESH: Duration = Duration::from_secs(10);
const AGEING_PER_S: f64 = 0.95;
/// A line from which nothing has come for so long may be gone.
const SILENT: Duration = Duration::from_secs(1);
/// And after so long, each time, half as much is believed of it. Meanwhile nothing is offered to it that it might not carry:
/// what is on its way is full.
const SILENT_TOO_LONG: Duration = Duration::from_secs(3);
const SILENT_SHARE: f64 = 0.5;
/// A client that has said nothing of what it was sent in this time reports no arrivals.
const SAYS_NOTHING: Duration = Duration::from_secs(5);

/// What the line towards one peer can carry.
#[derive(Debug)]
pub struct Estimator {
    acked: AckedRate,
    trend: Trend,
    stream: StreamTrend,
    delay: RateControl,
    loss: LossControl,
    prober: Prober,
    trains: Trains,
    response: Response,
    began: Option<Instant>,
    fed: Option<Instant>,
    /// When it was believed less because nothing came back.
    doubted: Option<Instant>,
    /// It has reported nothing for so long that it never will.
    is_mute: bool,
    /// When a queue grew while less was sent than fits.
    limited_at: Option<Instant>,
    /// When a queue grew last.
    overused: Option<Instant>,
    /// When it was last seen that the line carries what is believed.
    proved: Option<Instant>,
}

impl Estimator {
    /// Begins at `start_bps`, which stands until feedback moves it.
    pub fn new(start_bps: u64) -> Estimator {
        Estimator {
            acked: AckedRate::default(),
            trend: Trend::new(),
            stream: StreamTrend::default(),
            delay: RateControl::new(start_bps as f64),
            loss: LossControl::new(start_bps as f64),
            prober: Prober::default(),
            trains: Trains::default(),
            response: Response::default(),
            began: None,
            fed: None,
            doubted: None,
            is_mute: false,
            limited_at: None,
            overused: None,
            proved: None,
        }
    }

    /// `in_order`: the line is a TCP connection.
    pub fn on_feedback(&mut self, now: Instant, summary: &Summary, in_order: bool) {
        let arrived = summary.acknowledged.len() as u32;
        if arrived == 0 && summary.lost == 0 {
            return;
        }
        let before = self.fed.replace(now).unwrap_or(now);
        self.is_mute = false;
        if let Some(response) = summary.response {
            self.response.on_response(now, response);
        }
        self.acked.on_packets(&summary.acknowledged);
        self.trains.on_packets(&summary.acknowledged);
        let usage = self.usage(&summary.acknowledged, in_order);
        let grows = matches!(usage, Usage::Over | Usage::Jump);
        if grows {
            self.overused = Some(now);
        }
        let acked = self.acked.bps();
        // While nothing is known of the rate, growth stays below what stands.
        let ceiling = acked.map_or(0.0, |bps| bps * HEADROOM + HEADROOM_BPS);
        self.begin_with_frames();
        let stood = self.bps();
        let carried = if grows { self.carried(now) } else { acked };
        self.delay.update(now, usage, carried, ceiling, self.response.newest());
        if usage == Usage::Normal && self.is_calm(now) {
            self.catch_up(stood);
        }
        if let Some(found) = self.prober.on_packets(&summary.acknowledged) {
            self.prove(now, found);
        }
        let is_full = self.is_congested();
        self.loss.queue_stands(is_full);
        self.loss.on_feedback(now, summary, acked, self.delay.bps(), ceiling);
        // After loss without a queue a short probe says nothing: a policer lets it pass.
        if (grows || is_full) && self.bps() < stood {
            self.prober.on_drop(now, stood, self.bps());
        }
        self.age(now, now.saturating_duration_since(before), ceiling);
    }

    /// What delay says of the line.
    fn usage(&mut self, arrived: &[Acknowledged], in_order: bool) -> Usage {
        let (delays, stream) = (self.trend.on_packets(arrived), self.stream.on_packets(arrived));
        match delays {
            _ if in_order => stream,
            Usage::Normal | Usage::Over if self.has_narrowed() => Usage::Jump,
            usage => usage,
        }
    }

    /// Where nothing else is known of a line, the first frames tell that it carries less than was assumed.
    fn begin_with_frames(&mut self) {
        let slow = self.trains.newest_bps().filter(|train| *train < self.bps() * NARROWED);
        if let Some(train) = slow.filter(|_| self.acked.bps().is_none()) {
            self.delay.begin(train);
        }
    }

    /// What arrives and makes no queue fits.
    fn catch_up(&mut self, stood: f64) {
        if let Some((acked, newest)) = self.acked.bps().zip(self.acked.newest_bps()) {
            self.delay.is_proved((acked.min(newest) * ARRIVES).min(stood * CATCHES_UP));
        }
    }

    /// Frames come through much slower than all that arrived until now, and wait already: the line has become narrower.
    fn has_narrowed(&self) -> bool {
        let (waits, acked) = (self.trend.waits_ms(), self.acked.bps());
        // Two frames say it, or one that waits long.
        let train = if waits > WAITS_LONG_MS { self.trains.last_bps() } else { self.trains.newest_bps() };
        let slower = train.zip(acked).is_some_and(|(train, acked)| train < acked * NARROWED);
        slower && waits > WAITS_MS
    }

    /// What the line carries while a queue grows on it. Where less was sent than fits, a window may have had next to
    /// nothing, and a stall is no narrower line: only what was not used is doubted, and if that was not it, the rest. And
    /// the queue may be one frame: then the line carries what that came through at.
    fn carried(&mut self, now: Instant) -> Option<f64> {
        let (acked, train) = (self.acked.bps()?, self.trains.newest_bps());
        let frames = train.unwrap_or(0.0);
        if self.is_limited() {
            self.limited_at = Some(now);
            return Some((acked * UNUSED).max(frames));
        }
        if self.limited_at.is_some_and(|at| now.saturating_duration_since(at) < SILENT) {
            return Some(acked.max(frames));
        }
        let newest = self.acked.newest_bps()?;
        let carried = train.map_or(newest, |train| train.min(newest));
        Some(carried.max(acked * LEAST_CARRIED))
    }

    /// A second has passed, with so many bytes on their way: where nothing comes back for long, the line is believed less.
    pub fn on_second(&mut self, now: Instant, in_flight: u64) {
        let began = *self.began.get_or_insert(now);
        let Some(fed) = self.fed else {
            self.is_mute = in_flight > 0 && now.saturating_duration_since(began) > SAYS_NOTHING;
            return;
        };
        let heard = self.doubted.map_or(fed, |doubted| doubted.max(fed));
        if in_flight > 0 && now.saturating_duration_since(heard) >= SILENT_TOO_LONG {
            self.doubted = Some(now);
            let stood = self.bps();
            self.delay.age(SILENT_SHARE, MIN_BPS);
            self.prober.on_drop(now, stood, stood * SILENT_SHARE);
        }
    }

    /// What the line is believed to carry, with so many bytes on their way. `None` for a client that reports nothing.
    #[inline]
    pub fn believed(&self, in_flight: u64) -> Option<Believed> {
        let most_in_flight = self.most_in_flight();
        (!self.is_mute).then(|| Believed { bps: self.bps(), most_in_flight, in_flight })
    }

    /// Bytes that may be on their way without an acknowledgement: what the line carries in a response without a queue,
    /// and [`QUEUE`] of it. More would only stand on the line.
    fn most_in_flight(&self) -> u64 {
        let time = self.response.least.unwrap_or(DEFAULT_RESPONSE).saturating_add(QUEUE);
        (self.bps() / 8.0 * time.as_secs_f64()) as u64
    }

    fn age(&mut self, now: Instant, passed: Duration, ceiling: f64) {
        let proved = *self.proved.get_or_insert(now);
        if !self.is_limited() {
            self.proved = Some(now);
        } else if now.saturating_duration_since(proved) > FRESH {
            self.delay.age(AGEING_PER_S.powf(passed.as_secs_f64().min(1.0)), ceiling);
        }
    }

    /// Less is sent than the line is believed to carry.
    fn is_limited(&self) -> bool {
        self.acked.bps().is_some_and(|acked| acked < LIMITED * self.bps())
    }

    /// A queue stands on it: what is lost may be lost because too much is sent.
    pub fn is_congested(&self) -> bool {
        self.response.wait() > STANDS
    }

    fn is_calm(&self, now: Instant) -> bool {
        let wait = CALM_AFTER.saturating_add(self.response.newest());
        self.overused.is_none_or(|at| now.saturating_duration_since(at) >= wait)
    }

    /// A probe that is to be sent now, on a line of which `wanted_bps` could be made use of; `short`: something waits for
    /// more of it. Its packets go into the history of departures under its id.
    pub fn poll_probe(&mut self, now: Instant, wanted_bps: f64, short: bool) -> Option<Probe> {
        // A line that says nothing is not asked: it may be gone.
        self.fed.filter(|fed| now.saturating_duration_since(*fed) < SILENT)?;
        let known = Known {
            estimate_bps: self.bps(),
            wanted_bps,
            calm: self.is_calm(now),
            limited: self.is_limited(),
            short,
            train_bps: self.trains.bps(),
        };
        self.prober.poll(now, known)
    }

    /// Probes follow each other, as they do at the start.
    pub fn is_in_series(&self) -> bool {
        self.prober.is_in_series()
    }

    /// The probe that is due cannot be sent: the frames sent lately are its stand-in.
    pub fn probe_by_frames(&mut self, now: Instant) {
        if let Some(found) = self.prober.by_frames(self.trains.bps()) {
            self.prove(now, found);
        }
    }

    fn prove(&mut self, now: Instant, bps: f64) {
        self.delay.is_proved(bps);
        self.loss.is_proved(bps);
        self.proved = Some(now);
    }

    /// What is assumed of the line, also before the first feedback.
    pub fn bps(&self) -> f64 {
        self.delay.bps().min(self.loss.bps())
    }

    /// Bits per second; `None` before the first feedback.
    pub fn estimate_bps(&self) -> Option<u64> {
        self.fed.map(|_| self.bps() as u64)
    }
}

/// From departure to acknowledgement: the newest, and the least of the last `LEAST_WITHIN` to twice that.
#[derive(Debug, Default)]
struct Response {
    newest: Option<Duration>,
    least: Option<Duration>,
    least_since: Option<(Instant, Duration)>,
    /// Since when, the least since then, and that of the time before.
    lately: Option<(Instant, Duration, Duration)>,
}

impl Response {
    fn newest(&self) -> Duration {
        self.newest.unwrap_or(DEFAULT_RESPONSE)
    }

    /// So much longer is the least of the last `STANDS_FOR` to twice that.
    fn wait(&self) -> Duration {
        let lately = self.lately.map(|(_, now, before)| now.min(before));
        lately.zip(self.least).map_or(Duration::ZERO, |(lately, least)| lately.saturating_sub(least))
    }

    fn on_response(&mut self, now: Instant, response: Duration) {
        self.newest = Some(response);
        let (since, least, before) = self.lately.unwrap_or((now, response, response));
        self.lately = match now.saturating_duration_since(since) < STANDS_FOR {
            true => Some((since, least.min(response), before)),
            false => Some((now, response, least)),
        };
        let (since, least) = self.least_since.unwrap_or((now, response));
        let least = least.min(response);
        self.least_since = Some((since, least));
        self.least = Some(self.least.map_or(least, |known| known.min(least)));
        if now.saturating_duration_since(since) >= LEAST_WITHIN {
            (self.least, self.least_since) = (Some(least), Some((now, response)));
        }
    }
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
