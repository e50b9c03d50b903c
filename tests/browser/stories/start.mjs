/** However a page starts: never white, and never without a word. */
import assert from 'node:assert/strict';
import { story, until } from '../lib/runner.mjs';
import { AN_PHUOC, CHAIR } from '../lib/server.mjs';

/** In the page: policy forbids storage. */
function withoutStorage() {
  for (const name of ['localStorage', 'sessionStorage'])
    Object.defineProperty(window, name, {
      get() {
        throw new DOMException(`${name} is forbidden`, 'SecurityError');
      },
    });
}

/** In the page: something the start needs fails. */
function withoutDevices() {
  navigator.mediaDevices.addEventListener = () => {
    throw new Error('no such device service');
  };
}

story('where storage is forbidden the page works and remembers nothing', async world => {
  const server = await world.server();
  const hall = await world.participant('hall', { init: [[withoutStorage]] });
  const commune = await world.participant('commune');
  await hall.join(server.link(CHAIR));
  await commune.join(server.link(AN_PHUOC));
  await hall.sees(AN_PHUOC, 'commune');
  // The seat is known for as long as the page is open: a lost server is no reason to press anything.
  assert.equal(await server.stop(), 0);
  await hall.hasBanner('reconnecting');
  await server.launch();
  await hall.isOnline(30_000);
  await hall.page.reload();
  await hall.page.waitForSelector('[data-testid="join"]');
});

story('the entry page says where the link leads, and going straight in can be undone', async world => {
  const server = await world.server();
  const commune = await world.participant('commune');
  await commune.open(server.link(AN_PHUOC));
  const invited = await commune.page.waitForSelector('[data-testid="invited"]');
  assert.match(await invited.innerText(), /^Cuộc họp: Họp kiểm thử\s+Điểm cầu: An Phước$/);
  const direct = 'label:has([data-testid="switch-direct"])';
  await commune.page.click(direct);
  await commune.press('join');
  await commune.isOnline();
  await commune.page.reload();
  await commune.isOnline();
  await commune.press('devices');
  await commune.page.click(`[data-testid="devices-dialog"] ${direct}`);
  await commune.page.reload();
  await commune.page.waitForSelector('[data-testid="join"]');
  await commune.page.waitForSelector('[data-testid="invited"]');
});

story('what fails at the start is one sentence with a button', async world => {
  const server = await world.server();
  const hall = await world.participant('hall', { init: [[withoutDevices]] });
  await hall.open(server.link(CHAIR));
  await hall.page.waitForSelector('[data-testid="failed"]');
  assert.match(await hall.page.innerText('[data-testid="failed"]'), /^Trang gặp lỗi.*Tải lại trang$/s);
});

story('a page whose script does not run says what to do', async world => {
  const server = await world.server();
  const hall = await world.participant('hall');
  await hall.page.route('**/*.js', route => route.abort());
  await hall.open(server.link(CHAIR));
  await until('the sentence is there', () => hall.page.isVisible('.opening'));
  assert.match(await hall.page.innerText('#app'), /Trang đang mở.*hãy tải lại trang/s);
});

for (const fragment of ['%', '%E0%A4%A', '()', '\u200b'])
  story(`a fragment that is no secret is one clear sentence: ${JSON.stringify(fragment)}`, async world => {
    const server = await world.server();
    const hall = await world.participant('hall');
    await hall.open(`${server.origin}/#${fragment}`);
    await hall.page.waitForSelector('[data-testid="ended"], [data-testid="join"]');
    if (await hall.page.isVisible('[data-testid="join"]')) await hall.press('join');
    assert.match((await hall.ended()).kind, /^(no_link|unknown_link)$/);
  });
