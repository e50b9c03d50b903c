/** What the chair does is seen and heard by all. */
import assert from 'node:assert/strict';
import { story, until } from '../lib/runner.mjs';
import { AN_PHUOC, BINH_SON, CHAIR } from '../lib/server.mjs';
import { threeJoin, twoJoin } from './together.mjs';

story('mute by oneself, by the chair, and mute all', async world => {
  const server = await world.server();
  const [hall, commune, village] = await threeJoin(world, server);
  await village.hears('hall', 'commune');
  assert.match((await commune.hasBanner('on_air')).text, /ĐANG PHÁT BIỂU/);

  await commune.press('mic');
  assert.match((await commune.hasBanner('mic_off')).text, /MICRO TẮT/);
  await village.hears('hall');
  await commune.press('mic');
  await village.hears('hall', 'commune');

  await hall.act(AN_PHUOC, 'act-mute');
  assert.match((await commune.hasBanner('muted_by_chair')).text, /Micro đã bị chủ tọa tắt/);
  await village.hears('hall');
  await commune.page.keyboard.press('m');
  await commune.hasBanner('muted_by_chair');
  await village.hears('hall');

  await hall.act(AN_PHUOC, 'act-allow_unmute');
  await commune.hasBanner('mic_off');
  await commune.press('mic');
  await village.hears('hall', 'commune');

  await hall.press('mute-all');
  await commune.hasBanner('muted_by_chair');
  await village.hasBanner('muted_by_chair');
  await hall.hasBanner('on_air');
  await hall.hears();
  await village.hears('hall');
});

story('the chair puts a site on the big screen of all', async world => {
  const server = await world.server();
  const [hall, commune, village] = await threeJoin(world, server);
  await hall.sees(BINH_SON, 'village');
  await commune.sees(BINH_SON, 'village');
  await hall.act(BINH_SON, 'act-big_screen');
  await hall.showsOnStage(BINH_SON, 'village');
  await commune.showsOnStage(BINH_SON, 'village');
  await until('the site itself is told', async () => (await village.tile(BINH_SON)).stage);
  await commune.sees(CHAIR, 'hall');
  await hall.act(BINH_SON, 'act-big_screen');
  await until('the grid is back', async () => !(await commune.tile(BINH_SON)).stage);
  await commune.sees(BINH_SON, 'village');
});

story('the chair locks, removes, readmits and ends', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);

  await hall.press('lock');
  await commune.page.waitForSelector('[data-testid="locked"]');
  await commune.page.setViewportSize({ width: 360, height: 740 });
  const { width } = await (await commune.page.waitForSelector('[data-testid="title"]')).boundingBox();
  assert.ok(width >= 100, `of a phone's 360 px the title of a locked meeting has ${width}`);
  // A browser of its own: one page at a time is drawn in a window, and the hall’s is looked at below.
  const late = await world.participant('village');
  await late.open(server.link(BINH_SON));
  await late.press('join');
  assert.deepEqual(await late.ended(), { kind: 'meeting_locked', title: 'Phòng họp đã khóa' });
  await hall.press('lock');
  await commune.page.waitForSelector('[data-testid="locked"]', { state: 'detached' });
  await late.pressNextStep();
  await late.isOnline();

  await hall.sees(AN_PHUOC, 'commune');
  await hall.act(AN_PHUOC, 'act-remove');
  await hall.confirm();
  assert.equal((await commune.ended()).kind, 'removed');
  await commune.pressNextStep();
  assert.equal((await commune.ended()).kind, 'removed');
  await hall.press('sites');
  await hall.page.click('[data-testid="sites-panel"] [data-testid="act-readmit"]');
  await hall.page.keyboard.press('Escape');
  await commune.pressNextStep();
  await commune.isOnline();

  await hall.press('end');
  await hall.confirm();
  for (const one of [hall, commune, late]) {
    assert.deepEqual(await one.ended(), { kind: 'ended', title: 'Cuộc họp đã kết thúc' });
  }
});
