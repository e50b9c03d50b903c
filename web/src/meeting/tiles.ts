import type { SiteId, SiteView } from '../protocol/gen';
import { hasTile, type MeetingState, siteOf } from './state';

/** One picture: a site's camera or what it presents. */
export interface Picture {
  site: SiteId;
  kind: 'camera' | 'content';
}

/** `auto` is a grid in which whoever presents is large. */
export type LayoutChoice = 'auto' | 'grid' | 'stage';

/** Which pictures there are: at most one large, the others in the order of the invitation. */
export interface Scene {
  stage: Picture | null;
  others: Picture[];
}

export const samePicture = (a: Picture | null, b: Picture | null) =>
  a !== null && b !== null && a.site === b.site && a.kind === b.kind;

export const pictureKey = (picture: Picture) => `${picture.site}-${picture.kind}`;

/**
 * Who is large: whom the chair has put there; else, in `stage`, whom this device chose; else who presents, but in
 * `grid`; else, in `stage`, who speaks, or the chair.
 */
export function sceneOf(state: MeetingState, choice: LayoutChoice, pinned: Picture | null): Scene {
  const sites = state.meeting?.sites.filter(hasTile) ?? [];
  const cameras = sites.map(site => ({ site: site.id, kind: 'camera' }) as Picture);
  const contents = contentsOf(state);
  const all = [...contents, ...cameras];
  const stage = chairsChoice(state, sites) ?? ownChoice(state, choice, all, pinned);
  return { stage, others: all.filter(picture => !samePicture(picture, stage)) };
}

/** What is presented just now. */
export function contentsOf(state: MeetingState): Picture[] {
  const sites = state.meeting?.sites.filter(site => hasTile(site) && site.content) ?? [];
  return sites.map(site => ({ site: site.id, kind: 'content' }));
}

/** The layout that this device may change to; null where that would change nothing, as under the chair’s choice. */
export function otherLayout(state: MeetingState, scene: Scene): 'grid' | 'stage' | null {
  const sites = state.meeting?.sites.filter(hasTile) ?? [];
  if (scene.others.length === 0 || chairsChoice(state, sites) !== null) return null;
  if (scene.stage !== null) return 'grid';
  return ownChoice(state, 'stage', scene.others, null) === null ? null : 'stage';
}

function chairsChoice(state: MeetingState, sites: SiteView[]): Picture | null {
  const site = siteOf(state.meeting, state.meeting?.big_screen ?? null);
  if (site === null || !sites.includes(site)) return null;
  return { site: site.id, kind: site.content ? 'content' : 'camera' };
}

function ownChoice(
  state: MeetingState,
  choice: LayoutChoice,
  all: Picture[],
  pinned: Picture | null,
): Picture | null {
  const content = all.find(picture => picture.kind === 'content') ?? null;
  if (choice !== 'stage') return choice === 'auto' ? content : null;
  const others = all.filter(picture => picture.site !== state.you);
  const speaker = state.recentSpeakers.find(site => others.some(picture => picture.site === site));
  return (
    all.find(picture => samePicture(picture, pinned)) ??
    content ??
    others.find(picture => picture.site === speaker) ??
    others[0] ??
    null
  );
}
