import { language, words } from '../i18n';
import { oneDecimal } from '../i18n/format';
import type { LinkGrade } from '../protocol/gen';
import './linkLight.css';

interface Props {
  grade: Exclude<LinkGrade, 'disconnected'>;
  lossPercent: number | null;
  rttMs: number | null;
}

const LIT = { good: 3, fair: 2, poor: 1 };

/** Three bars, as many lit as the link is good. */
function Bars({ lit }: { lit: number }) {
  return (
    <svg class="bars" viewBox="0 0 15 12" aria-hidden="true">
      {[0, 1, 2].map(bar => (
        <rect
          key={bar}
          class={bar < lit ? 'lit' : ''}
          x={bar * 5.5}
          y={8 - bar * 4}
          width="4"
          height={4 + bar * 4}
        />
      ))}
    </svg>
  );
}

/** Colour, shape and word: it can be read without seeing colours. */
export function LinkLight({ grade, lossPercent, rttMs }: Props) {
  const t = words.value;
  const numbers =
    lossPercent === null
      ? ''
      : t.linkNumbers(oneDecimal(lossPercent, language.value), String(Math.round(rttMs ?? 0)));
  return (
    <span class="link-light" data-grade={grade} title={`${t.linkQuality}: ${t.link[grade]}. ${numbers}`}>
      <Bars lit={LIT[grade]} />
      <span>{t.link[grade]}</span>
    </span>
  );
}
