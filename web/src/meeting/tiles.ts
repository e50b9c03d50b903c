import type { SiteId, SiteView } from '../protocol/gen';
import type { View } from './pages';
import { hasTile, type MeetingState, siteOf } from './state';

/** One picture: a site's camera or what it presents. */
export interface Picture {
  site: SiteId;
  kind: 'camera' | 'content';
}

export type LayoutChoice = 'grid' | 'stage';

/** Which pictures there are: at most one large, the others in the order of the invitation. */
export interface Scene {
  stage: Picture | null;
  others: Picture[];
}

export const samePicture = (a: Picture | null, b: Picture | null) =>
  a !== null && b !== null && a.site === b.site && a.kind === b.kind;

export const pictureKey = (picture: Picture) => `${picture.site}-${picture.kind}`;

/**
 * Who is large: whom the chair has put there; else who presents; else, if this device wants one
 * large picture, whom it chose, who speaks, or the chair.
 */
export function sceneOf(state: MeetingState, choice: LayoutChoice, pinned: Picture | null): Scene {
  const sites = state.meeting?.sites.filter(hasTile) ?? [];
  const cameras = sites.map(site => ({ site: site.id, kind: 'camera' }) as Picture);
  const contents = sites
    .filter(site => site.content)
    .map(site => ({ site: site.id, kind: 'content' }) as Picture);
  const all = [...contents, ...cameras];
  const stage =
    chairsChoice(state, sites) ?? contents[0] ?? (choice === 'stage' ? ownChoice(state, all, pinned) : null);
  return { stage, others: all.filter(picture => !samePicture(picture, stage)) };
}

function chairsChoice(state: MeetingState, sites: SiteView[]): Picture | null {
  const site = siteOf(state.meeting, state.meeting?.big_screen ?? null);
  if (site === null || !sites.includes(site)) return null;
  return { site: site.id, kind: site.content ? 'content' : 'camera' };
}

function ownChoice(state: MeetingState, all: Picture[], pinned: Picture | null): Picture | null {
  const others = all.filter(picture => picture.site !== state.you);
  const speaker = state.recentSpeakers.find(site => others.some(picture => picture.site === site));
  return (
    all.find(picture => samePicture(picture, pinned)) ??
    others.find(picture => picture.site === speaker) ??
    others[0] ??
    null
  );
}

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
