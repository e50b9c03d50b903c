/** What became of a microphone's packets, as totals, what the browser believes that its line up carries, and its round trip. */
export interface Upstream {
  sent: number;
  missed: number;
  availableBps: number;
  rttMs: number;
}

/** Two seconds of speech: of fewer packets a single loss would be a share to act on. */
const LOOK_PACKETS = 100;
/** So many looks in a row begin it: one is an accident. */
const LOSSY_LOOKS = 2;
const LOSSY = 0.02;
const CALM = 0.01;
/** Lines that lose packets do so again; and what was ended for want of room is not tried again at once. */
const HOLD_MS = 30_000;
/** A voice costs 60 kbit/s with its headers, and 95 with redundancy; the rest is for pictures. */
const ENOUGH_BPS = 200_000;
/** A voice with redundancy would fill the line, and all speech would be late; where it does, the round trip grows. */
const TOO_LITTLE_BPS = 120_000;
const QUEUE_MS = 100;
/** Of a line that loses so much the browser believes too little, however wide it is: where no queue stands it is tried. */
const VERY_LOSSY = 0.1;
const NO_QUEUE_MS = 50;

/**
 * Whether the microphone sends redundancy (RED, RFC 2198): while its packets are lost and the line has room for it. No
 * timers: the time goes in.
 */
export class Redundancy {
  private on = false;
  /** Where the look that goes on began. */
  private look: Upstream | null = null;
  private lossyLooks = 0;
  private leastRttMs = Infinity;
  /** Since when less than `CALM` is missing, and no look was lossy. */
  private calm: { at: number; from: Upstream } | null = null;
  private restsUntil = 0;

  get wanted(): boolean {
    return this.on;
  }

  /** `upstream` is null where the browser does not say. */
  see(now: number, upstream: Upstream | null): void {
    if (upstream === null) return;
    this.leastRttMs = Math.min(this.leastRttMs, upstream.rttMs);
    const waitsMs = upstream.rttMs - this.leastRttMs;
    if (this.on && upstream.availableBps < TOO_LITTLE_BPS && waitsMs > QUEUE_MS) {
      this.on = false;
      this.lossyLooks = 0;
      this.restsUntil = now + HOLD_MS;
    }
    this.look ??= upstream;
    if (upstream.sent - this.look.sent < LOOK_PACKETS) return;
    const share = missing(this.look, upstream);
    this.lossyLooks = share >= LOSSY ? this.lossyLooks + 1 : 0;
    this.look = upstream;
    const room = upstream.availableBps >= ENOUGH_BPS || (share >= VERY_LOSSY && waitsMs < NO_QUEUE_MS);
    if (this.on) this.mayEnd(now, upstream);
    else this.mayBegin(now, room);
  }

  private mayBegin(now: number, room: boolean): void {
    this.on = this.lossyLooks >= LOSSY_LOOKS && room && now >= this.restsUntil;
    this.calm = null;
  }

  private mayEnd(now: number, upstream: Upstream): void {
    const lossy = this.lossyLooks > 0;
    if (this.calm === null || lossy || missing(this.calm.from, upstream) >= CALM)
      this.calm = { at: now, from: upstream };
    this.on = now - this.calm.at < HOLD_MS;
  }
}

/** The share of what was sent between two looks. */
function missing(from: Upstream, to: Upstream): number {
  return (to.missed - from.missed) / Math.max(to.sent - from.sent, 1);
}

/**
 * An answer that asks the microphone, which is the first section, for redundancy. Browsers send RED where it stands before
 * what it protects. `setParameters` does not choose it: Chromium takes it, and sends as before.
 */
export function askForRedundancy(answer: string): string {
  const red = /^a=rtpmap:(\d+) red\//m.exec(answer)?.[1];
  return answer.replace(/^(m=audio \d+ \S+) ([\d ]+)$/m, (line: string, media: string, types: string) => {
    const codecs = types.split(' ');
    if (red === undefined || !codecs.includes(red)) return line;
    return [media, red, ...codecs.filter(type => type !== red)].join(' ');
  });
}
