import { describe, expect, test } from 'vitest';
import { type Assignment, assignSlots, slotShowing, wishesOf, worthSending } from '../src/meeting/slots';
import type { VideoSource } from '../src/meeting/tiles';

const c = (site: number): VideoSource => ({ site, kind: 'camera' });
const content = (site: number): VideoSource => ({ site, kind: 'content' });
const none: Assignment = [];

describe('a source keeps its slot', () => {
  test.each<[string, Assignment, VideoSource[], VideoSource | null, Assignment]>([
    ['the first ones leave slot 0 to the chair', none, [c(2), c(3)], null, [null, c(2), c(3), null]],
    ['slot 0 is used when there is no other', none, [c(2), c(3), c(4), c(5)], null, [c(5), c(2), c(3), c(4)]],
    [
      'beyond the capacity the last in order go without',
      none,
      [c(2), c(3), c(4), c(5), c(6)],
      null,
      [c(5), c(2), c(3), c(4)],
    ],
    [
      'another order moves nobody',
      [null, c(2), c(3), c(4)],
      [c(4), c(3), c(2)],
      null,
      [null, c(2), c(3), c(4)],
    ],
    [
      'who leaves makes room, the others stay',
      [null, c(2), c(3), c(4)],
      [c(4), c(2), c(5)],
      null,
      [null, c(2), c(5), c(4)],
    ],
    [
      'the chair’s choice goes to slot 0',
      [null, c(2), c(3), null],
      [c(3), c(2)],
      c(3),
      [c(3), c(2), null, null],
    ],
    [
      'and moves away who was there',
      [c(5), c(2), c(3), c(4)],
      [c(3), c(2), c(4), c(5)],
      c(3),
      [c(3), c(2), c(5), c(4)],
    ],
    [
      'camera and content of one site are two sources',
      [null, c(2), null, null],
      [content(2), c(2)],
      null,
      [null, c(2), content(2), null],
    ],
  ])('%s', (_, before, wanted, forced, after) => {
    expect(assignSlots(before, wanted, 4, forced)).toEqual(after);
  });

  test('nothing is shown twice, whatever comes and goes', () => {
    let slots: Assignment = none;
    for (let step = 0; step < 300; step++) {
      const wanted = Array.from({ length: (step * 7) % 9 }, (_, index) =>
        c(((step * 5 + index * 3) % 11) + 1),
      );
      const unique = wanted.filter(
        (one, index) => wanted.findIndex(other => other.site === one.site) === index,
      );
      const before = slots;
      const forced = step % 4 === 0 ? (unique[0] ?? null) : null;
      slots = assignSlots(before, unique, 6, forced);
      const shown = slots.filter(one => one !== null).map(one => one.site);
      expect(new Set(shown).size).toBe(shown.length);
      expect(shown).toHaveLength(Math.min(6, unique.length));
    }
  });
});

test('wishes carry what fills the tile, and null for an empty slot', () => {
  const heights = new Map([['2-camera', 360]]);
  const wish = (max_height: number) => [null, { site: 2, kind: 'camera', max_height }];
  expect(wishesOf([null, c(2)], heights, 'not_known_to_be_poor')).toEqual(wish(719));
  expect(wishesOf([null, c(2)], heights, 'poor')).toEqual(wish(360));
  const page = new Map([['2-content', 360]]);
  expect(wishesOf([content(2)], page, 'poor')).toEqual([{ site: 2, kind: 'content', max_height: 719 }]);
});

describe('the layer that comes for a tile', () => {
  /** The server's rule (`forward/select.rs`). */
  const comes = (layers: number[], wish: number) =>
    layers.filter(lines => lines <= wish).at(-1) ?? layers[0]!;
  const CAMERAS = [[180, 360, 720], [270, 540, 1080], [240, 480, 960], [320, 640, 1280], [240, 480], [180]];

  test.each(CAMERAS.map(layers => [layers]))('of %j is the smallest that fills it', layers => {
    for (let height = 40; height <= 1400; height += 1) {
      const smallest = layers.find(lines => lines >= height) ?? layers.at(-1)!;
      expect(comes(layers, worthSending(height, 'not_known_to_be_poor'))).toBe(smallest);
      expect(comes(layers, worthSending(height, 'poor'))).toBeLessThanOrEqual(smallest);
    }
  });

  test('of 248 lines is the one of 360, and the one of 180 on a poor line', () => {
    expect(comes(CAMERAS[0]!, worthSending(270, 'not_known_to_be_poor'))).toBe(360);
    expect(comes(CAMERAS[0]!, worthSending(270, 'poor'))).toBe(180);
  });
});

test('what a slot shows is what the server says', () => {
  const slots = [null, { site: 2, kind: 'camera' as const }, { site: 2, kind: 'content' as const }];
  expect(slotShowing(slots, content(2))).toBe(2);
  expect(slotShowing(slots, c(3))).toBe(-1);
});
