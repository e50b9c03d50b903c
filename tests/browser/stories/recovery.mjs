/** Pages and servers go and come back; people keep their seats. */
import assert from 'node:assert/strict';
import { story } from '../lib/runner.mjs';
import { AN_PHUOC, CHAIR } from '../lib/server.mjs';
import { twoJoin } from './together.mjs';

story('a reloaded page takes its own seat again', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);
  await hall.sees(AN_PHUOC, 'commune');
  const before = await commune.state();
  await commune.page.reload();
  await commune.press('join');
  await commune.isOnline();
  const after = await commune.state();
  assert.equal(after.you, before.you);
  assert.equal(after.seat, before.seat);
  await hall.sees(AN_PHUOC, 'commune');
  await hall.hears('commune');
  await commune.sees(CHAIR, 'hall');
  await commune.hears('hall');
});

story('after a restart of the server all come back by themselves', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);
  await hall.sees(AN_PHUOC, 'commune');
  assert.equal(await server.stop(), 0);
  await hall.hasBanner('reconnecting');
  const start = Date.now();
  await server.launch();
  await hall.isOnline(30_000);
  await commune.isOnline(30_000);
  await hall.sees(AN_PHUOC, 'commune');
  await commune.sees(CHAIR, 'hall');
  console.log(`        server up → pictures on both sides: ${Date.now() - start} ms`);
  await hall.hears('commune');
  await commune.hears('hall');
});
