/** Pages and servers go and come back; people keep their seats. */
import assert from 'node:assert/strict';
import { onlyUdpTo, words } from '../lib/probe.mjs';
import { story, until } from '../lib/runner.mjs';
import { AN_PHUOC, CHAIR } from '../lib/server.mjs';
import { twoJoin } from './together.mjs';

story('a reloaded page takes its own seat again', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);
  await hall.sees(AN_PHUOC, 'commune');
  const before = await commune.state();
  assert.equal(new URL(commune.page.url()).hash, '', 'the secret is out of the address bar');
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

story('a server that is killed and comes back elsewhere is found by all', async world => {
  const server = await world.server();
  const [hall, commune] = await twoJoin(world, server);
  await hall.sees(AN_PHUOC, 'commune');
  await server.kill();
  await hall.hasBanner('reconnecting');
  await commune.hasBanner('reconnecting');
  await server.moveMedia();
  await server.launch();
  await hall.isOnline(30_000);
  await commune.isOnline(30_000);
  await hall.sees(AN_PHUOC, 'commune');
  await commune.sees(CHAIR, 'hall');
  await hall.hears('commune');
});

story(
  'who cannot speak to the server may still be heard, is told so, and can close the microphone',
  async world => {
    const server = await world.server();
    const [hall, commune] = await twoJoin(world, server, { communeOptions: { init: [[words]] } });
    await hall.hears('commune');
    await commune.page.evaluate(() => window.cutWord(true));
    assert.match((await commune.hasBanner('still_sending')).text, /^CÓ THỂ VẪN ĐƯỢC NGHE/);
    assert.match(
      await commune.page.textContent('[data-testid="reconnecting"]'),
      /^Vẫn nghe và thấy các điểm cầu\. Đang nối lại các nút điều khiển/,
    );
    await hall.hears('commune');
    await commune.press('banner');
    assert.match((await commune.hasBanner('reconnecting')).text, /Micro đang tắt/);
    await hall.hears();
    const { meeting } = await hall.state();
    assert.equal(meeting.sites.find(({ name }) => name === AN_PHUOC.name).presence, 'present');
    await commune.page.evaluate(() => window.cutWord(false));
    await commune.hasBanner('mic_off');
  },
);

/** Longer than any probe, shorter than the 30 s of ICE consent and of a WebSocket that opens. */
const STANDSTILL_MS = 20_000;

story(
  'a server that stands still and goes on has everybody back',
  async world => {
    const server = await world.server();
    const [hall, commune] = await twoJoin(world, server);
    await hall.sees(AN_PHUOC, 'commune');
    const frozen = server.freeze(STANDSTILL_MS);
    await hall.hasBanner('reconnecting');
    await commune.hasBanner('reconnecting');
    await frozen;
    const start = Date.now();
    await hall.isOnline(30_000);
    await commune.isOnline(30_000);
    await hall.sees(AN_PHUOC, 'commune');
    await commune.sees(CHAIR, 'hall');
    console.log(`        server goes on → pictures on both sides: ${Date.now() - start} ms`);
    await hall.hears('commune');
    await commune.hears('hall');
  },
  120_000,
);

const SATELLITE_MS = 2500;

story(
  'over a satellite one attempt leads in',
  async world => {
    const server = await world.server();
    const relay = await world.relay(server, SATELLITE_MS);
    const hall = await world.participant('hall');
    const init = [[onlyUdpTo, relay.udp.address().port], [countConnections]];
    const commune = await world.participant('commune', { init });
    await hall.join(server.link(CHAIR));
    await commune.open(relay.link(AN_PHUOC));
    await commune.press('join');
    const start = Date.now();
    await commune.isOnline(60_000);
    console.log(`        "Vào họp" → online: ${Date.now() - start} ms`);
    await hall.sees(AN_PHUOC, 'commune');
    await commune.sees(CHAIR, 'hall');
    await hall.hears('commune');
    assert.deepEqual(await commune.page.evaluate(() => window.opened), { sockets: 1, connections: 1 });
  },
  150_000,
);

story('a NAT that gives another port costs no connection', async world => {
  const server = await world.server();
  const relay = await world.relay(server, 20);
  const hall = await world.participant('hall');
  const init = [[onlyUdpTo, relay.udp.address().port], [countConnections]];
  const commune = await world.participant('commune', { init });
  await hall.join(server.link(CHAIR));
  await commune.join(relay.link(AN_PHUOC));
  await hall.sees(AN_PHUOC, 'commune');
  await commune.sees(CHAIR, 'hall');
  relay.rebind();
  await until('media comes from elsewhere', () => relay.ways.size > 0);
  await hall.sees(AN_PHUOC, 'commune');
  await commune.sees(CHAIR, 'hall');
  await commune.hears('hall');
  assert.deepEqual(await commune.page.evaluate(() => window.opened), { sockets: 1, connections: 1 });
});

/** Inside the page: how many sockets and PeerConnections it has made. */
function countConnections() {
  window.opened = { sockets: 0, connections: 0 };
  for (const [name, counter] of [
    ['WebSocket', 'sockets'],
    ['RTCPeerConnection', 'connections'],
  ]) {
    const Original = window[name];
    window[name] = class extends Original {
      constructor(...given) {
        super(...given);
        window.opened[counter] += 1;
      }
    };
  }
}

story(
  'an offer that the server cannot take, and an answer that the browser cannot use, are an end',
  async world => {
    const server = await world.server();
    const hall = await world.participant('hall', { init: [[countConnections], [spoil, 'createOffer']] });
    await hall.open(server.link(CHAIR));
    await hall.press('join');
    assert.deepEqual(await hall.ended(30_000), {
      kind: 'unfit',
      title: 'Trình duyệt chưa nối được âm thanh, hình ảnh',
    });
    assert.ok((await hall.page.evaluate(() => window.opened.connections)) <= 4);
    const commune = await world.participant('commune', {
      init: [[countConnections], [spoil, 'setRemoteDescription']],
    });
    await commune.open(server.link(AN_PHUOC));
    await commune.press('join');
    assert.equal((await commune.ended(30_000)).kind, 'unfit');
    assert.ok((await commune.page.evaluate(() => window.opened.connections)) <= 4);
  },
);

/** Inside the page: offers without a fingerprint, or answers that nobody understands. */
function spoil(what) {
  const original = RTCPeerConnection.prototype[what];
  RTCPeerConnection.prototype[what] = async function (given) {
    if (what === 'setRemoteDescription') throw new DOMException('', 'InvalidAccessError');
    const offer = await original.call(this, given);
    this.setLocalDescription = async () => undefined;
    return { type: 'offer', sdp: offer.sdp.replaceAll(/^a=fingerprint.*\r\n/gm, '') };
  };
}
