/** Cameras of all sizes and codecs: what the others see of them. */
import assert from 'node:assert/strict';
import { COLOURS } from '../lib/media.mjs';
import { paintedCamera, sendsOnly } from '../lib/probe.mjs';
import { pause, story, until } from '../lib/runner.mjs';
import { AN_PHUOC, CHAIR } from '../lib/server.mjs';
import { twoJoin } from './together.mjs';

/** Until an encoder sends all lines: it begins small, and AV1 in software is slow where others work, too. */
const RAMP_UP_MS = 60_000;
const LIMIT_MS = 120_000;

const camera = (width, height) => [paintedCamera, { colour: COLOURS.commune, width, height }];

/** The hall sees so many lines of the commune's camera. */
const seesLines = (hall, lines) =>
  until(
    `the hall sees ${lines} lines`,
    async () => {
      const seen = await hall.tile(AN_PHUOC);
      return { ok: seen.height === lines && seen.marker === 'commune', ...seen };
    },
    RAMP_UP_MS,
  );

for (const codec of ['VP9', 'AV1', 'H264', 'VP8'])
  story(
    `a camera that sends ${codec} fills the big screen`,
    async world => {
      const server = await world.server();
      const init = [camera(1280, 720), [sendsOnly, `video/${codec}`]];
      const [hall, commune] = await twoJoin(world, server, { communeOptions: { init } });
      await hall.sees(AN_PHUOC, 'commune');
      await hall.act(AN_PHUOC, 'act-big_screen');
      await seesLines(hall, 720);
      const layers = await commune.page.evaluate(sentLayers);
      assert.deepEqual([...new Set(layers.map(({ codec }) => codec))], [`video/${codec}`]);
      console.log(`        ${JSON.stringify(layers)}`);
    },
    LIMIT_MS,
  );

/** Inside the page: the layers of the camera that are sent. */
async function sentLayers() {
  const stats = [...(await window.nhipcau.pc.getStats()).values()];
  return stats
    .filter(({ type, kind, active }) => type === 'outbound-rtp' && kind === 'video' && active)
    .filter(({ framesEncoded }) => framesEncoded > 0)
    .map(({ rid, frameHeight, codecId, scalabilityMode }) => ({
      rid,
      frameHeight,
      codec: stats.find(({ id }) => id === codecId).mimeType,
      scalabilityMode,
    }));
}

story(
  'cameras of other sizes are seen with all their lines, also after they were turned',
  async world => {
    const server = await world.server();
    const init = [camera(640, 480)];
    const [hall, commune] = await twoJoin(world, server, { communeOptions: { init } });
    await hall.sees(AN_PHUOC, 'commune');
    await hall.act(AN_PHUOC, 'act-big_screen');
    await seesLines(hall, 480);
    for (const [width, height] of [
      [720, 1280],
      [480, 360],
      [1280, 720],
      [320, 240],
    ]) {
      await commune.page.evaluate(
        ([width, height]) => void window.turnCamera(width, height),
        [width, height],
      );
      await seesLines(hall, height);
    }
  },
  LIMIT_MS,
);

story('an upright picture is shown whole in its tile, a wide one fills it', async world => {
  const server = await world.server();
  const init = [camera(720, 1280)];
  const [hall, commune] = await twoJoin(world, server, { communeOptions: { init } });
  await hall.sees(AN_PHUOC, 'commune');
  const fit = () => objectFit(hall, AN_PHUOC);
  const own = () => objectFit(commune, AN_PHUOC);
  await until('it is whole', async () => (await fit()) === 'contain' && (await own()) === 'contain');
  await commune.page.evaluate(() => void window.turnCamera(1280, 720));
  await until('it fills the tile', async () => (await fit()) === 'cover' && (await own()) === 'cover');
});

async function objectFit(participant, site) {
  const id = await participant.siteId(site);
  return participant.page.evaluate(
    id => getComputedStyle(window.probe.tileOf(id, 'camera').querySelector('video')).objectFit,
    id,
  );
}

story('a tile gets a layer at least as tall as itself', async world => {
  const server = await world.server();
  // Two tiles of 248 lines and a little.
  const [hall] = await twoJoin(world, server, { hallOptions: { viewport: { width: 930, height: 560 } } });
  await hall.sees(AN_PHUOC, 'commune');
  const id = await hall.siteId(AN_PHUOC);
  const lines = await hall.page.evaluate(id => window.probe.tileOf(id, 'camera').clientHeight, id);
  assert.ok(lines > 180 && lines <= 360, `the tile has ${lines} lines`);
  await seesLines(hall, 360);
});

/** So long nothing of a picture comes, where it came several times a second. */
const NOTHING_MS = 4000;

story('who chooses audio only is sent no picture, is still seen, and has the pictures back', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);
  await commune.sees(CHAIR, 'hall');
  await commune.turnSwitch('audioOnly');
  await commune.page.waitForSelector('[data-testid="audio-only"]');
  assert.equal(await commune.page.isVisible('text=Đang chờ hình'), false);
  await until('the picture is gone', async () => !(await commune.tile(CHAIR)).shown);
  await hall.act(CHAIR, 'act-big_screen');
  // What is on its way comes.
  await pause(1000);
  const before = await commune.page.evaluate(receivedFrames);
  await pause(NOTHING_MS);
  assert.equal(await commune.page.evaluate(receivedFrames), before);
  await commune.hears('hall');
  await hall.sees(AN_PHUOC, 'commune');
  await commune.page.press('[data-testid="show-pictures"]', 'Enter');
  await commune.sees(CHAIR, 'hall');
});

/** Inside the page: frames of all pictures. Packets also come without any: what tries whether a line carries the voices. */
async function receivedFrames() {
  const stats = [...(await window.nhipcau.pc.getStats()).values()];
  const video = stats.filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
  return video.reduce((all, one) => all + (one.framesReceived ?? 0), 0);
}
