import { signal } from '@preact/signals';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { initialState, type MeetingState } from '../src/meeting/state';
import type { LinkGrade, MeetingView, SlotWish } from '../src/protocol/gen';
import { Screen } from '../src/session/screen';
import { Wishes } from '../src/session/wishes';
import { link, meeting, site } from './samples';

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const YOU = 1;
const MINUTE = 60_000;

/** What a device in a meeting of three wishes, and how to give it the grade of its own line. */
function watching(changes: Partial<MeetingView> = {}) {
  const sites = [site(YOU), site(2), site(3)];
  const state = signal<MeetingState>({ ...initialState, you: YOU, meeting: meeting(sites, changes) });
  const audioOnly = signal(false);
  const screen = new Screen(state, 6);
  screen.area.value = { width: 888, height: 520 };
  const sent: (SlotWish | null)[][] = [];
  const wishes = new Wishes(state, screen, audioOnly, 6, slots => sent.push(slots));
  const heights = () => (sent.at(-1) ?? []).flatMap(wish => wish?.max_height ?? []);
  const grade = (own: LinkGrade, other: LinkGrade = 'good') => {
    const links = new Map([link(YOU, own), link(2, other)].map(one => [one.site, one]));
    state.value = { ...state.value, links };
  };
  vi.advanceTimersByTime(1000);
  return { screen, sent, heights, grade, audioOnly, wishes };
}

test('a tile of 248 lines wishes for the layer that fills it', () => {
  const { screen, heights } = watching();
  expect(screen.placed.value.map(({ height }) => height)).toEqual([248, 248, 248]);
  expect(heights()).toEqual([539, 539]);
});

test('while the own line is poor, and a minute longer, no more than the tile shows', () => {
  const { heights, grade, sent } = watching();
  grade('poor');
  vi.advanceTimersByTime(1000);
  expect(heights()).toEqual([270, 270]);
  grade('good');
  vi.advanceTimersByTime(MINUTE - 1000);
  grade('poor');
  vi.advanceTimersByTime(2 * MINUTE);
  grade('fair');
  vi.advanceTimersByTime(MINUTE - 1);
  expect(heights()).toEqual([270, 270]);
  expect(sent).toHaveLength(2);
  vi.advanceTimersByTime(1000);
  expect(heights()).toEqual([539, 539]);
});

test('somebody else’s poor line changes nothing', () => {
  const { sent, grade } = watching();
  grade('good', 'poor');
  vi.advanceTimersByTime(MINUTE);
  expect(sent).toHaveLength(1);
});

const NOTHING = Array(6).fill(null);

test('with audio only nothing is wished for in any slot, whatever the chair shows large', () => {
  const { sent, audioOnly } = watching({ big_screen: 2 });
  audioOnly.value = true;
  vi.advanceTimersByTime(1000);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toEqual(NOTHING);
});

test('a new connection is told that nothing is wished for, where that is a choice', () => {
  const { sent, audioOnly, wishes } = watching();
  audioOnly.value = true;
  vi.advanceTimersByTime(1000);
  wishes.repeat();
  expect(sent.slice(1)).toEqual([NOTHING, NOTHING]);
});

test('the pictures are wished for again as they were', () => {
  const { sent, audioOnly, wishes } = watching();
  audioOnly.value = true;
  vi.advanceTimersByTime(1000);
  audioOnly.value = false;
  vi.advanceTimersByTime(1000);
  expect(sent.at(-1)).toEqual(sent[0]);
  expect(wishes.assignment.value.flatMap(source => source?.site ?? [])).toEqual([2, 3]);
});
