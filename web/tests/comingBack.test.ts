import { afterEach, expect, test } from 'vitest';
import { pass, SECOND } from './connectorPage';
import { FakePc, FakeSocket, forgetBrowser } from './fakes';
import { Line } from './line';

afterEach(forgetBrowser);

const TRIP = 60;

async function inMeeting(): Promise<Line> {
  const line = new Line(TRIP);
  await line.untilMedia(10 * SECOND);
  // The line counts as stable.
  await pass(15 * SECOND);
  expect(line.page.now).toEqual({ kind: 'online' });
  return line;
}

const p95 = (values: number[]) => [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1];

test('after a blackout of 20 to 90 s media flows within 2 s, wherever in its attempts it ends', async () => {
  const took: number[] = [];
  for (let dark = 20_000; dark <= 90_000; dark += 730) {
    const line = await inMeeting();
    await line.blackout(dark);
    took.push(await line.untilMedia(60 * SECOND));
    line.page.connector.stop();
    forgetBrowser();
  }
  expect(p95(took)).toBeLessThanOrEqual(2000);
});

test('on a line whose address has changed, of which the browser says nothing: within 3 s', async () => {
  const line = await inMeeting();
  line.changedAt = performance.now();
  expect(line.flows).toBe(false);
  expect(await line.untilMedia(60 * SECOND)).toBeLessThanOrEqual(3000);
  expect(FakePc.all).toHaveLength(1);
});

test('where UDP is dropped in the middle of a meeting: within 4 s, on the same connections', async () => {
  const line = await inMeeting();
  line.udpGoneAt = performance.now();
  expect(await line.untilMedia(60 * SECOND)).toBeLessThanOrEqual(4000);
  expect([FakePc.all.length, FakeSocket.all.length]).toEqual([1, 1]);
  expect(line.page.progress.filter(({ kind }) => kind === 'reconnecting')).toEqual([]);
});

test('where other ways of the same connection lead nowhere, another connection is made', async () => {
  const line = await inMeeting();
  line.udpGoneAt = performance.now();
  line.restartsInVain = true;
  expect(await line.untilMedia(60 * SECOND)).toBeLessThanOrEqual(7000);
  expect([FakePc.all.length, FakeSocket.all.length]).toEqual([2, 1]);
});

test('when the process was killed: within 3 s, and 2 s after a start that takes long', async () => {
  const line = await inMeeting();
  await line.dies(1500);
  expect(await line.untilMedia(60 * SECOND)).toBeLessThanOrEqual(1500);
  for (const ms of [7000, 21_000, 63_000]) {
    await pass(15 * SECOND);
    await line.dies(ms);
    expect(await line.untilMedia(60 * SECOND)).toBeLessThanOrEqual(2000);
  }
});

test('media that has stopped does not count as flowing, long before the browser says so', async () => {
  const line = await inMeeting();
  const flowing = () => line.page.connector.media?.connected.value;
  line.dark = true;
  await pass(2200);
  expect(FakePc.last.connectionState).toBe('connected');
  expect(flowing()).toBe(false);
  line.dark = false;
  await pass(SECOND);
  expect(flowing()).toBe(true);
});

test('who leaves in a blackout is left alone', async () => {
  const line = await inMeeting();
  line.dark = true;
  await pass(40 * SECOND);
  line.page.connector.stop();
  expect([...FakePc.all, ...FakePc.scouts].every(({ closed }) => closed)).toBe(true);
  expect(FakePc.scouts.length).toBeGreaterThan(1);
  const before = FakeSocket.all.length;
  line.dark = false;
  await pass(60 * SECOND);
  expect(FakeSocket.all).toHaveLength(before);
});

test('a WebSocket that breaks while media comes: nothing of the media is touched', async () => {
  const line = await inMeeting();
  const offers = FakePc.last.offers.length;
  FakeSocket.last.breaks();
  await pass(3 * SECOND);
  expect(line.page.now).toEqual({ kind: 'online' });
  expect(FakeSocket.all.length).toBeGreaterThan(1);
  expect([FakePc.all.length, FakePc.last.offers.length]).toEqual([1, offers]);
  expect(line.page.negotiated).toBe(2);
});
