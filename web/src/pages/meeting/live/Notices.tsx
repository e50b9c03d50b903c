import { useNotices } from '../../../hooks/meeting';
import { words } from '../../../i18n';
import { clock, clockWithSeconds } from '../../../i18n/format';
import type { Notice } from '../../../meeting/state';
import './notices.css';

function textOf(notice: Notice): string {
  const t = words.value;
  switch (notice.kind) {
    case 'lost':
    case 'back':
    case 'takenOver':
      return t.notice[notice.kind](notice.site, clock(notice.atMs));
    case 'joined':
    case 'left':
    case 'removed':
    case 'onBigScreen':
      return t.notice[notice.kind](notice.site);
    case 'restored':
      return t.restored(clockWithSeconds(notice.atMs));
    case 'actionRefused':
    case 'shareFailed':
    case 'filmSilent':
    case 'draining':
    case 'mediaStalled':
    case 'screenMaySleep':
      return t[notice.kind];
    default:
      return t.notice[notice.kind];
  }
}

/** Read aloud when they come, gone by themselves. */
export function Notices() {
  return (
    <div class="notices" role="log" aria-live="polite" data-testid="notices">
      {useNotices().map(({ id, notice }) => (
        <p key={id} class="notice" data-notice={notice.kind}>
          {textOf(notice)}
        </p>
      ))}
    </div>
  );
}
