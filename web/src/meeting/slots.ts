import type { SlotSource, SlotWish } from '../protocol/gen';
import type { View } from './pages';
import type { MeetingState } from './state';
import { sameSource, sourceKey, type VideoSource } from './tiles';

/** Sources of others on view in the order in which slots are given to them. */
export function byPriority(state: MeetingState, view: Pick<View, 'stage' | 'others'>): VideoSource[] {
  const rank = (source: VideoSource) => {
    if (source.kind === 'content') return -1;
    const spoke = state.recentSpeakers.indexOf(source.site);
    return spoke >= 0 ? spoke : state.recentSpeakers.length;
  };
  const others = view.others
    .filter((source): source is VideoSource => source !== null && source.site !== state.you)
    .map((source, order) => ({ source, order }))
    .sort((a, b) => rank(a.source) - rank(b.source) || a.order - b.order)
    .map(({ source }) => source);
  const stage = view.stage !== null && view.stage.site !== state.you ? [view.stage] : [];
  return [...stage, ...others];
}

export type Assignment = (VideoSource | null)[];

/**
 * Gives sources to slots. A source keeps its slot for as long as it is wanted, because moving it
 * costs a key frame. `forced` is what the chair has put on the big screen: the server shows it in
 * slot 0, so it is placed there.
 */
export function assignSlots(
  before: Assignment,
  wanted: VideoSource[],
  capacity: number,
  forced: VideoSource | null,
): Assignment {
  const admitted = wanted.slice(0, capacity);
  const isWanted = (source: VideoSource | null) => admitted.some(one => sameSource(one, source));
  const after: Assignment = Array.from({ length: capacity }, (_, slot) => {
    const held = before[slot] ?? null;
    return isWanted(held) && !sameSource(held, forced) ? held : null;
  });
  if (forced !== null && capacity > 0) after[0] = forced;
  for (const source of admitted) {
    if (after.some(one => sameSource(one, source))) continue;
    const free = lastResortFirst(after);
    if (free >= 0) after[free] = source;
  }
  return after;
}

/** A free slot, slot 0 only when there is no other: the chair's choice would push its source out. */
function lastResortFirst(slots: Assignment): number {
  const free = slots.findIndex((held, slot) => slot > 0 && held === null);
  return free >= 0 ? free : slots[0] === null ? 0 : -1;
}

/** No camera sends more, and no screen of a room shows it. */
const TALLEST = 2160;
/** Of a source that has no place on the screen just now. */
const UNSEEN = 180;

/** What the own line is known to carry. */
export type Line = 'poor' | 'not_known_to_be_poor';

/**
 * The tallest frame worth sending to a tile of so many pixels. The server takes the best layer that is not
 * taller, and a layer is half of the next: of two of them the one that fills the tile lies below twice its
 * height. On a poor line video that is a little blurred and moves is worth more.
 */
export function worthSending(tile: number, line: Line): number {
  return Math.min(TALLEST, line === 'poor' ? tile : 2 * tile - 1);
}

export function wishesOf(
  assignment: Assignment,
  heights: ReadonlyMap<string, number>,
  line: Line,
): (SlotWish | null)[] {
  return assignment.map(source => {
    if (source === null) return null;
    const tile = heights.get(sourceKey(source)) ?? UNSEEN;
    // A page that is blurred cannot be read: the server knows what the line carries.
    const max_height = worthSending(tile, source.kind === 'content' ? 'not_known_to_be_poor' : line);
    return { site: source.site, kind: source.kind, max_height };
  });
}

/** The slot that carries a source just now, by the server's report; -1 when none does. */
export function slotShowing(slots: (SlotSource | null)[], source: VideoSource): number {
  return slots.findIndex(shown => shown?.site === source.site && shown.kind === source.kind);
}
