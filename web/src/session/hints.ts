/** Signs that the server may be reached, from outside of the connection. */

/** A server that is there answers within this, or the line is none to wait for. */
const ANSWER_MS = 3000;

/** The part of the Network Information API that is used; Firefox and Safari have none. */
type Information = Navigator & { connection?: EventTarget };

/**
 * `came`: this machine has a network again. `changed`: something about it is new, or people look at the page again.
 * Returns how to stop listening.
 */
export function watchNetwork(came: () => void, changed: () => void): () => void {
  const { connection } = navigator as Information;
  const seen = () => document.visibilityState === 'visible' && changed();
  globalThis.addEventListener('online', came);
  connection?.addEventListener('change', changed);
  document.addEventListener('visibilitychange', seen);
  return () => {
    globalThis.removeEventListener('online', came);
    connection?.removeEventListener('change', changed);
    document.removeEventListener('visibilitychange', seen);
  };
}

/** Whether the server answers. What stands before it may do so in its place, and says that it is not there. */
export async function answers(): Promise<boolean> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), ANSWER_MS);
  try {
    return (await fetch('healthz', { cache: 'no-store', signal: patience.signal })).ok;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
