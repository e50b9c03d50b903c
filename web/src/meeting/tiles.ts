import type { SiteId, SiteView } from '../protocol/gen';
import { hasTile, type MeetingState, siteOf } from './state';

/** What one tile shows: a site's camera or what it presents. */
export interface VideoSource {
  site: SiteId;
  kind: 'camera' | 'content';
}

/** `auto` is a grid in which a site that presents is large. */
export type LayoutChoice = 'auto' | 'grid' | 'stage';

/** Which sources there are: at most one large, the others in the order of the invitation. */
export interface Scene {
  stage: VideoSource | null;
  others: VideoSource[];
}

export const sameSource = (a: VideoSource | null, b: VideoSource | null) =>
  a !== null && b !== null && a.site === b.site && a.kind === b.kind;

export const sourceKey = (source: VideoSource) => `${source.site}-${source.kind}`;

/**
 * The large source: the site the chair has put there; else, in `stage`, the one this device chose; else the one that
 * presents, but not in `grid`; else, in `stage`, the speaker, or the chair.
 */
export function sceneOf(state: MeetingState, choice: LayoutChoice, pinned: VideoSource | null): Scene {
  const sites = state.meeting?.sites.filter(hasTile) ?? [];
  const cameras = sites.map(site => ({ site: site.id, kind: 'camera' }) as VideoSource);
  const contents = contentsOf(state);
  const all = [...contents, ...cameras];
  const stage = chairsChoice(state, sites) ?? ownChoice(state, choice, all, pinned);
  return { stage, others: all.filter(source => !sameSource(source, stage)) };
}

/** What is presented just now. */
export function contentsOf(state: MeetingState): VideoSource[] {
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

function chairsChoice(state: MeetingState, sites: SiteView[]): VideoSource | null {
  const site = siteOf(state.meeting, state.meeting?.big_screen ?? null);
  if (site === null || !sites.includes(site)) return null;
  return { site: site.id, kind: site.content ? 'content' : 'camera' };
}

function ownChoice(
  state: MeetingState,
  choice: LayoutChoice,
  all: VideoSource[],
  pinned: VideoSource | null,
): VideoSource | null {
  const content = all.find(source => source.kind === 'content') ?? null;
  if (choice !== 'stage') return choice === 'auto' ? content : null;
  const others = all.filter(source => source.site !== state.you);
  const speaker = state.recentSpeakers.find(site => others.some(source => source.site === site));
  return (
    all.find(source => sameSource(source, pinned)) ??
    content ??
    others.find(source => source.site === speaker) ??
    others[0] ??
    null
  );
}
