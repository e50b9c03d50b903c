import { Signal, SignalLow, SignalMedium, WifiOff } from 'lucide-preact';
import { language, words } from '../i18n';
import { oneDecimal } from '../meeting/time';
import type { LinkGrade } from '../protocol/gen';

interface Props {
  grade: LinkGrade;
  lossPercent: number | null;
  rttMs: number | null;
}

const ICONS = { good: Signal, fair: SignalMedium, poor: SignalLow, disconnected: WifiOff };

/** Colour, shape and word: nobody has to see colours to read it. */
export function LinkLight({ grade, lossPercent, rttMs }: Props) {
  const t = words.value;
  const Icon = ICONS[grade];
  const numbers =
    lossPercent === null
      ? ''
      : t.linkNumbers(oneDecimal(lossPercent, language.value), String(Math.round(rttMs ?? 0)));
  return (
    <span class="link-light" data-grade={grade} title={`${t.linkQuality}: ${t.link[grade]}. ${numbers}`}>
      <Icon aria-hidden="true" />
      <span>{t.link[grade]}</span>
    </span>
  );
}
