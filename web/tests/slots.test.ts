import { describe, expect, test } from 'vitest';
import { type Assignment, assignSlots, slotShowing, wishesOf } from '../src/meeting/slots';
import type { Picture } from '../src/meeting/tiles';

const c = (site: number): Picture => ({ site, kind: 'camera' });
const content = (site: number): Picture => ({ site, kind: 'content' });
const none: Assignment = [];

describe('a picture keeps its slot', () => {
  test.each<[string, Assignment, Picture[], Picture | null, Assignment]>([
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
      'camera and content of one site are two pictures',
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

test('wishes carry the height of the tile, and null for an empty slot', () => {
  const heights = new Map([['2-camera', 360]]);
  expect(wishesOf([null, c(2)], heights)).toEqual([null, { site: 2, kind: 'camera', max_height: 360 }]);
});

test('what a slot shows is what the server says', () => {
  const slots = [null, { site: 2, kind: 'camera' as const }, { site: 2, kind: 'content' as const }];
  expect(slotShowing(slots, content(2))).toBe(2);
  expect(slotShowing(slots, c(3))).toBe(-1);
});
