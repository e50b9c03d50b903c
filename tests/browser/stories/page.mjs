/** The page itself: accessible, quiet, light, alone with its server; and pictures of it to look at. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { pause, story, until } from '../lib/runner.mjs';
import { AN_PHUOC, CHAIR } from '../lib/server.mjs';
import { SHOTS } from '../lib/world.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WEIGHT_LIMIT = 150 * 1024;
const SIZES = [
  [360, 740],
  [1366, 768],
  [1920, 1080],
];

async function assertAccessible(page, screen) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run());
  const grave = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${screen}: ${id}: ${nodes[0].html.slice(0, 160)} ${nodes[0].failureSummary}`);
  assert.deepEqual(grave, []);
}

story('axe finds nothing serious on entry, meeting, list and farewell', async world => {
  const server = await world.server();
  const hall = await world.participant('hall');
  const commune = await world.participant('commune');
  await hall.open(server.link(CHAIR));
  await hall.page.waitForSelector('[data-testid="join"]');
  await assertAccessible(hall.page, 'entry');
  await hall.press('join');
  await commune.join(server.link(AN_PHUOC));
  await hall.sees(AN_PHUOC, 'commune');
  await assertAccessible(hall.page, 'grid');
  await assertAccessible(commune.page, 'grid of a site');
  await hall.act(AN_PHUOC, 'act-big_screen');
  await hall.showsOnStage(AN_PHUOC, 'commune');
  await assertAccessible(hall.page, 'big screen');
  await hall.press('sites');
  await hall.page.waitForSelector('[data-testid="sites-panel"]');
  await assertAccessible(hall.page, 'list of sites');
  await hall.page.click('[data-testid="sites-panel"] [data-testid="close"]');
  await until('the focus is where it was', () =>
    hall.page.evaluate(() => document.activeElement.dataset.testid === 'sites'),
  );
  await hall.press('end');
  await hall.confirm();
  await hall.ended();
  await assertAccessible(hall.page, 'farewell');
});

story('no error, no request to elsewhere, at most 150 KB', async world => {
  const server = await world.server();
  const hall = await world.participant('hall');
  const bodies = [];
  hall.page.on('response', answer => bodies.push(answer.body().catch(() => Buffer.alloc(0))));
  await hall.join(server.link(CHAIR));
  await until('the page has settled', async () => (await hall.tile(CHAIR)).shown);
  assert.deepEqual(hall.errors, []);
  const host = new URL(server.origin).host;
  const elsewhere = hall.requests.filter(url => /^(https?|wss?):/.test(url) && new URL(url).host !== host);
  assert.deepEqual(elsewhere, []);
  assert.ok(
    hall.requests.some(url => url.startsWith('ws:')),
    'the WebSocket was seen',
  );
  const sizes = (await Promise.all(bodies)).map(body => gzipSync(body).length);
  const weight = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`        page weight: ${(weight / 1024).toFixed(1)} KB gzipped in ${sizes.length} files`);
  assert.ok(sizes.length >= 3 && weight <= WEIGHT_LIMIT, `${weight} bytes`);
});

story('more sites than places: pages, by button and by key', async world => {
  const { announcement } = await world.demo();
  const chair = await world.participant('hall', { viewport: { width: 360, height: 640 } });
  await chair.open(announcement.links.chair);
  await chair.isOnline();
  const seen = new Set();
  const turns = [
    ['Trang 1/2', () => undefined],
    ['Trang 2/2', () => chair.press('page-next')],
    ['Trang 1/2', () => chair.page.keyboard.press('ArrowRight')],
  ];
  for (const [page, turn] of turns) {
    await turn();
    const shown = await until(`every picture of ${page} moves`, () => playsPage(chair, page));
    for (const name of shown.names) seen.add(name);
  }
  assert.equal(seen.size, 5, [...seen].join());
});

/** Whose pictures are there; good on the wanted page when all of them move. */
function playsPage(chair, wanted) {
  return chair.page.evaluate(wanted => {
    const tiles = [...document.querySelectorAll('[data-testid="tile"]')];
    const moving = tiles.filter(tile => {
      const frames = window.probe.framesOf(tile.querySelector('video'));
      return tile.classList.contains('has-frame') && frames.length >= 2;
    });
    const page = document.querySelector('[data-testid="page"]')?.textContent;
    return {
      ok: page === wanted && moving.length === tiles.length,
      page,
      names: tiles.map(tile => tile.querySelector('.tile-name').textContent),
    };
  }, wanted);
}

story('pictures of the demo at three sizes', async world => {
  const { announcement } = await world.demo();
  const chair = await world.participant('hall');
  // A link of the demo goes into the meeting at once.
  await chair.open(announcement.links.chair);
  await chair.isOnline();
  for (const [width, height] of SIZES) {
    await chair.page.setViewportSize({ width, height });
    await until(`tiles fill ${width}×${height}`, () => fourPictures(chair));
    await pause(500);
    await chair.page.screenshot({ path: `${SHOTS}demo-${width}x${height}.png` });
    const overflow = await chair.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(overflow, 0, `${width}×${height} scrolls sideways`);
  }
});

function fourPictures(chair) {
  return chair.page.evaluate(() => document.querySelectorAll('[data-testid="tile"].has-frame').length >= 5);
}
