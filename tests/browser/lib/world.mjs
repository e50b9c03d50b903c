/** What one story opens: a server, a demo, participants. Browsers live for the whole run. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { Firefox } from './firefox.mjs';
import { LabRelay } from './lab.mjs';
import { COLOURS, CONTENT_TITLE, mediaFor, PLACES } from './media.mjs';
import { Participant } from './participant.mjs';
import { installProbe } from './probe.mjs';
import { Relay } from './relay.mjs';
import { Demo, Server } from './server.mjs';

export const SHOTS = fileURLToPath(new URL('../shots/', import.meta.url));
mkdirSync(SHOTS, { recursive: true });

/** Sends what the microphone hears, unprocessed, from the start. */
const MEASURED = { echoCancellation: false, noiseSuppression: false, microphoneOn: true };

/** What people allow the page. */
const DEVICES = ['camera', 'microphone'];

/** One browser for each place: the files of fake devices are the browser's. Started when needed. */
const browsers = new Map();

function browserOf(place, audio) {
  if (!browsers.has(place)) browsers.set(place, launch({ ...mediaFor(place), ...(audio && { audio }) }));
  return browsers.get(place);
}

function launch({ video, audio }) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    // Playwright's; a tab that is mute has no sound to present.
    ignoreDefaultArgs: ['--mute-audio'],
    args: [
      '--no-sandbox',
      '--headless=new',
      '--disable-gpu',
      '--use-fake-device-for-media-stream=fps=30',
      `--auto-select-tab-capture-source-by-title=${CONTENT_TITLE}`,
      `--use-file-for-fake-video-capture=${video}`,
      `--use-file-for-fake-audio-capture=${audio}`,
      '--autoplay-policy=no-user-gesture-required',
      '--allow-loopback-in-peer-connection',
      '--disable-background-timer-throttling',
      '--disable-renderer-backgrounding',
      '--disable-backgrounding-occluded-windows',
      '--no-first-run',
    ],
  });
}

export async function closeBrowsers() {
  for (const browser of browsers.values()) await (await browser).close();
}

export class World {
  constructor(name) {
    this.name = name;
    this.opened = [];
    this.participants = [];
  }

  async server(options) {
    return this.begin(new Server(options));
  }

  async demo() {
    return this.begin(new Demo());
  }

  /** A long way to a server, `tripMs` there and back. */
  async relay(server, tripMs) {
    return this.begin(new Relay({ ...server.ports, tripMs }));
  }

  /** A line of the laboratory to a server. */
  async lab(server) {
    return this.begin(new LabRelay(server.ports));
  }

  /**
   * A page of its own device at a place. `init`: functions for the page, each with its argument; `audio`: what the place's
   * microphones hear instead of its tone.
   */
  async participant(
    place,
    { init = [], choices = MEASURED, viewport, permissions = DEVICES, audio = null } = {},
  ) {
    const browser = await browserOf(place, audio);
    const context = await browser.newContext({ viewport: viewport ?? { width: 1280, height: 720 } });
    this.opened.push(context);
    await context.grantPermissions(permissions);
    await context.addInitScript(installProbe, { colours: COLOURS });
    await context.addInitScript(remember, choices);
    for (const [script, argument] of init) await context.addInitScript(script, argument);
    const participant = new Participant(await context.newPage(), place);
    this.participants.push(participant);
    return participant;
  }

  /** The same in Firefox; its camera shows changing colours, its microphone the place's tone. */
  async firefox(place) {
    const firefox = new Firefox(PLACES[place]);
    this.opened.push(firefox);
    await firefox.start([
      [installProbe, { colours: COLOURS }],
      [remember, MEASURED],
    ]);
    const participant = new Participant(firefox, place);
    this.participants.push(participant);
    return participant;
  }

  /** What can be said of a failure: the servers' words, the pages' errors and pictures. */
  async describe() {
    for (const { log } of this.opened)
      if (log)
        console.log(
          log
            .split('\n')
            .filter(line => !line.includes('Unsupported Extension'))
            .slice(-30)
            .join('\n'),
        );
    const name = this.name.replaceAll(/\W+/g, '-');
    for (const [index, { page, place, errors }] of this.participants.entries()) {
      if (errors.length > 0) console.log(`        ${place}: ${errors.slice(0, 5).join('\n')}`);
      console.log(`        ${place}: ${await page.evaluate(flows).catch(String)}`);
      await page.screenshot({ path: `${SHOTS}failed-${name}-${index}.png` }).catch(() => undefined);
    }
  }

  async close() {
    // Last in, first out: pages before the server they are connected to.
    for (const one of this.opened.reverse()) await one.close();
  }

  /** Kept before it has started, so that a failed start is tidied away too. */
  begin(one) {
    this.opened.push(one);
    return one.start();
  }
}

/** Inside the page: a choice made there on an earlier visit; one changed since then stays. */
function remember(choices) {
  if (localStorage.getItem('nhipcau.devices') === null)
    localStorage.setItem('nhipcau.devices', JSON.stringify(choices));
}

/** Inside the page: which slots carry what, and what has come and gone on the wire. */
async function flows() {
  const { nhipcau } = window;
  if (nhipcau.pc === null) return 'no connection';
  const { videoSlots, layers } = nhipcau.state;
  const stats = [...(await nhipcau.pc.getStats()).values()];
  const of = (type, ...keys) =>
    stats
      .filter(
        one => one.type === type && one.kind === 'video' && (one.packetsReceived ?? one.packetsSent) > 0,
      )
      .map(one => keys.map(key => `${key} ${one[key]}`).join(', '));
  // What the browser believes of its line upwards decides which layers it sends.
  const pairs = stats
    .filter(({ type, nominated }) => type === 'candidate-pair' && nominated)
    .map(({ availableOutgoingBitrate, currentRoundTripTime }) => ({
      availableOutgoingBitrate,
      currentRoundTripTime,
    }));
  const senders = nhipcau.pc
    .getTransceivers()
    .filter(({ direction }) => direction === 'sendonly')
    .map(({ sender, currentDirection }) => {
      const { track, transport } = sender;
      const encodings = sender.getParameters().encodings.map(({ active }) => active);
      return `${track?.kind} ${track?.readyState} ${currentDirection} ${transport?.state} ${encodings}`;
    });
  return JSON.stringify(
    {
      senders,
      videoSlots: videoSlots.map(slot => slot && `${slot.site} ${slot.kind}`),
      layers,
      received: of(
        'inbound-rtp',
        'mid',
        'packetsReceived',
        'packetsLost',
        'framesDecoded',
        'keyFramesDecoded',
        'pliCount',
        'nackCount',
        'frameHeight',
      ),
      sent: of(
        'outbound-rtp',
        'rid',
        'active',
        'packetsSent',
        'framesEncoded',
        'keyFramesEncoded',
        'pliCount',
        'frameHeight',
        'targetBitrate',
        'qualityLimitationReason',
      ),
      pairs,
    },
    null,
    1,
  );
}
