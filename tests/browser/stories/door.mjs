/** Links that do not let in, and the second device on one link. */
import assert from 'node:assert/strict';
import { story } from '../lib/runner.mjs';
import { AN_PHUOC } from '../lib/server.mjs';
import { twoJoin } from './together.mjs';

story('a wrong link and none at all are each one clear sentence', async world => {
  const server = await world.server();
  const stranger = await world.participant('hall');
  await stranger.open(`${server.origin}/#khong-co-duong-dan-nay`);
  await stranger.press('join');
  assert.deepEqual(await stranger.ended(), { kind: 'unknown_link', title: 'Đường dẫn không đúng' });
  const lost = await world.participant('hall');
  await lost.open(`${server.origin}/`);
  assert.deepEqual(await lost.ended(), { kind: 'no_link', title: 'Chưa có đường dẫn vào họp' });
});

story('a second device on the same link is offered the seat', async world => {
  const server = await world.server();
  const [hall, first] = await twoJoin(world, server);
  await hall.sees(AN_PHUOC, 'commune');
  const { you } = await first.state();

  const second = await world.participant('village');
  await second.open(server.link(AN_PHUOC));
  await second.press('join');
  assert.equal((await second.ended()).kind, 'seat_taken');
  await hall.sees(AN_PHUOC, 'commune');

  await second.pressNextStep();
  await second.isOnline();
  assert.equal((await first.ended()).kind, 'taken_over');
  assert.equal((await second.state()).you, you);
  await hall.reads('takenOver', /An Phước đã chuyển sang thiết bị khác lúc \d\d:\d\d/);
  await hall.sees(AN_PHUOC, 'village');
  await hall.hears('village');
});

story('a commune whose machine has died comes in on another one, and the chair reads it', async world => {
  const server = await world.server();
  const [hall, first] = await twoJoin(world, server);
  await first.page.close();
  await hall.reads('lost', /An Phước mất kết nối/);

  const second = await world.participant('village');
  await second.open(server.link(AN_PHUOC));
  await second.press('join');
  assert.equal((await second.ended()).kind, 'seat_taken');
  await second.pressNextStep();
  await second.isOnline();
  await hall.reads('takenOver', /An Phước đã chuyển sang thiết bị khác/);
  await hall.sees(AN_PHUOC, 'village');
  await hall.press('sites');
  const line = await hall.page.textContent('[data-testid="takeovers"]');
  assert.match(line, /^Đã chuyển sang thiết bị khác lúc/);
});
