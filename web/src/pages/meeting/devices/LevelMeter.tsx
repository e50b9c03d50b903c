import { useLevel } from '../../../hooks/devices';
import { words } from '../../../i18n';
import './levelMeter.css';

const PERCENT = 100;

/** How loud the microphone is; the words say what to do, the bar shows it. */
export function LevelMeter({ compact = false }: { compact?: boolean }) {
  const { level, clipping } = useLevel();
  const t = words.value;
  const value = Math.round(level * PERCENT);
  return (
    <div class={clipping ? 'meter clipping' : 'meter'}>
      <div
        class="meter-bar"
        role="meter"
        aria-label={t.inputLevel}
        aria-valuemin={0}
        aria-valuemax={PERCENT}
        aria-valuenow={value}
      >
        <span style={{ transform: `scaleX(${level})` }} />
      </div>
      {compact ? null : <p class="hint">{clipping ? t.clipping : level > 0.25 ? t.soundGood : t.silent}</p>}
    </div>
  );
}
