//! The meeting behind a cell's line: a hall with the chair, a speaker who has the floor, and others, all on good lines,
//! and one site behind the line. Hall, speaker and this site talk all the time.

use super::cell::{Cell, JUDGED_FROM, LOSS_FROM, Limit};
use super::measure::{Measured, Speech};
use super::pictures::{Frame, Pictures, watch};
use super::playout::{Piece, play};
use crate::lab::{Line, LineModel, percentile};
use crate::simulation::{CONTENT, LinkModel, PathState, Publishes, Shown, World};
use sfu::ids::SourceKind;
use std::time::{Duration, Instant};

const SITE: usize = 0;
const SPEAKER: usize = 2;
const HALL: usize = 3;
/// This site's own number, as its packets say it.
const fn number(site: usize) -> u8 {
    site as u8 + 1
}

/// The others' lines, as far as they send again.
const GOOD_KBIT: u32 = 20_000;
/// How often the page looks whether its path is there, and how long it waits before it restarts ICE
/// (`web/src/session/mediaLine.ts`).
const LOOK: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_millis(2500);
/// Offers need the meeting's connection, which needs the line: a round trip and a half more.
const NEXT_TRY: Duration = Duration::from_secs(4);
/// Of a radio line's silence, what is lost or late of speech so long after it is the line's.
const AFTER_SILENCE: f64 = 1500.0;
/// After so long the page has seen what its line loses of its speech, and has it sent with copies where there is room.
const NOTICES: u32 = 3_000;
/// When another page is presented.
const PAGE_TURNED: u32 = JUDGED_FROM + 2_000;
/// Of what a browser believes its uplink carries it sends so much as pictures, beside 60 kbit/s of speech and reports, and
/// so much again.
const UPLINK_SHARE: f64 = 0.75;
const RESENT_SHARE: f64 = 0.15;
const LAYER_KBIT: [f64; 3] = [160.0, 520.0, 1_850.0];

/// See the module.
pub struct Meeting<'a> {
    cell: &'a Cell,
    world: World,
    began: Instant,
    silent_since: Option<Instant>,
    tried_at: Option<Instant>,
}

impl<'a> Meeting<'a> {
    /// Holds the meeting and measures it.
    pub fn hold(cell: &'a Cell, seed: u64) -> Measured {
        let mut meeting = Meeting::begin(cell, seed);
        meeting.run_until(LOSS_FROM);
        meeting.change(cell.line(true));
        if cell.protects_speech_up() {
            meeting.run_until(LOSS_FROM + NOTICES);
            meeting.world.sites[SITE].client.send_red();
        }
        if cell.content {
            meeting.run_until(PAGE_TURNED);
            meeting.world.sites[HALL].client.turn_page();
        }
        if cell.loss_ends {
            meeting.run_until(cell.relieved());
            meeting.change(cell.line(false));
        }
        meeting.run_until(cell.end());
        meeting.measure()
    }

