import { useState } from 'preact/hooks';
import { useActs, useMeeting, useSiteStatus } from '../../../hooks/meeting';
import { words } from '../../../i18n';
import { clock, elapsed } from '../../../i18n/format';
import { passes, type SiteFilter, searchSites } from '../../../meeting/search';
import type { SiteView } from '../../../protocol/gen';
import { Dialog } from '../../../ui/Dialog';
import { LinkLight } from '../../../ui/LinkLight';
import { SiteButtons } from './SiteButtons';
import './sitesPanel.css';

/** Below this a list is taken in at a glance. */
const WORTH_SEARCHING = 8;
const FILTERS: SiteFilter[] = ['all', 'present', 'lost', 'away'];

function presenceText(site: SiteView, forMs: number): string {
  const t = words.value;
  switch (site.presence) {
    case 'away':
      return t.stateAway;
    case 'joining':
      return t.stateJoining;
    case 'present':
      return t.statePresent;
    case 'lost':
      return t.stateLost(elapsed(forMs));
    case 'removed':
      return t.stateRemoved;
  }
}

/** Shown where something can be done about it: another device has the seat than at first. */
function Takeovers({ site }: { site: SiteView }) {
  const { may } = useActs();
  if (site.takeovers === 0 || !may('remove')) return null;
  return (
    <p class="hint moved" data-testid="takeovers">
      {words.value.moved(site.takeovers, clock(site.taken_over_ms ?? 0))}
    </p>
  );
}

function Row({ site }: { site: SiteView }) {
  const { link, grade, forMs } = useSiteStatus(site);
  const t = words.value;
  return (
    <li class="site-row" data-site={site.id} data-presence={site.presence}>
      <div class="site-row-info">
        <div class="site-row-head">
          <strong>{site.name}</strong>
          {site.role === 'chair' ? <span class="badge gold">{t.chair}</span> : null}
          <span class="spring" />
          {grade !== null && link !== undefined ? (
            <LinkLight grade={grade} lossPercent={link.loss_percent} rttMs={link.rtt_ms} />
          ) : null}
        </div>
        <p class="hint">
          {presenceText(site, forMs)}
          {site.presence === 'present' ? ` · ${t.microphoneState[site.microphone]}` : ''}
        </p>
        <Takeovers site={site} />
      </div>
      <div class="site-row-actions">
        <SiteButtons site={site.id} name={site.name} done={() => undefined} />
      </div>
    </li>
  );
}

interface SearchProps {
  sites: SiteView[];
  filter: SiteFilter;
  setFilter(filter: SiteFilter): void;
  setQuery(query: string): void;
}

function Search({ sites, filter, setFilter, setQuery }: SearchProps) {
  const t = words.value;
  return (
    <search class="site-search">
      <input
        class="field-box"
        type="search"
        aria-label={t.searchSites}
        placeholder={t.searchSites}
        data-testid="search-sites"
        onInput={event => setQuery(event.currentTarget.value)}
      />
      <fieldset class="chips">
        <legend class="sr-only">{t.filterSites}</legend>
        {FILTERS.map(one => (
          <label key={one} class="chip">
            <input type="radio" name="filter" checked={one === filter} onChange={() => setFilter(one)} />
            <span>{t.siteFilter[one](sites.filter(site => passes(site, one)).length)}</span>
          </label>
        ))}
      </fieldset>
    </search>
  );
}

/** Every invited site with its state and, where it is permitted, what can be done to it. */
export function SitesPanel({ onClose }: { onClose(): void }) {
  const sites = useMeeting()?.sites ?? [];
  const [filter, setFilter] = useState<SiteFilter>('all');
  const [query, setQuery] = useState('');
  const t = words.value;
  const found = searchSites(sites, filter, query);
  return (
    <Dialog title={t.sites} side testid="sites-panel" onClose={onClose}>
      {sites.length < WORTH_SEARCHING ? null : (
        <Search sites={sites} filter={filter} setFilter={setFilter} setQuery={setQuery} />
      )}
      <ul class="site-list">
        {found.map(site => (
          <Row key={site.id} site={site} />
        ))}
      </ul>
      <p role="status" class="hint">
        {found.length === 0 ? t.noSiteFound : ''}
      </p>
    </Dialog>
  );
}
