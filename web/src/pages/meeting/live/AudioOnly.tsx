import { Headphones } from 'lucide-preact';
import { useChoice } from '../../../hooks/devices';
import { words } from '../../../i18n';
import './audioOnly.css';

/** Why there are no pictures here, in one place, and the way back. */
export function AudioOnly() {
  const [on, choose] = useChoice('audioOnly');
  const t = words.value;
  return (
    <div class="audio-only" role="status">
      {on ? (
        <>
          <Headphones aria-hidden="true" />
          <p data-testid="audio-only">{t.audioOnlyNow}</p>
          <button type="button" class="button" data-testid="show-pictures" onClick={() => choose(false)}>
            {t.showPictures}
          </button>
        </>
      ) : null}
    </div>
  );
}
