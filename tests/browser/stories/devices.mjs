/** Cameras and microphones that are pulled out, or that nobody allows. */
import assert from 'node:assert/strict';
import { cables } from '../lib/probe.mjs';
import { story, until } from '../lib/runner.mjs';
import { AN_PHUOC, CHAIR } from '../lib/server.mjs';
import { twoJoin } from './together.mjs';

story('a microphone and a camera are pulled out, and the meeting goes on', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server, { communeOptions: { init: [[cables]] } });
  await hall.hears('commune');

  await commune.page.evaluate(() => window.unplug('audioinput'));
  await commune.hasBanner('no_microphone');
  assert.match(await problem(commune, 'microphone'), /^Micro đã bị rút ra/);
  await hall.hears();
  await commune.hears('hall');
  await commune.press('use-other-microphone');
  await commune.hasBanner('on_air');
  await hall.hears('commune');
  await noProblem(commune, 'microphone');

  await commune.page.evaluate(() => window.unplug('videoinput'));
  assert.match(await problem(commune, 'camera'), /^Camera đã bị rút ra/);
  assert.equal(await commune.page.isVisible('[data-testid="use-other-camera"]'), false);
  await until('the hall is told that the camera is off', async () => !(await hall.tile(AN_PHUOC)).shown);
  await commune.sees(CHAIR, 'hall');
  await commune.page.evaluate(() => window.replug());
  await hall.sees(AN_PHUOC, 'commune');
  await noProblem(commune, 'camera');
});

story('a microphone and a camera silenced from outside are told as what they are', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server, { communeOptions: { init: [[cables]] } });
  await hall.hears('commune');
  await hall.sees(AN_PHUOC, 'commune');
  const told = () =>
    hall.state().then(({ meeting }) => meeting.sites.find(({ name }) => name === AN_PHUOC.name));

  await commune.page.evaluate(() => window.silence('audioinput', true));
  assert.match((await commune.hasBanner('silenced')).text, /^MICRO BỊ NGẮT/);
  assert.match(await problem(commune, 'microphone'), /^Micro bị ngắt từ bên ngoài/);
  await until('the hall is told', async () => (await told()).microphone === 'off');
  await hall.hears();
  await commune.page.evaluate(() => window.silence('audioinput', false));
  await commune.hasBanner('on_air');
  await noProblem(commune, 'microphone');
  await hall.hears('commune');

  await commune.page.evaluate(() => window.silence('videoinput', true));
  assert.match(await problem(commune, 'camera'), /^Camera bị che/);
  await until('the hall is told that the camera is off', async () => !(await told()).camera);
  await commune.page.evaluate(() => window.silence('videoinput', false));
  await hall.sees(AN_PHUOC, 'commune');
});

story('what is paused from outside plays on', async world => {
  const server = await world.server();
  const [hall] = await twoJoin(world, server);
  await hall.sees(AN_PHUOC, 'commune');
  const paused = () =>
    hall.page.evaluate(
      () => [...document.querySelectorAll('audio, .has-frame video')].filter(one => one.paused).length,
    );
  await hall.page.evaluate(() => {
    for (const player of document.querySelectorAll('audio, video')) player.pause();
  });
  assert.ok((await paused()) > 10);
  await until('everything plays', async () => (await paused()) === 0);
  await hall.sees(AN_PHUOC, 'commune');
});

story('without permission one joins to watch and listen', async world => {
  const server = await world.server();
  const hall = await world.participant('hall');
  const commune = await world.participant('commune', { permissions: [] });
  await hall.join(server.link(CHAIR));
  await commune.open(server.link(AN_PHUOC));
  assert.match(await problem(commune, 'microphone'), /^Trình duyệt đang chặn micro/);
  assert.match(await problem(commune, 'camera'), /^Trình duyệt đang chặn camera/);
  await commune.press('join');
  await commune.hasBanner('no_microphone');
  await commune.sees(CHAIR, 'hall');
  await commune.hears('hall');
});

/** Inside the page: locks of a screen, which a browser without one does not give. */
function countLocks() {
  const locks = [];
  const request = async () => {
    const lock = Object.assign(new EventTarget(), { released: false });
    lock.release = async () => {
      lock.released = true;
    };
    locks.push(lock);
    return lock;
  };
  Object.defineProperty(navigator, 'wakeLock', { value: { request } });
  window.isLit = () => locks.some(({ released }) => !released);
}

story('the screen stays lit in the meeting, and only there', async world => {
  const server = await world.server();
  const hall = await world.participant('hall', { init: [[countLocks]] });
  const isLit = () => hall.page.evaluate(() => window.isLit());
  await hall.open(server.link(CHAIR));
  await hall.page.waitForSelector('[data-testid="join"]');
  assert.equal(await isLit(), false);
  await hall.press('join');
  await hall.isOnline();
  await until('the screen is kept lit', isLit);
  assert.equal(await server.stop(), 0);
  await hall.hasBanner('reconnecting');
  assert.equal(await isLit(), true);
  await server.launch();
  await hall.isOnline(30_000);
  await hall.press('leave');
  await hall.confirm();
  await hall.ended();
  await until('the screen may go dark', async () => !(await isLit()));
});

const problem = ({ page }, kind) =>
  page.waitForSelector(`[data-testid="problem-${kind}"]`).then(element => element.innerText());

const noProblem = ({ page }, kind) =>
  page.waitForSelector(`[data-testid="problem-${kind}"]`, { state: 'detached' });
