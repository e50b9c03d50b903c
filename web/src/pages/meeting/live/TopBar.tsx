import { Keyboard, Lock, Users } from 'lucide-preact';
import { useMeeting, useWallClock } from '../../../hooks/meeting';
import { words } from '../../../i18n';
import { clock, date } from '../../../i18n/format';
import { countPresent } from '../../../meeting/state';
import { LanguageSwitch } from '../../../ui/LanguageSwitch';
import { Mark } from '../../../ui/Mark';
import type { Panel } from '../dialogs/OpenPanel';
import './topBar.css';

export function TopBar({ open }: { open(panel: Panel): void }) {
  const meeting = useMeeting();
  const now = useWallClock();
  const t = words.value;
  const count = meeting === null ? null : countPresent(meeting);
  return (
    <header class="top-bar">
      <Mark />
      <h1 data-testid="title">{meeting?.title ?? t.connecting}</h1>
      {meeting?.locked ? (
        <span class="badge gold" data-testid="locked" title={t.locked}>
          <Lock aria-hidden="true" />
          <span class="words">{t.locked}</span>
        </span>
      ) : null}
      {count === null ? null : (
        <button type="button" class="button quiet" data-testid="sites" onClick={() => open('sites')}>
          <Users aria-hidden="true" />
          <span>
            {`${count.present}/${count.all} `}
            <span class="not-small">{t.sitesPresent}</span>
          </span>
        </button>
      )}
      <button
        type="button"
        class="button quiet icon"
        data-testid="help"
        aria-label={t.help}
        aria-keyshortcuts="?"
        title={`${t.help} (?)`}
        onClick={() => open('help')}
      >
        <Keyboard aria-hidden="true" />
      </button>
      <LanguageSwitch />
      <time class="clock">
        <span class="clock-date">{date(now)}</span>
        {clock(now)}
      </time>
    </header>
  );
}
