import { useSession } from '../../../hooks/context';
import { words } from '../../../i18n';
import { troubleWord } from '../../../meeting/refusal';
import './reconnecting.css';

/** What has failed once may have been the line for a moment; what fails again has a sentence. */
const WORTH_A_SENTENCE = 2;

/** The attempts are for the eye; a screen reader says once that the line is down, and why. */
export function Reconnecting() {
  const { value } = useSession().progress;
  const t = words.value;
  const word = value.kind === 'online' ? null : troubleWord(value.trouble);
  return (
    <div role="status">
      {value.kind === 'online' ? null : (
        <p class="reconnecting" data-testid="reconnecting" data-progress={value.kind}>
          {value.kind === 'connecting' ? t.connecting : t.reconnecting}
          {value.attempt > 0 ? <span aria-hidden="true"> {t.attempt(value.attempt)}</span> : null}
          {word !== null && value.attempt >= WORTH_A_SENTENCE ? <small>{t.trouble[word]}</small> : null}
        </p>
      )}
    </div>
  );
}
