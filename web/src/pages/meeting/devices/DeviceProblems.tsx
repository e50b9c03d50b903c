import { X } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { useSession } from '../../../hooks/context';
import { words } from '../../../i18n';
import type { Acquired } from '../../../media/devices';
import './deviceProblems.css';

type Kind = 'camera' | 'microphone';

interface ProblemProps {
  kind: Kind;
  /** Not there where the sentence belongs to the form. */
  onClose?: () => void;
}

function Problem({ kind, onClose }: ProblemProps) {
  const { local } = useSession();
  const { problem } = local[kind].value;
  const other = local.captures[kind].other.value;
  const t = words.value;
  if (problem === null) return null;
  return (
    <div class="problem" data-testid={`problem-${kind}`} data-problem={problem}>
      <p>{t.deviceProblem[kind][problem]}</p>
      {other === null ? null : (
        <button
          type="button"
          class="button"
          data-testid={`use-other-${kind}`}
          onClick={() => void local.choose({ [kind]: other.deviceId })}
        >
          {t.useDevice(other.label)}
        </button>
      )}
      {onClose === undefined ? null : (
        <button type="button" class="button quiet icon" aria-label={t.close} onClick={onClose}>
          <X aria-hidden="true" />
        </button>
      )}
    </div>
  );
}

/** Why there is no camera or microphone, and what can be done; in the meeting it can be put away. */
export function DeviceProblems({ closable = false }: { closable?: boolean }) {
  const { local } = useSession();
  const [closed, close] = useState<Record<Kind, Acquired | null>>({ camera: null, microphone: null });
  const kinds = (['microphone', 'camera'] as const).filter(kind => closed[kind] !== local[kind].value);
  return (
    <div class="problems" role="status">
      {kinds.map(kind => (
        <Problem
          key={kind}
          kind={kind}
          onClose={closable ? () => close({ ...closed, [kind]: local[kind].value }) : undefined}
        />
      ))}
    </div>
  );
}
