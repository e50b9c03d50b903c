import { backoffMs } from './backoff';

/** What the host is to do now. */
export type Step =
  /** Open a connection. */
  | 'begin'
  /** Close the one that does not open. */
  | 'give_up'
  /** Ask whether the server answers at all: that is cheaper than an attempt. */
  | 'ask';

/**
 * An attempt that began while nothing got through is repeated by the system ever more seldom: after 1, 3 and 7 s, or
 * after each of the first four. A new one is sent at once.
 */
export const OPENING_MS = 5000;
/** TCP, TLS and the upgrade take four round trips, and a lost packet some more. */
const OPENING_TRIPS = 6;
const OPENING_SPARE_MS = 2000;
/**
 * Attempts of one length before it is doubled. Chromium lets pages that have failed often wait: from the fourteenth
 * failure within some minutes on for seconds each time, the attempt that would have succeeded included.
 */
const OF_ONE_LENGTH = 2;
/** Over a satellite an attempt takes 10 s, and a lost SYN is repeated only after 1, 3, 7 and 15 s. */
const LONGEST_OPENING_MS = 30_000;
/** An attempt so old may wait for the line that was; a younger one finds the line that has just come by itself. */
const CUT_MS = 1000;
/** After an attempt that has hung there is no pause, but not all sites begin again in one moment. */
const SPREAD_MS = 250;
/** A server that starts again is found within this. */
const ASK_MS = 1000;

/** When to try to reach the server. No timers: the time goes in, and `poll` says what is to be done by then. */
export class Attempts {
  private phase: 'idle' | 'opening' | 'waiting' = 'idle';
  private since = 0;
  private due = Number.POSITIVE_INFINITY;
  private askAt = Number.POSITIVE_INFINITY;
  /** By order of the server; nothing comes before it. */
  private notBefore = 0;
  private hung = 0;
  /** The attempt began because something has changed, and is given its whole time. */
  private cued = false;
  private roundTripMs: number | null = null;

  constructor(private readonly random: () => number = Math.random) {}

  /** When to call `poll` at the latest. */
  get wakeAt(): number {
    return Math.min(this.due, this.askAt);
  }

  /** An attempt begins. */
  begin(now: number): void {
    this.enter('opening', now, now + this.patience);
  }

  opened(now: number): void {
    this.enter('idle', now, Number.POSITIVE_INFINITY);
    this.cued = false;
    this.hung = 0;
  }

  /** A round trip as it was just now. */
  learn(roundTripMs: number): void {
    this.roundTripMs = roundTripMs;
  }

  /** The next attempt after its turn to wait: `failures` have been in a row; `notBeforeMs` the server has asked for. */
  failed(now: number, failures: number, longestMs: number, notBeforeMs = 0): void {
    const hung = this.phase === 'opening' && now >= this.due;
    this.hung = hung ? this.hung + 1 : 0;
    this.cued = false;
    const turn = hung ? SPREAD_MS * this.random() : backoffMs(failures, this.random(), longestMs);
    this.enter('waiting', now, now + Math.max(turn, notBeforeMs));
    this.notBefore = now + notBeforeMs;
    this.askAt = this.notBefore + ASK_MS;
  }

  /** What fails now is the server's refusal, which asking cannot change. */
  hold(): void {
    this.notBefore = this.due;
    this.askAt = Number.POSITIVE_INFINITY;
  }

  /** Something says that the line may be there. */
  cue(now: number): void {
    const waits = this.phase === 'waiting' && now >= this.notBefore;
    const stale = this.phase === 'opening' && !this.cued && now - this.since >= CUT_MS;
    if (!waits && !stale) return;
    this.cued = true;
    this.enter('waiting', now, now);
  }

  poll(now: number): Step | null {
    if (now >= this.due) return this.phase === 'opening' ? 'give_up' : 'begin';
    if (now < this.askAt) return null;
    this.askAt = now + ASK_MS;
    return 'ask';
  }

  stop(): void {
    this.enter('idle', 0, Number.POSITIVE_INFINITY);
  }

  private get patience(): number {
    if (this.roundTripMs === null) return LONGEST_OPENING_MS;
    const once = Math.max(OPENING_MS, OPENING_SPARE_MS + OPENING_TRIPS * this.roundTripMs);
    return Math.min(LONGEST_OPENING_MS, once * 2 ** Math.floor(this.hung / OF_ONE_LENGTH));
  }

  private enter(phase: Attempts['phase'], since: number, due: number): void {
    this.phase = phase;
    this.since = since;
    this.due = due;
    this.askAt = Number.POSITIVE_INFINITY;
  }
}
