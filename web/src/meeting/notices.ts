import type { MeetingView, SiteId, SiteView } from '../protocol/gen';
import { type Notice, siteOf } from './state';

/** What changed between two states of the meeting that people should know. */
export function noticesOf(before: MeetingView | null, after: MeetingView, you: SiteId | null): Notice[] {
  if (before === null) return [];
  const notices: Notice[] = [];
  for (const site of after.sites) {
    const earlier = siteOf(before, site.id);
    if (earlier === null) continue;
    if (site.id === you) {
      notices.push(...ownNotices(earlier, site));
      continue;
    }
    // That a seat has moved is shown where something can be done about it.
    if (site.takeovers > earlier.takeovers && after.actions.includes('remove')) {
      notices.push({ kind: 'takenOver', site: site.name, atMs: site.taken_over_ms ?? 0 });
    }
    notices.push(...presenceNotices(earlier, site));
  }
  if (before.locked !== after.locked) notices.push({ kind: after.locked ? 'locked' : 'unlocked' });
  const shown = before.big_screen === after.big_screen ? null : siteOf(after, after.big_screen);
  if (shown !== null) notices.push({ kind: 'onBigScreen', site: shown.name });
  return notices;
}

function ownNotices(before: SiteView, after: SiteView): Notice[] {
  if (before.microphone === after.microphone) return [];
  if (after.microphone === 'muted_by_chair') return [{ kind: 'mutedByChair' }];
  return before.microphone === 'muted_by_chair' ? [{ kind: 'allowedToSpeak' }] : [];
}

function presenceNotices(before: SiteView, after: SiteView): Notice[] {
  if (before.presence === after.presence) return [];
  const site = after.name;
  switch (after.presence) {
    case 'lost':
      return [{ kind: 'lost', site, atMs: after.since_ms ?? 0 }];
    case 'removed':
      return [{ kind: 'removed', site }];
    case 'away':
      return [{ kind: 'left', site }];
    case 'joining':
      return [];
    case 'present':
      return after.reconnections > before.reconnections
        ? [{ kind: 'back', site, atMs: after.since_ms ?? 0 }]
        : [{ kind: 'joined', site }];
  }
}
