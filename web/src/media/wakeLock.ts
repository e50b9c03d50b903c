/** A system that takes the lock away (battery saving) may do it again at once. */
const AGAIN_MS = 10_000;

/** Keeps the screen of a room lit, for as long as it is to be held. */
export class WakeLock {
  private held: WakeLockSentinel | null = null;
  private wanted = false;
  private asking = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** False where the browser has no such thing, or only for pages that came by HTTPS. */
  get exists(): boolean {
    return navigator.wakeLock !== undefined;
  }

  hold(): void {
    if (this.wanted || !this.exists) return;
    this.wanted = true;
    document.addEventListener('visibilitychange', this.seen);
    void this.ask();
  }

  release(): void {
    if (!this.wanted) return;
    this.wanted = false;
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.seen);
    letGo(this.held);
    this.held = null;
  }

  /** A page that is hidden loses its lock, and gets none. */
  private readonly seen = () => void this.ask();

  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    if (!this.wanted || this.asking || this.held !== null || document.visibilityState !== 'visible') return;
    this.asking = true;
    const lock = await navigator.wakeLock.request('screen').catch(() => null);
    this.asking = false;
    if (lock === null) this.askLater();
    else if (this.wanted) this.take(lock);
    else letGo(lock);
  }

  private take(lock: WakeLockSentinel): void {
    this.held = lock;
    lock.addEventListener('release', () => {
      if (this.held !== lock) return;
      this.held = null;
      this.askLater();
    });
  }

  private askLater(): void {
    if (this.wanted) this.timer = setTimeout(this.seen, AGAIN_MS);
  }
}

const letGo = (lock: WakeLockSentinel | null) => void lock?.release().catch(() => undefined);
