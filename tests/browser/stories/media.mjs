/** Content, simulcast, and lines without UDP. */
import assert from 'node:assert/strict';
import { PLACES } from '../lib/media.mjs';
import { onlyTcp, onlyUdpTo } from '../lib/probe.mjs';
import { pause, story, until } from '../lib/runner.mjs';
import { AN_PHUOC, BINH_SON, CHAIR } from '../lib/server.mjs';
import { threeJoin, twoJoin } from './together.mjs';

/** The longest time without a new frame that a switch of layers may cost, beyond what the machine costs. */
const FREEZE_MS = 1000;
/**
 * Until Chromium sends 720p. Where the machine is busy it takes its own waiting for a queue on the line, believes in half a
 * megabit and climbs slowly (`availableOutgoingBitrate` in what is printed when a story fails).
 */
const RAMP_UP_MS = 60_000;
const LIMIT_MS = 120_000;

story('content is shared and taken away again', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);
  await hall.sees(AN_PHUOC, 'commune');
  const closeDocument = await commune.openDocument();
  await commune.press('share');
  await hall.showsOnStage(AN_PHUOC, 'content', 'content');
  await hall.sees(AN_PHUOC, 'content', { kind: 'content' });
  assert.equal((await hall.tile(AN_PHUOC, 'content')).name, 'Tài liệu từ An Phước');
  await hall.sees(AN_PHUOC, 'commune');
  // Whoever looks may still have all pictures at one size, and the large one again.
  await hall.press('layout');
  await until('the document is a tile', async () => !(await hall.tile(AN_PHUOC, 'content')).stage);
  await hall.sees(AN_PHUOC, 'content', { kind: 'content' });
  await hall.press('layout');
  await hall.showsOnStage(AN_PHUOC, 'content', 'content');
  await commune.press('share');
  await contentIsGone(hall);
  await commune.press('share');
  await hall.showsOnStage(AN_PHUOC, 'content', 'content');
  // As does the browser's own "stop sharing", this ends the captured track.
  await closeDocument();
  await commune.page.waitForSelector('[data-testid="share"][aria-label="Trình chiếu tài liệu"]');
  await contentIsGone(hall);
  await hall.sees(AN_PHUOC, 'commune');
});

story('the sound of what is presented is carried, apart from the microphone', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);
  await hall.hears('commune');
  await commune.openDocument({ tone: PLACES.village.tone });
  await commune.press('share');
  await hall.showsOnStage(AN_PHUOC, 'content', 'content');
  await hall.hears('commune', 'village');
  await commune.press('mic');
  assert.match((await commune.hasBanner('film_on_air')).text, /^TIẾNG TRÌNH CHIẾU ĐANG MỞ/);
  await hall.hears('village');
  await commune.press('mic');
  await hall.hears('commune', 'village');
  // The chair closes both; what still runs is heard when the chair allows it, the room only when it speaks.
  await hall.act(AN_PHUOC, 'act-mute');
  assert.match((await commune.hasBanner('muted_by_chair')).text, /Tiếng trình chiếu cũng không được phát/);
  await hall.hears();
  await hall.act(AN_PHUOC, 'act-allow_unmute');
  await commune.hasBanner('film_on_air');
  await hall.hears('village');
  await commune.press('share');
  await commune.hasBanner('mic_off');
  await hall.hears();
});

/** Several times as long as silence has to last to be noticed. */
const STILL_MS = 8000;

story('a document that stands still stays on view, also for who comes late', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);
  const closeDocument = await commune.openDocument({ moves: false });
  await commune.press('share');
  await hall.showsOnStage(AN_PHUOC, 'content', 'content');
  let gone = 0;
  for (let passed = 0; passed < STILL_MS; passed += 200) {
    await pause(200);
    const { marker, stage } = await hall.tile(AN_PHUOC, 'content');
    gone += marker === 'content' && stage ? 0 : 1;
  }
  assert.equal(gone, 0, 'the document vanished');
  const village = await world.participant('village');
  await village.join(server.link(BINH_SON));
  await village.showsOnStage(AN_PHUOC, 'content', 'content');
  await closeDocument();
});

const contentIsGone = hall =>
  until('the content is gone', async () => (await hall.tile(AN_PHUOC, 'content')).name === null);

story(
  'a small tile becomes large without a freeze',
  async world => {
    const server = await world.server();
    // Three tiles on a small screen ask for the small layers.
    const viewport = { width: 640, height: 400 };
    const [hall] = await twoJoin(world, server, { hallOptions: { viewport } });
    const small = await hall.sees(AN_PHUOC, 'commune');
    // The own picture comes over no network: where it stands still, the machine is busy.
    await hall.sees(CHAIR, 'hall');
    assert.ok(small.height <= 360, `a small tile receives ${small.height} lines`);
    // What the pages did while they came in is another story.
    const enlarged = await hall.page.evaluate(() => performance.now());
    await hall.page.setViewportSize({ width: 1920, height: 1080 });
    await hall.act(AN_PHUOC, 'act-big_screen');
    const large = await until(
      'the large picture arrives',
      async () => {
        const seen = await hall.tile(AN_PHUOC);
        return { ok: seen.stage && seen.height === 720, ...seen };
      },
      RAMP_UP_MS,
    );
    assert.equal(large.marker, 'commune');
    await pause(1500);
    const gap = await longestGap(hall, AN_PHUOC, enlarged);
    const own = await longestGap(hall, CHAIR, enlarged);
    console.log(
      `        ${small.height} → ${large.height} lines, longest time without a frame ${gap} ms (own ${own} ms)`,
    );
    assert.ok(gap < FREEZE_MS + own, `no new frame for ${gap} ms, of the own picture for ${own} ms`);
  },
  LIMIT_MS,
);

