//! One window of measurement: what was spent and what came.

use crate::crowd::{Crowd, Tally};
use crate::hills::Hills;
use crate::measure::{Moment, Spent};
use crate::options::Options;
use crate::server::{MEDIA_PORT, Server};
use std::time::Duration;

/// A window in which others took more than this part of a core is taken again.
const STRANGERS: f64 = 0.15;
const TRIES: usize = 3;

pub struct Window {
    pub spent: Spent,
    /// Of each site, in the order they came.
    pub peers: Vec<Tally>,
    /// Milliseconds, of the packets that were opened.
    pub audio_delays: Vec<f64>,
    pub video_delays: Vec<f64>,
    pub hills: Hills,
    /// Slots the server had thinned or emptied for overload when the window ended.
    pub thinned_slots: f64,
    pub shed_slots: f64,
    /// Sites that had lost their WebSocket by then.
    pub closed: usize,
}

impl Window {
    /// Settles, then measures.
    pub fn take(options: &Options, server: &Server, crowd: &mut Crowd) -> Result<Window, String> {
        for _ in 1..TRIES {
            crowd.run(options.settling())?;
            let window = Window::once(options.window(), server, crowd)?;
            if options.quick || window.is_calm() {
                return Ok(window);
            }
            eprintln!("load: others took {:.0} % of a core; once more", window.strangers() * 100.0);
        }
        crowd.run(options.settling())?;
        Window::once(options.window(), server, crowd)
    }

    /// Measures at once.
    pub fn once(time: Duration, server: &Server, crowd: &mut Crowd) -> Result<Window, String> {
        crowd.samples.clear();
        crowd.sampling = true;
        let (tallies, before) = (crowd.tallies(), Moment::now(server.pid(), MEDIA_PORT));
        let run = crowd.run(time);
        let after = Moment::now(server.pid(), MEDIA_PORT);
        crowd.sampling = false;
        run.map_err(|e| server.explain(e))?;
        let now = crowd.tallies();
        if now.iter().any(|tally| tally.rejected > 0) {
            return Err("the server sends what does not authenticate".to_owned());
        }
        let delays = |of_video: bool| {
            let samples = crowd.samples.iter().filter(|sample| sample.is_video == of_video);
            samples.map(|sample| sample.delay.as_secs_f64() * 1e3).collect()
        };
        Ok(Window {
            spent: before.until(&after),
            peers: now.iter().zip(&tallies).map(|(now, before)| now.since(before)).collect(),
            audio_delays: delays(false),
            video_delays: delays(true),
            hills: Hills::of(&crowd.samples),
            thinned_slots: server.metric("nhipcau_worker_thinned_slots"),
            shed_slots: server.metric("nhipcau_worker_shed_slots"),
            closed: crowd.closed,
        })
    }

    /// Other programs used little of the machine.
    pub fn is_calm(&self) -> bool {
        self.strangers() <= STRANGERS
    }

    /// Part of a core.
    fn strangers(&self) -> f64 {
        self.spent.strangers.as_secs_f64() / self.spent.time.as_secs_f64()
    }

    /// Unique packets of all sites.
    pub fn packets(&self) -> u64 {
        self.peers.iter().map(|tally| tally.received.audio + tally.received.video).sum()
    }

    /// CPU time per unique packet in nanoseconds.
    pub fn per_packet(&self, cpu: Duration) -> f64 {
        cpu.as_nanos() as f64 / self.packets() as f64
    }

    /// Part of a core.
    pub fn share(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() / self.spent.time.as_secs_f64()
    }

    /// All opened packets' delays, milliseconds.
    pub fn delays(&self) -> Vec<f64> {
        [self.audio_delays.as_slice(), &self.video_delays].concat()
    }

    /// One line of progress.
    pub fn print(&self, what: &str) {
        let overflows = self.spent.overflows;
        eprintln!(
            "load: {what}: {} packets, server {:.0} % of its core, client {:.0} %, others {:.0} %; {} slots thinned, {} shed; {} WebSockets lost; datagrams lost in full sockets: {} at the server, {} here",
            self.packets(),
            self.share(self.spent.server.total()) * 100.0,
            self.share(self.spent.client) * 100.0,
            self.strangers() * 100.0,
            self.thinned_slots,
            self.shed_slots,
            self.closed,
            overflows.server,
            overflows.client,
        );
    }
}
