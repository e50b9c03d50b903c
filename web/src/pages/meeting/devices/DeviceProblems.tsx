import { X } from 'lucide-preact';
import { type ShownProblem, useDeviceProblems } from '../../../hooks/devices';
import { words } from '../../../i18n';
import './deviceProblems.css';

interface ProblemProps {
  shown: ShownProblem;
  closable: boolean;
}

function Problem({ shown, closable }: ProblemProps) {
  const { kind, problem, other, putAway } = shown;
  const t = words.value;
  return (
    <div class="problem" data-testid={`problem-${kind}`} data-problem={problem}>
      <p>{t.deviceProblem[kind][problem]}</p>
      {other === null ? null : (
        <button type="button" class="button" data-testid={`use-other-${kind}`} onClick={other.use}>
          {t.useDevice(other.label)}
        </button>
      )}
      {closable ? (
        <button type="button" class="button quiet icon" aria-label={t.close} onClick={putAway}>
          <X aria-hidden="true" />
        </button>
      ) : null}
    </div>
  );
}

/** Why there is no camera or microphone, and what can be done; `closable` where it does not belong to a form. */
export function DeviceProblems({ closable = false }: { closable?: boolean }) {
  return (
    <div class="problems" role="status">
      {useDeviceProblems().map(shown => (
        <Problem key={shown.kind} shown={shown} closable={closable} />
      ))}
    </div>
  );
}
