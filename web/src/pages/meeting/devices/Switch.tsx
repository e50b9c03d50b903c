import { useChoice } from '../../../hooks/devices';
import { useDirectLink } from '../../../hooks/visit';
import { words } from '../../../i18n';
import './switch.css';

type SwitchKey =
  | 'echoCancellation'
  | 'noiseSuppression'
  | 'direct'
  | 'cameraOn'
  | 'microphoneOn'
  | 'audioOnly'
  | 'mixedSound';

export function Switch({ of, label, hint }: { of: SwitchKey; label: string; hint?: string }) {
  const [on, choose] = useChoice(of);
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        aria-checked={on}
        data-testid={`switch-${of}`}
        checked={on}
        onChange={event => choose(event.currentTarget.checked)}
      />
      <span class="switch-knob" aria-hidden="true" />
      <span>
        {label}
        {hint === undefined ? null : <small class="hint">{hint}</small>}
      </span>
    </label>
  );
}

/** Can be undone wherever it can be set; a link that says so itself is stronger, and says so. */
export function DirectSwitch() {
  const direct = useDirectLink();
  const t = words.value;
  if (direct) return <p class="hint">{t.linkJoinsDirectly}</p>;
  return <Switch of="direct" label={t.joinDirectly} hint={t.joinDirectlyHint} />;
}
