import { Mic, MicOff, RefreshCw } from 'lucide-preact';
import { words } from '../i18n';
import { useSession } from './context';
import { LevelMeter } from './LevelMeter';

/** Tells the whole room whether it is heard; a press opens or closes the microphone. */
export function Banner() {
  const session = useSession();
  const { banner, progress } = session;
  const t = words.value;
  const coming = progress.value.kind === 'connecting' ? t.connecting : t.reconnecting;
  const kind = banner.value;
  const text = {
    on_air: [t.onAir, t.micOnHint],
    mic_off: [t.micOff, t.micOffHint],
    muted_by_chair: [t.micMutedByChair, ''],
    silenced: [t.micSilenced, t.micSilencedHint],
    no_microphone: [t.micMissing, t.micMissingHint],
    reconnecting: [coming, ''],
  }[kind];
  const disabled = kind === 'muted_by_chair' || kind === 'reconnecting';
  const Icon = kind === 'on_air' ? Mic : kind === 'reconnecting' ? RefreshCw : MicOff;
  return (
    <button
      type="button"
      class="banner"
      data-testid="banner"
      data-banner={kind}
      aria-disabled={disabled}
      onClick={() => disabled || void session.toggleMicrophone()}
    >
      <Icon aria-hidden="true" />
      <span class="banner-words">
        <strong>{text[0]}</strong>
        {text[1] === '' ? null : <small>{text[1]}</small>}
        {kind === 'on_air' ? <LevelMeter compact /> : null}
      </span>
    </button>
  );
}
