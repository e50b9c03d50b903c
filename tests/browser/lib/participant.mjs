/** One page in a meeting, and what a person in front of it could do, see and hear. */
import { CONTENT_COLOUR, CONTENT_TITLE, PLACES } from './media.mjs';
import { until } from './runner.mjs';

/** A tone is heard above this, dB of the analyser; silence of WebRTC lies below −90. */
const HEARD_DB = -50;
const SILENT_DB = -70;

export class Participant {
  constructor(page, place) {
    this.page = page;
    this.place = place;
    this.errors = [];
    this.requests = [];
    page.on('pageerror', error => this.errors.push(error.message));
    page.on('console', message => message.type() === 'error' && this.errors.push(message.text()));
    page.on('request', request => this.requests.push(request.url()));
    page.on('websocket', socket => this.requests.push(socket.url()));
  }

  /** Opens a link and presses "Vào họp". */
  async join(link) {
    await this.open(link);
    await this.press('join');
    await this.isOnline();
  }

  async open(link) {
    await this.page.goto(link);
  }

  press(testid) {
    return this.page.click(`[data-testid="${testid}"]`);
  }

  /** An act in the menu of a site's tile. */
  async act(site, testid) {
    await this.page.click(`${tile(await this.siteId(site))} [data-testid="tile-menu"]`);
    await this.page.click(`.menu [data-testid="${testid}"]`);
  }

  /** On a refusal or farewell: the next step is taken, and what the page says after it is new. */
  async pressNextStep() {
    const old = await this.page.waitForSelector('[data-testid="ended"]');
    await this.press('next-step');
    await old.waitForElementState('hidden');
  }

  /** Opens a document in another tab, the one that the browser shares, with a tone of so many hertz, if any; returns how to close it. */
  async openDocument({ moves = true, tone = 0 } = {}) {
    const tab = await this.page.context().newPage();
    await tab.setContent(
      `<title>${CONTENT_TITLE}</title><body style="background: rgb(${CONTENT_COLOUR})">
       <script>${moves} && setInterval(() => { document.body.style.borderTop = Date.now() % 50 + 'px solid white'; }, 100)</script>`,
    );
    await tab.evaluate(frequency => {
      if (frequency === 0) return;
      const context = new AudioContext();
      const source = new OscillatorNode(context, { frequency });
      source.connect(new GainNode(context, { gain: 0.3 })).connect(context.destination);
      source.start();
    }, tone);
    await this.page.bringToFront();
    return () => tab.close();
  }

  /** A switch under "Thiết bị", by keyboard. Before the dialog is open its switches take no focus, and no key. */
  async turnSwitch(key) {
    await this.press('devices');
    await this.page.waitForSelector('[data-testid="devices-dialog"][open]');
    await this.page.press(`[data-testid="switch-${key}"]`, 'Space');
    await this.page.keyboard.press('Escape');
  }

  /** Confirms the question on the screen. */
  confirm() {
    return this.page.click('[data-testid="confirm-dialog"] [data-testid="confirm"]');
  }

  state() {
    return this.page.evaluate(() => {
      const { you, seat, meeting, videoSlots } = window.nhipcau.state;
      return { you, seat, meeting, videoSlots, connection: window.nhipcau.pc?.connectionState };
    });
  }

  async siteId(site) {
    const found = await until(`${site.name} is in the list`, async () => {
      const { meeting } = await this.state();
      return meeting?.sites.find(({ name }) => name === site.name);
    });
    return found.id;
  }

  banner() {
    return this.page.evaluate(() => {
      const banner = document.querySelector('[data-testid="banner"]');
      return { kind: banner?.dataset.banner, text: banner?.innerText };
    });
  }

  async isOnline(limitMs) {
    await until(
      `${this.place} is online`,
      async () => {
        const { kind } = await this.banner();
        const { connection } = await this.state();
        const ok = connection === 'connected' && kind !== undefined && !COMING.includes(kind);
        return { ok, kind, connection };
      },
      limitMs ?? 20_000,
    );
  }