/** The longest time without a new frame from `since` (the page's clock) to now. */
async function longestGap(participant, site, since) {
  const id = await participant.siteId(site);
  return participant.page.evaluate(
    ([id, since]) => {
      const frames = window.probe.framesOf(window.probe.tileOf(id, 'camera').querySelector('video'));
      const times = [since, ...frames.filter(time => time >= since), performance.now()];
      return Math.round(Math.max(...times.slice(1).map((time, at) => time - times[at])));
    },
    [id, since],
  );
}

story('with TCP alone media flows', async world => {
  const server = await world.server();
  const [hall, commune, village] = await threeJoin(world, server, { init: [[onlyTcp]] });
  assert.ok(await hall.page.evaluate(() => window.droppedCandidates > 0));
  await hall.sees(AN_PHUOC, 'commune');
  await commune.sees(BINH_SON, 'village');
  await village.sees(CHAIR, 'hall');
  await hall.hears('commune', 'village');
  const pair = await hall.candidatePair();
  assert.equal(pair.protocol, 'tcp');
  assert.ok(pair.received > 50_000 && pair.sent > 50_000, JSON.stringify(pair));
});

story(
  'speech goes out twice while the line up loses packets, and no longer',
  async world => {
    const server = await world.server();
    const relay = await world.relay(server, 100);
    const hall = await world.participant('hall');
    const init = [[onlyUdpTo, relay.udp.address().port]];
    const commune = await world.participant('commune', { init });
    await hall.join(server.link(CHAIR));
    await commune.join(relay.link(AN_PHUOC));
    await hall.hears('commune');
    const once = await voiceBytes(commune);
    const becomes = (what, right, limitMs) =>
      until(
        `speech goes out ${what}`,
        async () => {
          const bytes = await voiceBytes(commune);
          return { ok: right(bytes / once), once, bytes };
        },
        limitMs,
      );
    relay.loses = 0.1;
    await becomes('twice', times => times > 1.8, 30_000);
    await hall.hears('commune');
    relay.loses = 0;
    await becomes('once', times => times < 1.2, 60_000);
    await hall.hears('commune');
  },
  LIMIT_MS,
);

story('who asks for mixed sound hears all others in one stream, and not itself', async world => {
  const server = await world.server();
  const [hall, commune] = await threeJoin(world, server);
  await commune.hears('hall', 'village');
  const streams = count =>
    until(`${count} audio streams`, async () => (await hearingStreams(commune)) === count);
  await streams(2);
  await commune.turnSwitch('mixedSound');
  await commune.page.waitForSelector('[data-testid="mixed-sound"]');
  await streams(1);
  await until('both are heard, and the own voice is no louder than what coding leaves', async () => {
    const levels = await commune.tones();
    const others = Math.min(levels.hall, levels.village);
    return { ok: others > HEARD_DB && levels.commune < others - BELOW_DB, levels };
  });
  await hall.hears('commune', 'village');
  await commune.page.press('[data-testid="separate-voices"]', 'Enter');
  await commune.page.waitForSelector('[data-testid="mixed-sound"]', { state: 'detached' });
  await streams(2);
  await commune.hears('hall', 'village');
});

/** Of a tone, and of what Opus at 24 kbit/s adds between two of them. */
const HEARD_DB = -50;
const BELOW_DB = 35;

/** How many streams of sound bring packets in half a second. */
async function hearingStreams({ page }) {
  const received = () =>
    page.evaluate(async () => {
      const stats = [...(await window.nhipcau.pc.getStats()).values()];
      const sound = stats.filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
      return sound.map(({ packetsReceived }) => packetsReceived);
    });
  const before = await received();
  await pause(500);
  const after = await received();
  return after.filter((packets, at) => packets > (before[at] ?? 0)).length;
}

/** Bytes in a packet of the microphone, over a second; of a tone all are alike. Chromium calls RED what is in it: Opus. */
async function voiceBytes({ page }) {
  const sent = () =>
    page.evaluate(async () => {
      const stats = [...(await window.nhipcau.pc.getStats()).values()];
      const { bytesSent, packetsSent } = stats.find(
        ({ type, kind }) => type === 'outbound-rtp' && kind === 'audio',
      );
      return { bytesSent, packetsSent };
    });
  const before = await sent();
  await pause(1000);
  const after = await sent();
  return (after.bytesSent - before.bytesSent) / (after.packetsSent - before.packetsSent);
}
