import { useSession } from '../../../hooks/context';
import { words } from '../../../i18n';
import type { Choices } from '../../../media/choices';
import './switch.css';

type SwitchKey = 'echoCancellation' | 'noiseSuppression' | 'direct' | 'cameraOn' | 'microphoneOn';

export function Switch({ of, label, hint }: { of: SwitchKey; label: string; hint?: string }) {
  const { local } = useSession();
  return (
    <label class="switch">
      <input
        type="checkbox"
        role="switch"
        aria-checked={local.choices.value[of]}
        data-testid={`switch-${of}`}
        checked={local.choices.value[of]}
        onChange={event => void local.choose({ [of]: event.currentTarget.checked } as Partial<Choices>)}
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
  const { link } = useSession();
  const t = words.value;
  if (link.direct) return <p class="hint">{t.linkJoinsDirectly}</p>;
  return <Switch of="direct" label={t.joinDirectly} hint={t.joinDirectlyHint} />;
}
