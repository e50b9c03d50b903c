import { AudioLines, Headphones } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useChoice } from '../../../hooks/devices';
import { useIsMixed } from '../../../hooks/meeting';
import { words } from '../../../i18n';
import './hearing.css';

/** Why there are no pictures here, or why voices sound a little worse, in one place; and the way back from a choice. */
export function Hearing() {
  const [audioOnly, chooseAudioOnly] = useChoice('audioOnly');
  const [asksForMix, askForMix] = useChoice('mixedSound');
  const mixed = useIsMixed();
  const t = words.value;
  return (
    <div class="hearing" role="status">
      {audioOnly ? (
        <p data-testid="audio-only">
          <Headphones aria-hidden="true" />
          <span>{t.audioOnlyNow}</span>
          <Undo testid="show-pictures" onClick={() => chooseAudioOnly(false)}>
            {t.showPictures}
          </Undo>
        </p>
      ) : null}
      {mixed ? (
        <p data-testid="mixed-sound">
          <AudioLines aria-hidden="true" />
          <span>{asksForMix ? t.mixedByChoice : t.mixedForLine}</span>
          {asksForMix ? (
            <Undo testid="separate-voices" onClick={() => askForMix(false)}>
              {t.separateVoices}
            </Undo>
          ) : null}
        </p>
      ) : null}
    </div>
  );
}

function Undo({ testid, onClick, children }: Readonly<UndoProps>) {
  return (
    <button type="button" class="button" data-testid={testid} onClick={onClick}>
      {children}
    </button>
  );
}

interface UndoProps {
  testid: string;
  onClick(): void;
  children: ComponentChildren;
}