  /** A notice of this kind with these words has come. */
  reads(kind, text) {
    return until(`${this.place} reads that ${text}`, async () => {
      const notices = await this.page.evaluate(() => window.probe.notices());
      return { ok: notices.some(one => one.kind === kind && text.test(one.text)), notices };
    });
  }

  hasBanner(kind) {
    return until(`${this.place} has the banner ${kind}`, async () => {
      const banner = await this.banner();
      return { ok: banner.kind === kind, ...banner };
    });
  }

  /** What a tile shows: whose colour, how tall, where. */
  async tile(site, kind = 'camera') {
    const id = await this.siteId(site);
    return this.page.evaluate(
      ([id, kind]) => {
        const element = window.probe.tileOf(id, kind);
        const video = element?.querySelector('video') ?? null;
        return {
          name: element?.querySelector('.tile-name')?.textContent ?? null,
          marker: window.probe.marker(video),
          height: video?.videoHeight ?? 0,
          stage: element?.classList.contains('stage') ?? false,
          shown: element?.classList.contains('has-frame') ?? false,
          frames: video === null ? 0 : window.probe.framesOf(video).length,
        };
      },
      [id, kind],
    );
  }

  /** Sees the picture of a place in the tile of a site, moving. */
  async sees(site, place, { kind = 'camera', limitMs } = {}) {
    let first;
    return until(
      `${this.place} sees ${place} in the tile of ${site.name}`,
      async () => {
        const seen = await this.tile(site, kind);
        first ??= seen.frames;
        return { ok: seen.shown && seen.marker === place && seen.frames >= first + 3, ...seen };
      },
      limitMs,
    );
  }

  async showsOnStage(site, place, kind = 'camera') {
    return until(`${this.place} has ${site.name} on the stage`, async () => {
      const seen = await this.tile(site, kind);
      return { ok: seen.stage && seen.marker === place, ...seen };
    });
  }

  /** Levels of the places' tones in what this page receives. */
  async tones() {
    const places = Object.keys(PLACES);
    const levels = await this.page.evaluate(
      wanted => window.probe.tones(wanted),
      places.map(place => PLACES[place].tone),
    );
    return Object.fromEntries(places.map((place, at) => [place, Math.round(levels[at])]));
  }

  /** Hears exactly these places' tones, for a second on end. */
  async hears(...places) {
    let since = null;
    return until(`${this.place} hears only ${places.join(' and ') || 'silence'}`, async () => {
      const levels = await this.tones();
      const right = Object.entries(levels).every(([place, level]) =>
        places.includes(place) ? level > HEARD_DB : level < SILENT_DB,
      );
      since = right ? (since ?? Date.now()) : null;
      return { ok: since !== null && Date.now() - since >= 1000, levels };
    });
  }

  /** The refusal or farewell page. */
  async ended(limitMs) {
    await this.page.waitForSelector('[data-testid="ended"]', { timeout: limitMs ?? 15_000 });
    return this.page.evaluate(() => {
      const page = document.querySelector('[data-testid="ended"]');
      return { kind: page.dataset.ending, title: page.querySelector('h1').textContent };
    });
  }

  /** The selected candidate pair. */
  candidatePair() {
    return this.page.evaluate(async () => {
      const stats = [...(await window.nhipcau.pc.getStats()).values()];
      const { selectedCandidatePairId } = stats.find(({ type }) => type === 'transport');
      const pair = stats.find(({ id }) => id === selectedCandidatePairId);
      const remote = stats.find(({ id }) => id === pair?.remoteCandidateId);
      return { protocol: remote?.protocol, received: pair?.bytesReceived, sent: pair?.bytesSent };
    });
  }
}

/** Banners of a page that cannot speak to the server. */
const COMING = ['reconnecting', 'still_sending', 'film_still_sending'];

export const tile = id => `[data-testid="tile"][data-site="${id}"][data-kind="camera"]`;
