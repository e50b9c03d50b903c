import { describe, expect, test } from 'vitest';
import {
  type Area,
  arrange,
  fills,
  largestCells,
  type Placed,
  pixelHeights,
  placesFor,
} from '../src/meeting/layout';
import { byPriority } from '../src/meeting/slots';
import { initialState } from '../src/meeting/state';
import { type LayoutChoice, otherLayout, sceneOf, type VideoSource } from '../src/meeting/tiles';
import { meeting, site } from './samples';

const camera = (id: number): VideoSource => ({ site: id, kind: 'camera' });
const cameras = (count: number) => Array.from({ length: count }, (_, index) => camera(index + 1));

const SCREENS: Record<string, Area> = {
  phone: { width: 344, height: 480 },
  laptop: { width: 1346, height: 520 },
  television: { width: 1900, height: 830 },
  uhd: { width: 3800, height: 1660 },
};

function overlap(a: Placed, b: Placed): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

describe.each(Object.entries(SCREENS))('on a %s', (_, area) => {
  test.each([1, 2, 3, 5, 9, 15, 40])('%i sites have each a place, inside and apart', count => {
    for (const stage of [null, camera(99)]) {
      const placed = arrange({ stage, others: cameras(count) }, area, 8);
      expect(placed).toHaveLength(count + (stage === null ? 0 : 1));
      for (const [index, tile] of placed.entries()) {
        expect(tile.x).toBeGreaterThanOrEqual(0);
        expect(tile.x + tile.width).toBeLessThanOrEqual(area.width + 1);
        expect(tile.y + tile.height).toBeLessThanOrEqual(area.height + 1);
        expect(placed.slice(index + 1).some(other => overlap(tile, other))).toBe(false);
      }
    }
  });
});

test('fifteen sites fit on a laptop, with and without a large tile', () => {
  const area = SCREENS.laptop!;
  expect(placesFor({ stage: null, others: [] }, area, 8)).toBeGreaterThanOrEqual(15);
  expect(placesFor({ stage: camera(99), others: [] }, area, 8)).toBeGreaterThanOrEqual(14);
});

test('what fits is not smaller than what can be recognised', () => {
  for (const area of Object.values(SCREENS))
    for (const [stage, smallest] of [
      [null, 148],
      [camera(99), 104],
    ] as const) {
      const scene = { stage, others: cameras(200) };
      const others = cameras(placesFor(scene, area, 8));
      const tiles = arrange({ stage, others }, area, 8).filter(tile => tile.role === 'tile');
      for (const tile of tiles) expect(tile.width).toBeGreaterThanOrEqual(smallest - 1);
    }
});

test('a free place moves nobody', () => {
  const area = SCREENS.laptop!;
  const full = arrange({ stage: null, others: cameras(16) }, area, 8);
  const free = arrange({ stage: null, others: [...cameras(15), null] }, area, 8);
  expect(free).toEqual(full.slice(0, 15));
});

test.each([
  [1, { width: 1600, height: 900 }, 1],
  [4, { width: 1600, height: 900 }, 2],
  [5, { width: 1600, height: 900 }, 3],
  [4, { width: 400, height: 900 }, 1],
])('%i tiles in %o stand in %i columns', (count, area, columns) => {
  expect(largestCells(count, area, 0).columns).toBe(columns);
});

test('the large tile is larger than any other', () => {
  for (const area of Object.values(SCREENS)) {
    const [stage, ...strip] = arrange({ stage: camera(99), others: cameras(6) }, area, 8);
    for (const tile of strip) expect(tile.height).toBeLessThan(stage!.height);
  }
});

test('heights are those of real pixels, in steps that cameras have', () => {
  const place = (height: number): Placed => ({
    source: camera(height),
    role: 'tile',
    x: 0,
    y: 0,
    width: 1,
    height,
  });
  const heights = pixelHeights([place(91), place(120), place(124), place(360), place(480)], 2);
  expect([...heights.values()]).toEqual([210, 240, 270, 720, 960]);
});

