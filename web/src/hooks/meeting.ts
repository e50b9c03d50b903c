import { sinceOf } from '../meeting/durations';
import { type SiteAction, siteActions } from '../meeting/siteActions';
import { siteOf } from '../meeting/state';
import { gradeOf } from '../meeting/tileModel';
import type { Action, ActionKind, SiteId, SiteView } from '../protocol/gen';
import { useSession } from './context';

/** The newest meeting from the server; null before the first. */
export const useMeeting = () => useSession().state.value.meeting;

/** What this site may do to the meeting, how, and whether the server is there to hear of it. */
export function useActs() {
  const session = useSession();
  return {
    may: (kind: ActionKind) => session.may(kind),
    reachable: session.progress.value.kind === 'online',
    act: (action: Action) => session.act(action),
  };
}

/** What may be done to a site just now. */
export function useSiteActions(site: SiteId): SiteAction[] {
  const { meeting, you, actions } = useSession().state.value;
  const view = siteOf(meeting, site);
  return view === null ? [] : siteActions(view, site === you, meeting?.big_screen === site, actions);
}

/** The line of a site that is there, and for how long each site has been as it is. */
export function useSiteStatus(site: SiteView) {
  const { state, clocks } = useSession();
  const { links, durations } = state.value;
  const link = links.get(site.id);
  const now = clocks.steady.value;
  return {
    link,
    grade: site.presence === 'present' ? gradeOf(site, link) : null,
    forMs: now - (sinceOf(durations, site) ?? now),
  };
}

export const useNotices = () => useSession().notices.shown.value;

/** All voices come as one mix. */
export const useIsMixed = (): boolean => useSession().state.value.mixed;

/** Milliseconds since 1970, for people who look at the time. */
export const useWallClock = (): number => useSession().clocks.wall.value;

/** How long ago something happened, on the page's own clock; 0 where that is not known. */
export function useMsSince(sinceMs: number | null): number {
  const now = useSession().clocks.steady.value;
  return now - (sinceMs ?? now);
}
