import { Volume2 } from 'lucide-preact';
import { useHearing } from '../../../hooks/devices';
import { words } from '../../../i18n';
import './listenButton.css';

/** Where the browser plays nothing before a click. */
export function ListenButton() {
  const { blocked, listen } = useHearing();
  const t = words.value;
  if (!blocked) return null;
  return (
    <button type="button" class="listen" data-testid="listen" onClick={listen}>
      <Volume2 aria-hidden="true" />
      <strong>{t.tapToListen}</strong>
      <small>{t.tapToListenHint}</small>
    </button>
  );
}
