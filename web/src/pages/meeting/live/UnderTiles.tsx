import { ChevronLeft, ChevronRight } from 'lucide-preact';
import { useMeeting } from '../../../hooks/meeting';
import { usePages } from '../../../hooks/screen';
import { words } from '../../../i18n';
import type { Panel } from '../dialogs/OpenPanel';
import './underTiles.css';

/** Invited and not here: one line, so that the space is for those who are here. */
function Absent({ open }: { open(panel: Panel): void }) {
  const sites = useMeeting()?.sites.filter(site => site.presence === 'away') ?? [];
  if (sites.length === 0) return null;
  return (
    <button type="button" class="absent" data-testid="absent" onClick={() => open('sites')}>
      <strong>{words.value.notHere(sites.length)}</strong>
      <span class="absent-names">{sites.map(site => site.name).join(' · ')}</span>
    </button>
  );
}

/** Turns the pages of the grid; there only when one page does not hold all sites. */
function Pager() {
  const { page, pages, turn } = usePages();
  const t = words.value;
  if (pages === 1) return null;
  return (
    <nav class="pager" aria-label={t.pages} data-testid="pager">
      <button
        type="button"
        class="button icon"
        aria-label={t.pagePrevious}
        aria-keyshortcuts="ArrowLeft"
        title={`${t.pagePrevious} (←)`}
        data-testid="page-previous"
        onClick={() => turn(-1)}
      >
        <ChevronLeft aria-hidden="true" />
      </button>
      <span aria-live="polite" data-testid="page">
        {t.page(page + 1, pages)}
      </span>
      <button
        type="button"
        class="button icon"
        aria-label={t.pageNext}
        aria-keyshortcuts="ArrowRight"
        title={`${t.pageNext} (→)`}
        data-testid="page-next"
        onClick={() => turn(1)}
      >
        <ChevronRight aria-hidden="true" />
      </button>
    </nav>
  );
}

/** What is not on view: absent sites, and the other pages. */
export function UnderTiles({ open }: { open(panel: Panel): void }) {
  return (
    <div class="under-tiles">
      <Absent open={open} />
      <Pager />
    </div>
  );
}
