import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WakeLock } from '../src/media/wakeLock';

/** One lock of the screen as the browser gives it. */
class FakeLock extends EventTarget {
  released = false;

  async release(): Promise<void> {
    this.released = true;
    this.dispatchEvent(new Event('release'));
  }
}

let page: EventTarget & { visibilityState: string };
let given: FakeLock[];
let request: () => Promise<FakeLock>;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  given = [];
  request = async () => {
    if (page.visibilityState !== 'visible') throw new DOMException('', 'NotAllowedError');
    given.push(new FakeLock());
    return given.at(-1)!;
  };
  vi.stubGlobal('document', page);
  vi.stubGlobal('navigator', { wakeLock: { request: (kind: string) => kind === 'screen' && request() } });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const held = () => given.filter(({ released }) => !released).length;

async function becomes(state: 'visible' | 'hidden'): Promise<void> {
  page.visibilityState = state;
  // The browser takes the locks of a page that is not seen.
  if (state === 'hidden') for (const lock of given) await lock.release();
  page.dispatchEvent(new Event('visibilitychange'));
  await pass(0);
}

async function holding(): Promise<WakeLock> {
  const lock = new WakeLock();
  lock.hold();
  await pass(0);
  return lock;
}

test('held once, however often it is wanted, and let go', async () => {
  const lock = await holding();
  lock.hold();
  await pass(60_000);
  expect([given.length, held()]).toEqual([1, 1]);
  lock.release();
  await pass(60_000);
  expect([given.length, held()]).toEqual([1, 0]);
});

test('a page that was hidden holds it again as soon as it is seen', async () => {
  await holding();
  await becomes('hidden');
  await pass(60_000);
  expect([given.length, held()]).toEqual([1, 0]);
  await becomes('visible');
  expect([given.length, held()]).toEqual([2, 1]);
});

test('what the system takes away or refuses is asked for again, not in a hurry', async () => {
  await holding();
  const works = request;
  let refused = 0;
  request = async () => {
    refused += 1;
    throw new DOMException('', 'NotAllowedError');
  };
  await given[0]!.release();
  await pass(60_000);
  expect(refused).toBe(6);
  request = works;
  await pass(10_000);
  expect(held()).toBe(1);
});

test('what comes after it was let go is given back', async () => {
  const lock = new WakeLock();
  lock.hold();
  lock.release();
  await pass(60_000);
  expect([given.length, held()]).toEqual([1, 0]);
  await becomes('hidden');
  await becomes('visible');
  expect(held()).toBe(0);
});

test('let go and held again while the browser thinks: one lock', async () => {
  const lock = new WakeLock();
  lock.hold();
  lock.release();
  lock.hold();
  await pass(60_000);
  expect(held()).toBe(1);
  lock.release();
  await pass(0);
  expect(held()).toBe(0);
});

test('where there is none nothing is asked', async () => {
  vi.stubGlobal('navigator', {});
  const lock = await holding();
  expect(lock.exists).toBe(false);
  lock.release();
});
