import type { LucideIcon } from 'lucide-preact';
import { Mic, MicOff, RefreshCw, Volume2 } from 'lucide-preact';
import { useBanner } from '../../../hooks/devices';
import { words } from '../../../i18n';
import type { Banner as Kind } from '../../../meeting/banner';
import { LevelMeter } from '../devices/LevelMeter';
import './banner.css';

const ICONS: Record<Kind, LucideIcon> = {
  on_air: Mic,
  film_on_air: Volume2,
  mic_off: MicOff,
  muted_by_chair: MicOff,
  silenced: MicOff,
  no_microphone: MicOff,
  reconnecting: RefreshCw,
  still_sending: Mic,
  film_still_sending: Volume2,
};

/** Its words, and those in small print. */
function textsOf({ kind, film, coming, microphoneOpen }: ReturnType<typeof useBanner>): [string, string] {
  const t = words.value;
  switch (kind) {
    case 'on_air':
      return [t.onAir, t.micOnHint];
    case 'film_on_air':
      return [t.filmOnAir, t.filmOnAirHint];
    case 'mic_off':
      return [t.micOff, t.micOffHint];
    case 'muted_by_chair':
      return [t.micMutedByChair, film ? t.micMutedFilmHint : ''];
    case 'silenced':
      return [t.micSilenced, t.micSilencedHint];
    case 'no_microphone':
      return [t.micMissing, t.micMissingHint];
    case 'still_sending':
      return [t.stillSending, t.micOnHint];
    case 'film_still_sending':
      return [t.stillSending, t.filmStillSendingHint];
    case 'reconnecting':
      return [
        coming === 'controlsAway' ? t.controlsAwayShort : t[coming ?? 'reconnecting'],
        microphoneOpen ? '' : t.reconnectingMicOff,
      ];
  }
}

/** Shows the whole room whether it is heard; a press opens or closes the microphone. */
export function Banner() {
  const banner = useBanner();
  const { kind } = banner;
  const text = textsOf(banner);
  const disabled = ['muted_by_chair', 'reconnecting', 'film_still_sending'].includes(kind);
  const Icon = ICONS[kind];
  return (
    <button
      type="button"
      class="banner"
      data-testid="banner"
      data-banner={kind}
      aria-disabled={disabled}
      onClick={() => disabled || banner.toggle()}
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
