import { expect, test } from 'vitest';
import { initialState, type MeetingState } from '../src/meeting/state';
import { type Asked, tileModel } from '../src/meeting/tileModel';
import type { VideoSource } from '../src/meeting/tiles';
import type { SlotLimit, SlotSource } from '../src/protocol/gen';
import { meeting, site } from './samples';

const YOU = 1;
const c = (site: number): VideoSource => ({ site, kind: 'camera' });
const asked = (changes: Partial<Asked> = {}): Asked => ({
  audioOnly: false,
  assignment: [null, c(2), c(3)],
  ...changes,
});

function state(videoSlots: (SlotSource | null)[], slotLimits: (SlotLimit | null)[] = []): MeetingState {
  const sites = [site(YOU), site(2), site(3), site(4, { camera: false }), site(5, { presence: 'lost' })];
  return { ...initialState, you: YOU, meeting: meeting(sites), videoSlots, slotLimits };
}

const HELD: SlotLimit = { shows: 'held', by: 'viewer' };

test('a slot that is held before its first frame has its reason in the tile it was asked for', () => {
  const held = state([], [null, HELD]);
  expect(tileModel(held, c(2), asked())).toMatchObject({ slot: -1, limit: HELD });
  expect(tileModel(held, c(3), asked())?.limit).toBeNull();
  expect(tileModel(held, c(2), asked({ assignment: [] }))?.limit).toBeNull();
});

test('once the server names the slot of a source, that one counts', () => {
  const moved = state([null, null, c(2)], [null, HELD]);
  expect(tileModel(moved, c(2), asked())).toMatchObject({ slot: 2, limit: null });
});

test('what a site sends itself is worth no word', () => {
  const limit: SlotLimit = { shows: 'lower', by: 'publisher' };
  expect(tileModel(state([null, c(2)], [null, limit]), c(2), asked())?.limit).toBeNull();
});

test('with audio only the others have no frame to wait for, and this site keeps its own', () => {
  const shown = state([null, c(2)]);
  const noFrame = (of: number, audioOnly: boolean) => tileModel(shown, c(of), asked({ audioOnly }))?.noFrame;
  expect([YOU, 2, 4, 5].map(of => noFrame(of, false))).toEqual([null, null, 'camera_off', null]);
  expect([YOU, 2, 4, 5].map(of => noFrame(of, true))).toEqual([
    null,
    'audio_only',
    'camera_off',
    'audio_only',
  ]);
});
