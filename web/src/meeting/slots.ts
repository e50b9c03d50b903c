import type { SlotSource, SlotWish } from '../protocol/gen';
import type { View } from './pages';
import type { MeetingState } from './state';
import { type Picture, pictureKey, samePicture } from './tiles';

/** Pictures of others on view in the order in which slots are given to them. */
export function byPriority(state: MeetingState, view: Pick<View, 'stage' | 'others'>): Picture[] {
  const rank = (picture: Picture) => {
    if (picture.kind === 'content') return -1;
    const spoke = state.recentSpeakers.indexOf(picture.site);
    return spoke >= 0 ? spoke : state.recentSpeakers.length;
  };
  const others = view.others
    .filter((picture): picture is Picture => picture !== null && picture.site !== state.you)
    .map((picture, order) => ({ picture, order }))
    .sort((a, b) => rank(a.picture) - rank(b.picture) || a.order - b.order)
    .map(({ picture }) => picture);
  const stage = view.stage !== null && view.stage.site !== state.you ? [view.stage] : [];
  return [...stage, ...others];
}

export type Assignment = (Picture | null)[];

/**
 * Gives pictures to slots. A picture keeps its slot for as long as it is wanted, because moving it
 * costs a key frame. `forced` is what the chair has put on the big screen: the server shows it in
 * slot 0, so it is placed there.
 */
export function assignSlots(
  before: Assignment,
  wanted: Picture[],
  capacity: number,
  forced: Picture | null,
): Assignment {
  const admitted = wanted.slice(0, capacity);
  const isWanted = (picture: Picture | null) => admitted.some(one => samePicture(one, picture));
  const after: Assignment = Array.from({ length: capacity }, (_, slot) => {
    const held = before[slot] ?? null;
    return isWanted(held) && !samePicture(held, forced) ? held : null;
  });
  if (forced !== null && capacity > 0) after[0] = forced;
  for (const picture of admitted) {
    if (after.some(one => samePicture(one, picture))) continue;
    const free = lastResortFirst(after);
    if (free >= 0) after[free] = picture;
  }
  return after;
}

/** A free slot, slot 0 only when there is no other: the chair's choice would push its picture out. */
function lastResortFirst(slots: Assignment): number {
  const free = slots.findIndex((held, slot) => slot > 0 && held === null);
  return free >= 0 ? free : slots[0] === null ? 0 : -1;
}

/** No camera sends more, and no screen of a hall shows it. */
const TALLEST = 2160;
/** Of a picture that has no place on the screen just now. */
const UNSEEN = 180;

/** What the own line is known to carry. */
export type Line = 'poor' | 'not_known_to_be_poor';

/**
 * The tallest picture worth sending to a tile of so many pixels. The server takes the best layer that is not
 * taller, and a layer is half of the next: of two of them the one that fills the tile lies below twice its
 * height. On a poor line a picture that is a little blurred and moves is worth more.
 */
export function worthSending(tile: number, line: Line): number {
  return Math.min(TALLEST, line === 'poor' ? tile : 2 * tile - 1);
}

export function wishesOf(
  assignment: Assignment,
  heights: ReadonlyMap<string, number>,
  line: Line,
): (SlotWish | null)[] {
  return assignment.map(picture => {
    if (picture === null) return null;
    const tile = heights.get(pictureKey(picture)) ?? UNSEEN;
    return { site: picture.site, kind: picture.kind, max_height: worthSending(tile, line) };
  });
}

/** The slot that carries a picture just now, as the server says; -1 when none does. */
export function slotShowing(slots: (SlotSource | null)[], picture: Picture): number {
  return slots.findIndex(source => source?.site === picture.site && source.kind === picture.kind);
}
