/** Another browser at one end: nothing here is Chromium's alone. */
import assert from 'node:assert/strict';
import { story, until } from '../lib/runner.mjs';
import { pauseForSites, playingSites } from './demo.mjs';

const CHAIR = { name: 'Huyện Long Thành' };
const GUEST = { name: 'Lộc An' };

story('Firefox sees, hears, and is seen and heard', async world => {
  const { announcement } = await world.demo();
  await pauseForSites(announcement);
  const chair = await world.firefox('village');
  await chair.open(announcement.links.chair);
  await chair.isOnline();
  await until('four sites play in Firefox', () => playingSites(chair));
  await until('Firefox hears speech', async () => {
    const energy = await chair.page.evaluate(heardEnergy);
    return { ok: energy > 0.01, energy };
  });

  const guest = await world.participant('hall');
  await guest.open(announcement.links.sites.find(({ name }) => name === GUEST.name).link);
  await guest.isOnline();
  await until('Firefox’s picture moves', async () => {
    const seen = await guest.tile(CHAIR);
    return { ok: seen.shown && seen.height > 0 && seen.frames >= 5, ...seen };
  });
  await until('Firefox’s tone is heard', async () => {
    const levels = await guest.tones();
    return { ok: levels.village > -50, ...levels };
  });
  await chair.sees(GUEST, 'hall');
  assert.deepEqual(chair.errors, []);
});

/** Inside the page: energy of decoded sound. Without a sound card Firefox's WebAudio stands still. */
async function heardEnergy() {
  const stats = [...(await window.nhipcau.pc.getStats()).values()];
  return stats
    .filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio')
    .reduce((sum, { totalAudioEnergy }) => sum + (totalAudioEnergy ?? 0), 0);
}