    fn begin(cell: &'a Cell, seed: u64) -> Meeting<'a> {
        let mut world = World::new(seed);
        let all = Publishes { layers: 3, voice: true };
        for site in 0..cell.sites {
            let slots = if site == SITE { cell.sites } else { 2 };
            world.known_bps = (site == SITE && cell.known).then(|| (cell.kbit() * 1000.0) as u64);
            world.join_browser((all, slots), LinkModel::clean());
            world.sites[site].client.level = if site == SPEAKER { 15 } else { 30 };
            world.sites[site].client.muted = ![SITE, SPEAKER, HALL].contains(&site);
        }
        let began = world.now;
        world.wire.lay(SITE, Line::new(began, cell.line(false), seed));
        let mut meeting = Meeting { cell, world, began, silent_since: None, tried_at: None };
        meeting.set_the_stage();
        meeting
    }

    fn set_the_stage(&mut self) {
        let Meeting { cell, world, began, .. } = self;
        (world.chair, world.floor) = (Some(HALL), Some(SPEAKER));
        let mut room = (cell.kbit() - 60.0) * UPLINK_SHARE;
        for (layer, kbit) in world.sites[SITE].client.layers.iter_mut().zip(LAYER_KBIT) {
            room -= kbit;
            layer.quiet = room < 0.0;
        }
        for site in 0..cell.sites {
            let kbit = if site == SITE { cell.kbit() } else { f64::from(GOOD_KBIT) };
            world.sites[site].client.limit_resends(kbit * 1000.0 * RESENT_SHARE);
        }
        world.sites[HALL].client.share_content(*began, cell.content);
        world.wish(HALL, 0, Some(SITE), 720);
        world.wish(HALL, 1, Some(SPEAKER), 180);
        world.wish(SITE, 0, Some(SPEAKER), 720);
        let others = (0..cell.sites).filter(|other| ![SPEAKER, SITE].contains(other));
        for (slot, other) in (1..).zip(others) {
            world.wish(SITE, slot, Some(other), 180);
        }
        if cell.content {
            world.wish_for(SITE, cell.sites - 1, Some((HALL, SourceKind::Content)), 1080);
        }
    }

    fn change(&mut self, model: LineModel) {
        let now = self.world.now;
        if let Some(line) = self.world.wire.laid(SITE) {
            line.change(now, model);
        }
    }

    fn run_until(&mut self, ms: u32) {
        let end = self.began + Duration::from_millis(u64::from(ms));
        while self.world.now < end {
            self.world.run(LOOK.min(end - self.world.now));
            self.be_the_page();
        }
    }

    /// Restarts ICE when the path has been silent for long, once the line is there to say so.
    fn be_the_page(&mut self) {
        let now = self.world.now;
        let site = &mut self.world.sites[SITE];
        if matches!(site.client.path, PathState::New | PathState::Up) || !site.in_room {
            self.silent_since = None;
            return;
        }
        let since = *self.silent_since.get_or_insert(now);
        let age = (now - self.began).as_millis() as u32;
        let is_dead = self.cell.blackout_s > 0 && age < self.cell.relieved() + self.cell.rtt_ms * 3 / 2;
        let is_soon = self.tried_at.is_some_and(|at| now - at < NEXT_TRY);
        if is_dead || is_soon || now - since < PATIENCE {
            return;
        }
        self.tried_at = Some(now);
        site.client.restart_ice();
        self.world.offer(SITE);
    }

    fn measure(mut self) -> Measured {
        let (here, hall) = [SITE, HALL].map(|site| self.world.sites[site].client.take_shown()).into();
        let (from, until) = (JUDGED_FROM.into(), f64::from(self.cell.end()));
        let (mut measured, site) = (Measured::default(), &self.world.sites[SITE]);
        measured.broken = (!site.in_room).then(|| "this site gave up".to_owned());
        let traffic = site.client.traffic.audio.bytes as f64 * 8.0 / until;
        // A mix holds both voices in one stream.
        let streams = if site.client.heard.mixed_packets > 0 { 1.0 } else { 2.0 };
        measured.voice = traffic / streams;
        measured.down = self.speech(SITE, HALL).worse(self.speech(SITE, SPEAKER));
        measured.up = self.speech(HALL, SITE);
        let place = |shown: &[Shown], site, layer| watch(&self.frames(shown, site, layer), from..until);
        measured.big = place(&here, SPEAKER, 0..3);
        measured.in_hall = place(&hall, SITE, 0..3);
        let tiles = (0..self.cell.sites).filter(|other| ![SPEAKER, SITE].contains(other));
        let tiles: Vec<Pictures> = tiles.map(|other| place(&here, other, 0..3)).collect();
        measured.tiles =
            tiles.iter().copied().max_by(|a, b| a.freeze.total_cmp(&b.freeze)).unwrap_or_default();
        measured.content = self.cell.content.then(|| place(&here, HALL, CONTENT..CONTENT + 2));
        measured.page = self.page(&here);
        let places = tiles.iter().chain(&measured.content).chain([&measured.big]);
        measured.black = places.filter(|place| !place.is_shown).count();
        if self.cell.blackout_s > 0 {
            (measured.speech_back, measured.picture_back) = self.recovery(&here);
        }
        self.weigh(&mut measured);
        measured
    }

    /// What was offered to the line, and what became of it.
    fn weigh(&mut self, measured: &mut Measured) {
        let end = Duration::from_millis(u64::from(self.cell.end()));
        let Some(line) = self.world.wire.laid(SITE) else { return };
        let waits = line.down.gauge().waits(Duration::ZERO, end);
        let ms = |share| percentile(&waits, share).as_secs_f64() * 1000.0;
        (measured.queue_p95, measured.queue_max) = (ms(0.95), ms(1.0));
        measured.flood = line.down.flood(Duration::ZERO, end);
        let (offered, carried) = line.down.gauge().rates(Duration::ZERO, end);
        (measured.offered, measured.carried) = (offered / 1000.0, carried / 1000.0);
    }

    fn ms(&self, at: Instant) -> f64 {
        (at - self.began).as_secs_f64() * 1000.0
    }

    /// What a site got of another's speech, in the order in which it came.
    fn pieces(&self, listener: usize, of: usize) -> Vec<Piece> {
        let heard = self.world.sites[listener].client.heard.of(number(of));
        let mut pieces: Vec<Piece> =
            heard.map(|(captured, at)| Piece { at: self.ms(at), captured }).collect();
        pieces.sort_by(|a, b| a.at.total_cmp(&b.at));
        pieces
    }

    fn frames(&self, shown: &[Shown], of: usize, layers: std::ops::Range<u8>) -> Vec<Frame> {
        let of = shown.iter().filter(|shown| shown.site == number(of) && layers.contains(&shown.layer));
        of.map(|shown| Frame { at: self.ms(shown.at), layer: shown.layer }).collect()
    }

    /// Silences of the line itself are nobody's fault, and are left out.
    fn speech(&self, listener: usize, of: usize) -> Speech {
        let black = self.cell.line(true).down.blackouts.first().cloned();
        let black = black.map(|black| (self.ms(self.began + black.start), self.ms(self.began + black.end)));
        let silences = self.silences();
        let left_out = |at: f64| {
            let in_black = black.is_some_and(|(from, until)| (from..until + AFTER_SILENCE).contains(&at));
            in_black || silences.iter().any(|silence| (*silence..silence + AFTER_SILENCE).contains(&at))
        };
        let span = (f64::from(JUDGED_FROM), f64::from(self.cell.end()));
        Speech::of(&play(&self.pieces(listener, of), span, left_out))
    }

    /// The tenths of a second in which a trace lets nothing pass.
    fn silences(&self) -> Vec<f64> {
        if !matches!(self.cell.limit, Limit::Lte(_) | Limit::Starlink(_)) {
            return Vec::new();
        }
        let line = Line::new(self.began, self.cell.line(false), 0);
        let tenths = (0..self.cell.end() / 100).map(|tenth| f64::from(tenth) * 100.0);
        tenths.filter(|at| line.down.is_silent(Duration::from_secs_f64(at / 1000.0))).collect()
    }

    /// Until the page that was turned to is there.
    fn page(&self, here: &[Shown]) -> Option<f64> {
        let is_new = |shown: &&Shown| {
            shown.site == number(HALL) && shown.layer >= CONTENT && shown.captured_ms >= PAGE_TURNED
        };
        let first = here.iter().filter(is_new).map(|shown| self.ms(shown.at)).min_by(f64::total_cmp);
        first.map(|at| at - f64::from(PAGE_TURNED))
    }

    /// Until speech is there both ways that was captured after the line came back, and until there is a picture.
    fn recovery(&self, here: &[Shown]) -> (Option<f64>, Option<f64>) {
        let back = f64::from(self.cell.relieved());
        let speech = |listener: usize, of: usize| {
            let fresh = |piece: &Piece| f64::from(piece.captured) >= back;
            self.pieces(listener, of).into_iter().find(fresh).map(|piece| piece.at - back)
        };
        let heard = speech(SITE, SPEAKER).zip(speech(HALL, SITE)).map(|(down, up)| down.max(up));
        let frames = self.frames(here, SPEAKER, 0..3);
        (heard, frames.into_iter().find(|frame| frame.at >= back).map(|frame| frame.at - back))
    }
}
