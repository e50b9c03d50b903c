const FIRST_MS = 500;
const LONGEST_MS = 10_000;

/**
 * How long to wait before attempt `attempt` (from 1). `random` is in [0, 1): forty sites that lost
 * one server must not come back in one moment, so each waits between half and all of its turn.
 */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(full * (0.5 + random / 2));
}
