/** How often the browser is asked what has come. */
export const LOOK_MS = 400;
/** So many looks in a row must have brought something before their absence says anything. */
const STEADY_LOOKS = 4;
/**
 * Voices come each 20 ms, and what the server says of our own packets several times a second. A line that brings
 * nothing for this long has a hole that lets no speech through; new ways may be looked for.
 */
export const SILENT_MS = 1500;

/**
 * Whether anything comes on a line, by a count that grows with whatever does. Browsers report a dead one only after
 * 5 s or more. No timers: the time goes in.
 */
export class Pulse {
  private count: number | null = null;
  private cameAt = 0;
  private steady = 0;
  private missing = false;

  /** Something came just now, as it did before. */
  get beats(): boolean {
    return !this.missing && this.steady >= STEADY_LOOKS;
  }

  /** What came all the time has stopped. */
  get silent(): boolean {
    return this.missing;
  }

  /** `count` is null where the browser does not say. */
  look(now: number, count: number | null): 'stopped' | 'came' | null {
    const before = this.count;
    this.count = count;
    if (count === null || before === null) return null;
    if (count > before) return this.come(now);
    // A count that has fallen is that of another way.
    if (this.missing || this.steady < STEADY_LOOKS) {
      this.steady = 0;
      return null;
    }
    if (now - this.cameAt < SILENT_MS) return null;
    this.steady = 0;
    this.missing = true;
    return 'stopped';
  }

  private come(now: number): 'came' | null {
    const back = this.missing;
    this.cameAt = now;
    this.steady += 1;
    this.missing = false;
    return back ? 'came' : null;
  }
}
