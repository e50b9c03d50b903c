import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepPlaying } from '../src/media/keepPlaying';

/** A player, and how something outside of the page pauses it. */
class Player extends EventTarget {
  srcObject: object | null = {};
  plays = 0;
  refuses = false;

  async play(): Promise<void> {
    this.plays += 1;
    if (this.refuses) throw new DOMException('', 'NotAllowedError');
    this.dispatchEvent(new Event('playing'));
  }

  pausedFromOutside(): void {
    this.dispatchEvent(new Event('pause'));
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const keep = (player: Player, refused?: () => void) =>
  keepPlaying(player as unknown as HTMLMediaElement, refused);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what was paused from outside plays again by itself', async () => {
  const player = new Player();
  keep(player);
  player.pausedFromOutside();
  await pass(250);
  expect(player.plays).toBe(1);
});

test('over and over: slower and slower, and quick again after a while', async () => {
  const player = new Player();
  keep(player);
  const again = () => setTimeout(() => player.pausedFromOutside(), 1000);
  player.addEventListener('playing', again);
  player.pausedFromOutside();
  await pass(60_000);
  // After 0.25, 0.5, 1, 2, 4 s, then every 5.
  expect(player.plays).toBeGreaterThan(9);
  expect(player.plays).toBeLessThan(16);
  player.removeEventListener('playing', again);
  await pass(20_000);
  const before = player.plays;
  player.pausedFromOutside();
  await pass(250);
  expect(player.plays).toBe(before + 1);
});

test('a browser that wants a click first is named', async () => {
  const player = new Player();
  player.refuses = true;
  const refused = vi.fn();
  keep(player, refused);
  player.pausedFromOutside();
  await pass(250);
  expect(refused).toHaveBeenCalledTimes(1);
});

test('what the page itself has ended stays so', async () => {
  const player = new Player();
  const release = keep(player);
  player.srcObject = null;
  player.pausedFromOutside();
  await pass(60_000);
  player.srcObject = {};
  player.pausedFromOutside();
  release();
  player.pausedFromOutside();
  await pass(60_000);
  expect(player.plays).toBe(0);
});
