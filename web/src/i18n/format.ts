const two = (n: number) => String(n).padStart(2, '0');

/** `02:13`, from an hour on `1:02:13`. Never negative. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** Meetings keep Vietnam's time (UTC+7, no summer time), also on a machine set to another zone. */
const VIETNAM_MS = 7 * 3_600_000;
const inVietnam = (atMs: number) => new Date(atMs + VIETNAM_MS);

/** `09:14`. */
export function clock(atMs: number): string {
  const at = inVietnam(atMs);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

/** `09:14:05`. */
export function clockWithSeconds(atMs: number): string {
  return `${clock(atMs)}:${two(inVietnam(atMs).getUTCSeconds())}`;
}

/** `24/11/2026`. */
export function date(atMs: number): string {
  const at = inVietnam(atMs);
  return `${two(at.getUTCDate())}/${two(at.getUTCMonth() + 1)}/${at.getUTCFullYear()}`;
}

/** One decimal with the comma of Vietnamese or the point of English. */
export function oneDecimal(value: number, language: 'vi' | 'en'): string {
  const text = value.toFixed(1);
  return language === 'vi' ? text.replace('.', ',') : text;
}
