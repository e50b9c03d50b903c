import type { SiteView } from '../protocol/gen';

/** Which sites a list shows. */
export type SiteFilter = 'all' | 'present' | 'lost' | 'away';

/** Without marks and capitals, so that `an phuoc` finds An Phước. */
function plain(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll('đ', 'd').trim();
}

export const passes = (site: SiteView, filter: SiteFilter): boolean =>
  filter === 'all' ||
  site.presence === filter ||
  (filter === 'present' && site.presence === 'joining') ||
  (filter === 'away' && site.presence === 'removed');

export function searchSites(sites: SiteView[], filter: SiteFilter, query: string): SiteView[] {
  const wanted = plain(query);
  return sites.filter(site => passes(site, filter) && plain(site.name).includes(wanted));
}
