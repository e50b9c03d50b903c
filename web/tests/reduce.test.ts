import { describe, expect, test } from 'vitest';
import { reduce } from '../src/meeting/reduce';
import { initialState, type MeetingState } from '../src/meeting/state';
import type { ServerMessage } from '../src/protocol/gen';
import { link, meeting, site } from './samples';

const NOW = 1_000_000;

/** Plays messages one after the other, as the server would send them. */
function play(...messages: ServerMessage[]): MeetingState {
  return messages.reduce((state, message) => reduce(state, message, NOW), initialState);
}

const welcome: ServerMessage = {
  type: 'welcome',
  version: 2,
  you: 1,
  role: 'chair',
  seat: 's',
  actions: ['end'],
};
const says = (...sites: Parameters<typeof meeting>[0]): ServerMessage => ({
  type: 'meeting',
  meeting: meeting(sites),
});

describe('what the server says becomes state', () => {
  test('welcome tells who this is and what it may do, and forgets an earlier refusal', () => {
    const state = play({ type: 'refused', code: 'seat_taken', text: '' }, welcome);
    expect(state).toMatchObject({ you: 1, seat: 's', actions: ['end'], ending: null });
  });

  test('the newest meeting replaces the one before, actions included', () => {
    const state = play(welcome, says(site(1)), says(site(1), site(2)));
    expect(state.meeting?.sites.map(one => one.id)).toEqual([1, 2]);
    expect(state.actions).toEqual([]);
  });

  test('slots, layers and links are kept as told', () => {
    const video = [{ site: 2, kind: 'camera' as const }, null];
    const state = play(
      { type: 'slots', video, audio: [null], limits: [{ shows: 'fewer', by: 'viewer' }], mixed: true },
      { type: 'layers', kind: 'camera', layers: [true, false, false] },
      { type: 'links', links: [link(2, 'fair')] },
    );
    expect(state.videoSlots).toEqual(video);
    expect(state.slotLimits).toEqual([{ shows: 'fewer', by: 'viewer' }]);
    expect(state.mixed).toBe(true);
    expect(state.layers.camera).toEqual([true, false, false]);
    expect(state.links.get(2)?.grade).toBe('fair');
  });

  test('changed links leave the others as they were, and all links are the truth', () => {
    const first = play(
      { type: 'links', links: [link(1, 'good'), link(2, 'good')] },
      { type: 'link_changes', links: [link(2, 'poor'), link(3, 'fair')] },
    );
    const grades = (state: MeetingState) => [...state.links.values()].map(({ site, grade }) => [site, grade]);
    expect(grades(first)).toEqual([
      [1, 'good'],
      [2, 'poor'],
      [3, 'fair'],
    ]);
    expect(grades(reduce(first, { type: 'links', links: [link(3, 'good')] }, NOW))).toEqual([[3, 'good']]);
  });

  test('media that stands still on the server is told, that it moved is not', () => {
    expect(play({ type: 'media_stalled' }).notices).toEqual([{ kind: 'mediaStalled' }]);
    expect(play({ type: 'media_moved' }).notices).toEqual([]);
  });

  test('who spoke last stands first among the recent speakers, each once', () => {
    const state = play(
      { type: 'speakers', sites: [2, 3] },
      { type: 'speakers', sites: [] },
      { type: 'speakers', sites: [3] },
    );
    expect(state.speakers).toEqual([3]);
    expect(state.recentSpeakers).toEqual([3, 2]);
  });

  test('refusal and goodbye end it', () => {
    expect(play({ type: 'refused', code: 'unknown_link', text: '' }).ending).toEqual({
      kind: 'refused',
      code: 'unknown_link',
    });
    expect(play(welcome, { type: 'goodbye', reason: 'removed' }).ending).toEqual({ kind: 'removed' });
  });

  test('a message of a newer server changes nothing', () => {
    const unknown = { type: 'vote_opened' } as unknown as ServerMessage;
    expect(play(welcome, unknown)).toEqual(play(welcome));
  });
});

describe('people are told once what matters', () => {
  const before = says(site(1), site(2));

  test.each([
    [
      'lost',
      says(site(1), site(2, { presence: 'lost', since_ms: 5 })),
      [{ kind: 'lost', site: 'Xã 2', atMs: 5 }],
    ],
    ['left', says(site(1), site(2, { presence: 'away' })), [{ kind: 'left', site: 'Xã 2' }]],
    ['removed', says(site(1), site(2, { presence: 'removed' })), [{ kind: 'removed', site: 'Xã 2' }]],
    ['nothing new', before, []],
    [
      'muted by the chair',
      says(site(1, { microphone: 'muted_by_chair' }), site(2)),
      [{ kind: 'mutedByChair' }],
    ],
    ['another one muted', says(site(1), site(2, { microphone: 'muted_by_chair' })), []],
  ])('%s', (_, after, notices) => {
    expect(play(welcome, before, after).notices).toEqual(notices);
  });

  test('a seat that another device has taken is told to whoever may remove the site', () => {
    const moved = site(2, { takeovers: 1, taken_over_ms: 7 });
    const chair = (...sites: Parameters<typeof meeting>[0]): ServerMessage => ({
      type: 'meeting',
      meeting: meeting(sites, { actions: ['remove'] }),
    });
    const told = [{ kind: 'takenOver', site: 'Xã 2', atMs: 7 }];
    expect(play(welcome, chair(site(1), site(2)), chair(site(1), moved)).notices).toEqual(told);
    expect(play(welcome, chair(site(1), moved), chair(site(1), moved)).notices).toEqual([]);
    expect(play(welcome, before, says(site(1), moved)).notices).toEqual([]);
    const lost = chair(site(1), site(2, { presence: 'lost' }));
    expect(play(welcome, lost, chair(site(1), { ...moved, presence: 'joining' })).notices).toEqual(told);
  });

  test('the first meeting is no news', () => {
    expect(play(welcome, before).notices).toEqual([]);
  });

  test('a site that comes back is not announced as new', () => {
    const lost = says(site(1), site(2, { presence: 'lost' }));
    const back = says(site(1), site(2, { reconnections: 1, since_ms: 9 }));
    expect(play(welcome, lost, back).notices).toEqual([{ kind: 'back', site: 'Xã 2', atMs: 9 }]);
  });

  test('a notice does not stay for the next message', () => {
    const lost = says(site(1), site(2, { presence: 'lost' }));
    expect(play(welcome, before, lost, { type: 'speakers', sites: [] }).notices).toEqual([]);
  });

  test('the own link turning poor is told when it turns', () => {
    const poor: ServerMessage = { type: 'links', links: [link(1, 'poor')] };
    expect(play(welcome, poor).notices).toEqual([{ kind: 'poorLink' }]);
    expect(play(welcome, poor, poor).notices).toEqual([]);
    expect(play(welcome, { type: 'links', links: [link(2, 'poor')] }).notices).toEqual([]);
    const changed: ServerMessage = { type: 'link_changes', links: [link(1, 'poor')] };
    expect(play(welcome, changed).notices).toEqual([{ kind: 'poorLink' }]);
  });
});
