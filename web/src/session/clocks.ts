import { signal } from '@preact/signals';

const TICK_MS = 500;

/** The time, as the view shows it. Milliseconds. */
export class Clocks {
  /** For durations: goes forward only, also when this machine's clock is set. */
  readonly steady = signal(performance.now());
  /** For people who look at the time. */
  readonly wall = signal(Date.now());

  constructor() {
    setInterval(() => {
      this.steady.value = performance.now();
      this.wall.value = Date.now();
    }, TICK_MS);
  }
}
