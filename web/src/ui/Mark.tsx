import { words } from '../i18n';
import './mark.css';

/** The span of a bridge, and the name. */
export function Mark() {
  return (
    <span class="mark">
      <svg viewBox="0 0 64 48" aria-hidden="true" focusable="false">
        <path class="mark-deck" d="M4 38h56" />
        <path class="mark-span" d="M6 38C12 14 25 9 32 9s20 5 26 29M19 38V19M32 38V10M45 38V19" />
      </svg>
      <span>{words.value.product}</span>
    </span>
  );
}
