const FIRST_MS = 500;
/** A line that is back, or a server that is up again, is found within this: a room waits for sound and video. */
export const SOON_MS = 10_000;
/** What is full or busy does not change in seconds, and forty pages that ask must not keep it so. */
export const SLOWLY_MS = 60_000;

/**
 * How long to wait before attempt `attempt` (from 1). `random` is in [0, 1): forty sites that lost
 * one server must not come back in one moment, so each waits between half and all of its turn.
 */
export function backoffMs(attempt: number, random: number, longestMs: number): number {
  const full = Math.min(longestMs, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(full * (0.5 + random / 2));
}
