import { words } from '../i18n';
import './cover.css';

/** The page itself has failed; it needs no session to show that. */
export function Failed() {
  const t = words.value;
  return (
    <div class="cover ended" data-testid="failed">
      <main>
        <h1>{t.failed.title}</h1>
        <p>{t.failed.text}</p>
        <button type="button" class="button primary huge" onClick={() => location.reload()}>
          {t.endingStep.reload}
        </button>
      </main>
    </div>
  );
}