test.each<[string, Area | null, boolean]>([
  ['16:9', { width: 1280, height: 720 }, true],
  ['16:9 with a line less', { width: 640, height: 358 }, true],
  ['16:10', { width: 1280, height: 800 }, true],
  ['4:3', { width: 640, height: 480 }, false],
  ['upright', { width: 720, height: 1280 }, false],
  ['as wide as a cinema', { width: 1920, height: 800 }, false],
  ['not yet there', null, true],
])('a frame that is %s fills its tile, or is shown whole', (_, frame, expected) =>
  expect(fills(frame, { width: 441, height: 248 })).toBe(expected),
);

describe('who is large', () => {
  const you = { ...initialState, you: 1 };
  const sites = [site(1), site(2), site(3, { presence: 'away' }), site(4, { presence: 'lost' })];

  test('nobody in the grid; the absent have no tile, the lost keep theirs', () => {
    const scene = sceneOf({ ...you, meeting: meeting(sites) }, 'grid', null);
    expect(scene).toEqual({ stage: null, others: [camera(1), camera(2), camera(4)] });
  });

  test('whom the chair has put there, whatever this device likes', () => {
    const state = { ...you, meeting: meeting(sites, { big_screen: 4 }) };
    expect(sceneOf(state, 'grid', null).stage).toEqual(camera(4));
    expect(sceneOf(state, 'stage', camera(2)).stage).toEqual(camera(4));
  });

  test('content before faces, and the presenter stays among the others', () => {
    const state = { ...you, meeting: meeting([site(1), site(2, { content: true })]) };
    const scene = sceneOf(state, 'auto', null);
    expect(scene.stage).toEqual({ site: 2, kind: 'content' });
    expect(scene.others).toEqual([camera(1), camera(2)]);
  });

  test('while somebody presents this device may still have a grid, or look at somebody', () => {
    const content = { site: 2, kind: 'content' } as const;
    const state = { ...you, meeting: meeting([site(1), site(2, { content: true }), site(3)]) };
    expect(sceneOf(state, 'grid', null)).toEqual({
      stage: null,
      others: [content, camera(1), camera(2), camera(3)],
    });
    expect(sceneOf(state, 'stage', null).stage).toEqual(content);
    expect(sceneOf(state, 'stage', camera(3)).stage).toEqual(camera(3));
  });

  test('the layout button offers what would change something, and nothing else', () => {
    const offered = (state: typeof you & { meeting: ReturnType<typeof meeting> }, choice: LayoutChoice) =>
      otherLayout(state, sceneOf(state, choice, null));
    const presented = { ...you, meeting: meeting([site(1), site(2, { content: true })]) };
    expect(offered(presented, 'auto')).toBe('grid');
    expect(offered(presented, 'grid')).toBe('stage');
    const plain = { ...you, meeting: meeting([site(1), site(2)]) };
    expect(offered(plain, 'auto')).toBe('stage');
    expect(offered(plain, 'stage')).toBe('grid');
    const chosen = { ...you, meeting: meeting([site(1), site(2)], { big_screen: 2 }) };
    expect(offered(chosen, 'auto')).toBeNull();
    expect(offered({ ...you, meeting: meeting([site(1)]) }, 'auto')).toBeNull();
  });

  test('else the pinned one, else who spoke last, else the first other', () => {
    const state = { ...you, meeting: meeting([site(1), site(2), site(3)]), recentSpeakers: [1, 3] };
    expect(sceneOf(state, 'stage', camera(2)).stage).toEqual(camera(2));
    expect(sceneOf(state, 'stage', null).stage).toEqual(camera(3));
    expect(sceneOf({ ...state, recentSpeakers: [] }, 'stage', null).stage).toEqual(camera(2));
  });

  test('slots go to the stage, then to who spoke, and never to oneself', () => {
    const state = {
      ...you,
      meeting: meeting([site(1), site(2), site(3), site(4)], { big_screen: 4 }),
      recentSpeakers: [3],
    };
    expect(byPriority(state, sceneOf(state, 'grid', null))).toEqual([camera(4), camera(3), camera(2)]);
  });
});
