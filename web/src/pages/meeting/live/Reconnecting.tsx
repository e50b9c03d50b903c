import { useMediaUp, useProgress } from '../../../hooks/visit';
import { words } from '../../../i18n';
import { comingWord } from '../../../meeting/banner';
import { troubleWord } from '../../../meeting/refusal';
import './reconnecting.css';

/** What has failed once may have been the line for a moment; what fails again has a sentence. */
const WORTH_A_SENTENCE = 2;

/** The attempts are for the eye; a screen reader says once that the line is down, and why. */
export function Reconnecting() {
  const progress = useProgress();
  const mediaUp = useMediaUp();
  const t = words.value;
  const word = progress.kind === 'online' ? null : troubleWord(progress.trouble);
  return (
    <div role="status">
      {progress.kind === 'online' ? null : (
        <p class="reconnecting" data-testid="reconnecting" data-progress={progress.kind}>
          {t[comingWord(progress.kind, mediaUp)]}
          {progress.attempt > 0 ? <span aria-hidden="true"> {t.attempt(progress.attempt)}</span> : null}
          {word !== null && progress.attempt >= WORTH_A_SENTENCE ? <small>{t.trouble[word]}</small> : null}
        </p>
      )}
    </div>
  );
}
