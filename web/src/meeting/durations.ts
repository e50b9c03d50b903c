import type { SiteId, SiteView } from '../protocol/gen';

/**
 * Since when each site is as it is, on a clock that is never set. The server gives times of its own wall clock; that is
 * used only for what happened before this page received anything.
 */
export interface Durations {
  /** Own clock minus the server's, milliseconds; null until a connection's first meeting. */
  skewMs: number | null;
  /** Own clock at that meeting. */
  begunMs: number;
  changes: ReadonlyMap<SiteId, Change>;
}

interface Change {
  /** The server's time; another number is another change. */
  sinceMs: number;
  /** Own clock; null where it was not seen to happen. */
  atMs: number | null;
}

export const noDurations: Durations = { skewMs: null, begunMs: 0, changes: new Map() };

/** So long after a connection's first meeting its own arrival is the newest change, and gives the skew. */
const SETTLING_MS = 10_000;

/** `nowMs` is a clock that only goes forward. */
export function follow(before: Durations, sites: SiteView[], nowMs: number): Durations {
  const told = sites.filter((site): site is SiteView & { since_ms: number } => site.since_ms !== null);
  if (told.length === 0) return before;
  const first = before.skewMs === null;
  const isNew = (site: SiteView) => before.changes.get(site.id)?.sinceMs !== site.since_ms;
  const change = (site: { since_ms: number }): Change => ({
    sinceMs: site.since_ms,
    atMs: first ? null : nowMs,
  });
  const changes = new Map(
    told.map(site => [site.id, isNew(site) ? change(site) : (before.changes.get(site.id) ?? change(site))]),
  );
  // The newest change happened before we read of it: the smallest difference is closest.
  const newest = Math.max(...(first ? told : told.filter(isNew)).map(site => site.since_ms));
  const begunMs = first ? nowMs : before.begunMs;
  const known = before.skewMs ?? Number.POSITIVE_INFINITY;
  const skewMs = nowMs - begunMs < SETTLING_MS ? Math.min(known, nowMs - newest) : known;
  return { skewMs, begunMs, changes };
}

/** After a gap the first meeting repeats what was not seen to happen. */
export function afterGap(before: Durations): Durations {
  const seen = [...before.changes].map(
    ([site, { sinceMs }]) => [site, { sinceMs, atMs: atOf(before, site) }] as const,
  );
  return { ...noDurations, changes: new Map(seen) };
}

/** On the own clock; null when nothing has happened yet. */
export const sinceOf = (durations: Durations, site: SiteView): number | null =>
  site.since_ms === null ? null : atOf(durations, site.id);

function atOf({ changes, skewMs }: Durations, site: SiteId): number | null {
  const change = changes.get(site);
  if (change === undefined) return null;
  return change.atMs ?? (skewMs === null ? null : change.sinceMs + skewMs);
}
