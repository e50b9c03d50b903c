/**
 * What a device remembers. Where policy forbids storage, or it is full, the page remembers for as long
 * as it is open: every access may throw, the first one too.
 */
export class Memory {
  private readonly sinceOpened = new Map<string, string>();

  constructor(private readonly storage: () => Storage) {}

  read(key: string): string | null {
    const own = this.sinceOpened.get(key);
    if (own !== undefined) return own;
    try {
      return this.storage().getItem(key);
    } catch {
      return null;
    }
  }

  write(key: string, value: string): Kept {
    try {
      this.storage().setItem(key, value);
      this.sinceOpened.delete(key);
      return 'kept';
    } catch {
      this.sinceOpened.set(key, value);
      return 'until_reload';
    }
  }

  forget(key: string): void {
    this.sinceOpened.delete(key);
    try {
      this.storage().removeItem(key);
    } catch {
      // What could not be kept is gone already.
    }
  }
}

/** Whether a reloaded page still knows it. */
export type Kept = 'kept' | 'until_reload';

/** For ever. */
export const device = new Memory(() => localStorage);
/** For the life of the tab, reloads included. */
export const tab = new Memory(() => sessionStorage);
