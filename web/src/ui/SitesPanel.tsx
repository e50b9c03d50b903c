import { words } from '../i18n';
import { elapsed } from '../meeting/time';
import type { SiteView } from '../protocol/gen';
import { useSession } from './context';
import { Dialog } from './Dialog';
import { LinkLight } from './LinkLight';
import { SiteButtons } from './TileMenu';

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

function Row({ site }: { site: SiteView }) {
  const { state, now } = useSession();
  const t = words.value;
  const link = state.value.links.get(site.id);
  const since = (site.since_ms ?? 0) + (state.value.skewMs ?? 0);
  return (
    <li class="site-row" data-site={site.id} data-presence={site.presence}>
      <div class="site-row-head">
        <strong>{site.name}</strong>
        {site.role === 'chair' ? <span class="badge gold">{t.chair}</span> : null}
        <span class="spring" />
        {site.presence === 'present' && link !== undefined ? (
          <LinkLight grade={link.grade} lossPercent={link.up.loss_percent} rttMs={link.rtt_ms} />
        ) : null}
      </div>
      <p class="hint">
        {presenceText(site, now.value - since)}
        {site.presence === 'present' ? ` · ${t.microphoneState[site.microphone]}` : ''}
      </p>
      <div class="site-row-actions">
        <SiteButtons site={site.id} name={site.name} done={() => undefined} />
      </div>
    </li>
  );
}

/** Every invited site with its state and, for whoever may, what can be done to it. */
export function SitesPanel({ onClose }: { onClose(): void }) {
  const sites = useSession().state.value.meeting?.sites ?? [];
  return (
    <Dialog title={words.value.sites} side testid="sites-panel" onClose={onClose}>
      <ul class="site-list">
        {sites.map(site => (
          <Row key={site.id} site={site} />
        ))}
      </ul>
    </Dialog>
  );
}
