import { describe, expect, test } from 'vitest';
import { afterGap, type Durations, follow, noDurations, sinceOf } from '../src/meeting/durations';
import { site } from './samples';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The server's wall clock when the own clock is at 0. */
const WALL = 1_700_000_000_000;

/** Sites as the server sends them: since when, by its wall clock. */
const told = (...since: (number | null)[]) => since.map((since_ms, index) => site(index + 1, { since_ms }));
/** For how long each site is as it is, by the page. */
const shown = (durations: Durations, nowMs: number, ...since: (number | null)[]) =>
  told(...since).map(one => {
    const at = sinceOf(durations, one);
    return at === null ? null : nowMs - at;
  });

describe('durations', () => {
  test('of what happened before: by the server’s clock', () => {
    const begun = follow(noDurations, told(WALL, WALL - 2 * MINUTE, null), 0);
    expect(shown(begun, MINUTE, WALL, WALL - 2 * MINUTE, null)).toEqual([MINUTE, 3 * MINUTE, null]);
  });

  test('the own arrival, told a moment later, tells the clocks apart', () => {
    const old = [WALL - 20 * MINUTE, WALL - HOUR];
    const taken = follow(noDurations, told(...old), 0);
    const arrived = follow(taken, told(WALL + 400, old[1]!), 500);
    expect(shown(arrived, 500, WALL + 400, old[1]!)).toEqual([0, HOUR + 400]);
  });

  test('of what was seen to happen: by the own clock, wherever the server’s is set', () => {
    const before = [WALL, WALL - 2 * MINUTE];
    const begun = follow(noDurations, told(...before), 0);
    for (const jump of [HOUR, -HOUR, 0]) {
      const lost = WALL + MINUTE + jump;
      const after = follow(begun, told(WALL, lost), MINUTE);
      expect(shown(after, 2 * MINUTE, WALL, lost), `${jump}`).toEqual([2 * MINUTE, MINUTE]);
    }
  });

  test('a snapshot without news changes nothing', () => {
    const begun = follow(noDurations, told(WALL), 0);
    expect(follow(begun, told(WALL), HOUR)).toEqual(begun);
    expect(follow(begun, told(null), HOUR)).toBe(begun);
  });

  test('after a gap what was known stays, and what is new is asked of the server', () => {
    const known = WALL - 5 * MINUTE;
    const begun = follow(noDurations, told(WALL, known), 0);
    // Ten minutes later, on a server that was set an hour ahead meanwhile.
    const now = 10 * MINUTE;
    const [own, lost] = [WALL + HOUR + now, WALL + HOUR + 4 * MINUTE];
    const back = follow(afterGap(begun), told(own, known, lost), now);
    expect(shown(back, now, own, known, lost)).toEqual([0, 15 * MINUTE, 6 * MINUTE]);
  });
});
