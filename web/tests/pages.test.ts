import { describe, expect, test } from 'vitest';
import { guestOf, type View, viewOf, withGuest } from '../src/meeting/pages';
import { searchSites } from '../src/meeting/search';
import { byPriority } from '../src/meeting/slots';
import { initialState } from '../src/meeting/state';
import type { Scene, VideoSource } from '../src/meeting/tiles';
import { site } from './samples';

const camera = (id: number): VideoSource => ({ site: id, kind: 'camera' });
const sceneOf = (count: number, stage: VideoSource | null = null): Scene => ({
  stage,
  others: Array.from({ length: count }, (_, index) => camera(index + 1)),
});
const shown = (view: View) => view.others.map(source => source?.site ?? null);

describe('pages', () => {
  test('whoever fits has one page and no place kept free', () => {
    expect(viewOf(sceneOf(16), 16, 3)).toEqual({ ...sceneOf(16), page: 0, pages: 1 });
  });

  test('sixty sites are four equal pages, each with a place for a speaker', () => {
    const views = [0, 1, 2, 3].map(page => viewOf(sceneOf(60), 16, page));
    expect(views.map(view => [view.page, view.pages])).toEqual([0, 1, 2, 3].map(page => [page, 4]));
    for (const view of views) expect(shown(view)).toHaveLength(16);
    const all = views.flatMap(view => shown(view).slice(0, -1));
    expect(all).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  test('the last page keeps the size of the others', () => {
    expect(shown(viewOf(sceneOf(17), 8, 2))).toEqual([13, 14, 15, 16, 17, null, null]);
  });

  test('a page that is no more becomes the last', () => {
    expect(viewOf(sceneOf(17), 16, 9).page).toBe(1);
  });

  test.each([1, 2])('with %i place there is still one site on each page', places => {
    expect(viewOf(sceneOf(3), places, 1)).toMatchObject({ pages: 3, others: [camera(2), null] });
  });
});

describe('who speaks on another page comes into view', () => {
  const scene = sceneOf(20);
  const view = viewOf(scene, 8, 0);
  const saying = (speakers: number[], recentSpeakers = speakers) => ({
    ...initialState,
    you: 20,
    speakers,
    recentSpeakers,
  });

  test.each<[string, number[], number[], VideoSource | null, number | null]>([
    ['nobody has spoken', [], [], null, null],
    ['who is on view already stays where it is', [2], [2], null, null],
    ['a speaker from elsewhere', [9], [9], null, 9],
    ['after its last word it stays', [], [9, 10], camera(9), 9],
    ['the next speaker takes the place', [10], [10, 9], camera(9), 10],
    ['but not while the first still speaks', [10, 9], [10, 9], camera(9), 9],
    ['oneself needs no place', [20], [20, 11], null, 11],
    ['who has left is nobody', [77], [77], camera(77), null],
  ])('%s', (_, speakers, recent, before, guest) => {
    expect(guestOf(saying(speakers, recent), scene, view, before)?.site ?? null).toBe(guest);
  });

  test('in the last place, and nobody else moves', () => {
    expect(shown(withGuest(view, camera(9)))).toEqual([...shown(view).slice(0, -1), 9]);
    expect(withGuest(view, null)).toBe(view);
  });

  test('who is large is on view', () => {
    const staged = viewOf(sceneOf(20, camera(99)), 8, 0);
    expect(guestOf(saying([99]), sceneOf(20, camera(99)), staged, null)).toBeNull();
  });

  test('slots go to the page on view and to nobody else', () => {
    const second = withGuest(viewOf(scene, 8, 1), camera(2));
    const wanted = byPriority(saying([9]), second).map(source => source.site);
    expect(wanted).toEqual([9, ...shown(second).filter(id => id !== 9)]);
  });
});

test('a site is found without its marks, within those of one state', () => {
  const sites = [
    site(1, { name: 'Xã An Phước' }),
    site(2, { name: 'Xã Long Đức', presence: 'lost' }),
    site(3, { name: 'Ấp 3', presence: 'removed' }),
  ];
  const found = (...given: Parameters<typeof searchSites> extends [unknown, ...infer Rest] ? Rest : never) =>
    searchSites(sites, ...given).map(one => one.id);
  expect(found('all', ' an phuoc')).toEqual([1]);
  expect(found('all', 'LONG DUC')).toEqual([2]);
  expect(found('lost', '')).toEqual([2]);
  expect(found('away', '')).toEqual([3]);
  expect(found('present', 'xã')).toEqual([1]);
});
