import { useEnding, useJoin } from '../../../hooks/visit';
import { words } from '../../../i18n';
import { refusalPage } from '../../../meeting/refusal';
import type { Ending } from '../../../meeting/state';
import { LanguageSwitch } from '../../../ui/LanguageSwitch';
import { Mark } from '../../../ui/Mark';

type Step = 'again' | 'retry' | 'takeover' | 'reload';

const pageOf = (ending: Ending) => (ending.kind === 'refused' ? refusalPage(ending.code) : ending.kind);

/** The one thing to do next; none where nothing helps. */
function stepOf(page: ReturnType<typeof pageOf>): Step | null {
  switch (page) {
    case 'ended':
    case 'no_link':
    case 'unsupported':
      return null;
    case 'left':
      return 'again';
    case 'seat_taken':
    case 'taken_over':
      return 'takeover';
    case 'version':
      return 'reload';
    default:
      return 'retry';
  }
}

export function Ended() {
  const join = useJoin();
  const page = pageOf(useEnding());
  const t = words.value;
  const step = stepOf(page);
  const { title, text } = t.ending[page];
  const go = () => (step === 'reload' ? location.reload() : join(step === 'takeover'));
  return (
    <div class="cover ended" data-testid="ended" data-ending={page}>
      <header class="cover-head">
        <Mark />
        <LanguageSwitch />
      </header>
      <main>
        <h1>{title}</h1>
        <p>{text}</p>
        {step === null ? null : (
          <button type="button" class="button primary huge" data-testid="next-step" onClick={go}>
            {t.endingStep[step]}
          </button>
        )}
      </main>
      <footer class="cover-foot">{t.secrecy}</footer>
    </div>
  );
}
