import { effect, type ReadonlySignal, untracked } from '@preact/signals';
import { WakeLock } from '../media/wakeLock';

/** A room watches without touching anything: its screen would go dark. `cannot` is called where the browser lets it. */
export function keepLit(inMeeting: ReadonlySignal<boolean>, cannot: () => void): void {
  const wakeLock = new WakeLock();
  effect(() => {
    if (!inMeeting.value) wakeLock.release();
    else if (wakeLock.exists) wakeLock.hold();
    else untracked(cannot);
  });
}
