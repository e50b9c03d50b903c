/** The chair opens its link and the four commune sites are there. */
import assert from 'node:assert/strict';
import { story, until } from '../lib/runner.mjs';

const SITES = ['An Phước', 'Bình Sơn', 'Phước Thái', 'Thị trấn Long Thành'];
/** The promise is two seconds; a loaded test machine gets more, and the time is printed. */
const LIMIT_MS = 10_000;

story('demo: the four sites play in the chair’s page', async world => {
  const { announcement } = await world.demo();
  await pauseForSites(announcement);
  const chair = await world.participant('hall');
  const start = Date.now();
  const link = new URL(announcement.links.chair);
  link.searchParams.set('ngay', '1');
  await chair.open(link.href);
  const playing = await until('four sites play', () => playingSites(chair), LIMIT_MS, 25);
  const took = Date.now() - start;
  assert.deepEqual(playing.names.toSorted(), SITES.toSorted());
  console.log(`        link → four moving pictures: ${took} ms (${playing.sinceLoad} ms since navigation)`);
  await until('speech is heard', () => chair.page.evaluate(() => window.probe.loudness() > 0.003));
  assert.deepEqual(chair.errors, []);
});

/** Sites whose tile has shown at least two frames. */
export function playingSites(chair) {
  return chair.page.evaluate(sites => {
    const tiles = [...document.querySelectorAll('[data-testid="tile"][data-kind="camera"]')];
    const moving = tiles.filter(tile => {
      const video = tile.querySelector('video');
      const { length } = window.probe.framesOf(video);
      return tile.classList.contains('has-frame') && video.videoWidth > 0 && length >= 2;
    });
    const names = moving.map(tile => tile.querySelector('.tile-name').textContent);
    const playing = names.filter(name => sites.includes(name));
    return { ok: playing.length === sites.length, names: playing, sinceLoad: Math.round(performance.now()) };
  }, SITES);
}

/** The sites sit in the meeting before the chair comes, as they do in a hall. */
export async function pauseForSites({ metrics }) {
  await until('the sites are in the meeting', async () => {
    const text = await fetch(metrics).then(answer => answer.text());
    return { ok: SITES.every(name => text.includes(`site="${name}"`)), text: text.slice(0, 300) };
  });
}
