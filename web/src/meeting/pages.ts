import type { MeetingState } from './state';
import { type Scene, sameSource, type VideoSource } from './tiles';

/** What of a scene is on view: one page of it. `null` is a place that is kept free. */
export interface View {
  stage: VideoSource | null;
  others: (VideoSource | null)[];
  /** From 0. */
  page: number;
  pages: number;
}

/**
 * A page of the scene where no more than `places` sources fit beside the large one. Every page of several keeps its
 * last place for a speaker from another page: the speaker comes into view, and no other tile moves.
 */
export function viewOf(scene: Scene, places: number, page: number): View {
  const { stage, others } = scene;
  if (others.length <= places) return { stage, others, page: 0, pages: 1 };
  const pages = Math.ceil(others.length / Math.max(1, places - 1));
  const size = Math.ceil(others.length / pages);
  const at = Math.max(0, Math.min(page, pages - 1));
  const shown = Array.from({ length: size }, (_, place) => others[at * size + place] ?? null);
  return { stage, others: [...shown, null], page: at, pages };
}

/**
 * The speaker from another page. `before` stays for as long as it speaks, so that two that talk at once do not change
 * places all the time.
 */
export function guestOf(state: MeetingState, scene: Scene, view: View, before: VideoSource | null) {
  if (view.pages === 1) return null;
  const onView = (source: VideoSource) => [view.stage, ...view.others].some(one => sameSource(one, source));
  const elsewhere = scene.others.filter(
    source => source.kind === 'camera' && source.site !== state.you && !onView(source),
  );
  const stays = elsewhere.find(source => sameSource(source, before) && state.speakers.includes(source.site));
  const newest = state.recentSpeakers.flatMap(site => elsewhere.find(source => source.site === site) ?? []);
  return stays ?? newest[0] ?? null;
}

/** The view with a guest in its last place. */
export function withGuest(view: View, guest: VideoSource | null): View {
  return guest === null ? view : { ...view, others: [...view.others.slice(0, -1), guest] };
}
