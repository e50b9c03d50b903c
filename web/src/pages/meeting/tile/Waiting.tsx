import { useLasting } from '../../../hooks/lasting';
import { words } from '../../../i18n';
import type { TileLimit } from '../../../meeting/tileModel';

/** A picture that is only just coming needs no reason. */
const LASTS_MS = 2000;

/** That a picture is to come, and what keeps it back. */
export function Waiting({ limit }: { limit: TileLimit | null }) {
  const t = words.value;
  const by = useLasting(limit?.shows === 'held' ? limit.by : null, LASTS_MS);
  if (by === null) return <p class="tile-state">{t.waitingFrame}</p>;
  return (
    <p class="tile-state because" data-testid="waiting" data-by={by}>
      <span>{t.waitingBecause}</span>
      {t.lessBecause[by]}
    </p>
  );
}
