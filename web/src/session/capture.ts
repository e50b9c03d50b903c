import { signal } from '@preact/signals';
import type { Acquired } from '../media/devices';

const NOTHING: Acquired = { track: null, problem: null };

/** A camera or a microphone of this machine, also when it is unplugged. */
export class Capture {
  readonly acquired = signal(NOTHING);
  /** What can take the place of a device that was pulled out; nothing is switched without a question. */
  readonly other = signal<MediaDeviceInfo | null>(null);
  private lost = '';
  /** Counts requests, so that a slow device does not come back after a later decision. */
  private turn = 0;

  constructor(
    private readonly acquire: () => Promise<Acquired>,
    private readonly isBlocked: () => Promise<boolean>,
  ) {}

  async start(acquire = this.acquire): Promise<void> {
    this.turn += 1;
    const { turn } = this;
    this.acquired.value.track?.stop();
    const acquired = await acquire();
    if (turn === this.turn) this.put(acquired);
    else acquired.track?.stop();
  }

  stop(): void {
    this.turn += 1;
    this.acquired.value.track?.stop();
    this.put(NOTHING);
  }

  /** The device that was pulled out and comes back is used again without a question. */
  async devicesChanged(present: MediaDeviceInfo[]): Promise<void> {
    if (this.acquired.value.problem !== 'lost') return;
    this.other.value = present.find(device => device.deviceId !== this.lost) ?? null;
    if (present.some(device => device.deviceId === this.lost)) await this.start();
  }

  private put(acquired: Acquired): void {
    const { track } = acquired;
    this.other.value = null;
    this.acquired.value = acquired;
    if (track === null) return;
    // `ended` comes when the device goes, never from our own `stop`.
    track.onended = () => this.ended(track);
    // A phone call, a switch at the headset or a shutter: the track lives and gives nothing.
    track.onmute = () => this.silenced(track);
    track.onunmute = () => this.silenced(track);
    this.silenced(track);
  }

  private silenced(track: MediaStreamTrack): void {
    const { track: current, problem } = this.acquired.value;
    const now = track.muted ? 'silenced' : null;
    if (track === current && now !== problem) this.acquired.value = { track, problem: now };
  }

  private ended(track: MediaStreamTrack): void {
    if (track !== this.acquired.value.track) return;
    this.lost = track.getSettings().deviceId ?? '';
    this.put({ track: null, problem: 'lost' });
    const { turn } = this;
    void this.isBlocked().then(blocked => {
      if (blocked && turn === this.turn) this.put({ track: null, problem: 'blocked' });
    });
  }
}
