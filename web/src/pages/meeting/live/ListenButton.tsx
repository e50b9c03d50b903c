import { Volume2 } from 'lucide-preact';
import { useSession } from '../../../hooks/context';
import { words } from '../../../i18n';
import './listenButton.css';

/** Where the browser plays nothing before a click. */
export function ListenButton() {
  const session = useSession();
  const t = words.value;
  if (!session.soundBlocked.value) return null;
  return (
    <button type="button" class="listen" data-testid="listen" onClick={() => session.listen()}>
      <Volume2 aria-hidden="true" />
      <strong>{t.tapToListen}</strong>
      <small>{t.tapToListenHint}</small>
    </button>
  );
}
