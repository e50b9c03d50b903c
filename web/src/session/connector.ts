import { MediaConnection } from '../media/connection';
import { report } from '../media/report';
import { backoffMs } from '../meeting/backoff';
import { afterRefusal } from '../meeting/refusal';
import { type ClientMessage, type ErrorCode, type ServerMessage, VERSION } from '../protocol/gen';
import { packSdp, unpackSdp } from '../protocol/sdp';
import { Socket } from '../protocol/socket';
import { type Link, loadSeat, reloadOnce, reloadSucceeded, saveSeat } from './link';

/** `attempt` counts from 1 within one interruption. */
export type Progress =
  | { kind: 'connecting' }
  | { kind: 'online' }
  | { kind: 'reconnecting'; attempt: number };

export interface ConnectorEvents {
  message(message: ServerMessage): void;
  progress(progress: Progress): void;
  /** A new PeerConnection: what it receives must be played, what is sent put on it. */
  media(media: MediaConnection): void;
  /** The newest answer has been applied: media may flow, wishes are welcome. */
  negotiated(): void;
}

/** Longer than a slow line needs for DTLS, shorter than a hall's patience. */
const MEDIA_TIMEOUT_MS = 6000;
/** A short gap in ICE heals by itself; after this it is restarted. */
const DISCONNECTED_MS = 2500;
const PROBE_MS = 4000;
const REPORT_MS = 5000;

/**
 * Holds a seat: WebSocket and PeerConnection, for ever. An ICE restart on the living connection is
 * tried first; a new one is built when that failed or the server asks for it.
 */
export class Connector {
  media: MediaConnection | null = null;
  private socket: Socket | null = null;
  private welcomed = false;
  private inside = false;
  private attempt = 0;
  private restarts = 0;
  private retryAfterMs = 0;
  private takeover = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private mediaTimer: ReturnType<typeof setTimeout> | undefined;
  private reportTimer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly link: Link,
    private readonly videoSlots: number,
    private readonly beforeFirstOffer: Promise<unknown>,
    private readonly events: ConnectorEvents,
  ) {}

  start(takeover: boolean): void {
    this.takeover = takeover;
    this.reportTimer = setInterval(() => void this.sendReport(), REPORT_MS);
    globalThis.addEventListener('online', this.networkCame);
    this.events.progress({ kind: 'connecting' });
    this.connect();
  }

  /** Ends for good. */
  stop(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.mediaTimer);
    clearInterval(this.reportTimer);
    globalThis.removeEventListener('online', this.networkCame);
    this.socket?.close();
    this.media?.close();
    this.socket = null;
    this.media = null;
  }

  send(message: ClientMessage): void {
    if (this.welcomed) this.socket?.send(message);
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.socket?.close();
    this.welcomed = false;
    const { token, webSocket } = this.link;
    const socket = new Socket(webSocket, {
      opened: () => {
        const seat = loadSeat(token);
        const hello = { type: 'hello', version: VERSION, token, takeover: this.takeover } as const;
        socket.send(seat === undefined ? hello : { ...hello, seat });
      },
      message: message => this.receive(message),
      lost: () => this.again(),
    });
    this.socket = socket;
  }

  /** The next attempt after its turn to wait. */
  private again(): void {
    this.welcomed = false;
    this.socket?.close();
    clearTimeout(this.mediaTimer);
    this.attempt += 1;
    this.events.progress({ kind: 'reconnecting', attempt: this.attempt });
    const wait = Math.max(this.retryAfterMs, backoffMs(this.attempt, Math.random()));
    this.retryAfterMs = 0;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), wait);
  }

  private readonly networkCame = () => {
    if (!this.welcomed) this.connect();
    else this.restartIce();
  };

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.welcome(message.seat);
        break;
      case 'answer':
        void this.answer(message.sdp);
        break;
      case 'refused':
        if (this.refused(message.code)) return;
        break;
      case 'error':
        this.failed(message.code);
        break;
      case 'draining':
        this.retryAfterMs = message.retry_after_ms * (1 + Math.random() / 2);
        break;
      case 'goodbye':
        this.stop();
        break;
    }
    this.events.message(message);
  }

  private welcome(seat: string): void {
    // A seat that is not ours any more: the server behind the address is a new one, with new keys.
    const known = loadSeat(this.link.token) === seat;
    saveSeat(this.link.token, seat);
    reloadSucceeded();
    this.welcomed = true;
    this.inside = true;
    this.takeover = false;
    this.restarts = 0;
    void this.negotiate(!known);
  }

  /** True when the refusal is dealt with here and nobody need be told. */
  private refused(code: ErrorCode): boolean {
    const next = afterRefusal(code, this.inside);
    if (next === 'retry') {
      this.again();
      return true;
    }
    if (next === 'reload' && reloadOnce()) return true;
    this.stop();
    return false;
  }

  private failed(code: ErrorCode): void {
    if (code === 'offer_changed') void this.negotiate(true);
    else if (code === 'worker_full' || code === 'draining') this.again();
  }

  private async negotiate(fresh: boolean): Promise<void> {
    const socket = this.socket;
    if (this.media === null) await this.beforeFirstOffer;
    if (socket !== this.socket || !this.welcomed) return;
    const restart = !fresh && this.media?.usable === true;
    const media = restart && this.media !== null ? this.media : this.build();
    clearTimeout(this.mediaTimer);
    this.mediaTimer = setTimeout(() => this.mediaTimedOut(), MEDIA_TIMEOUT_MS);
    try {
      const sdp = await packSdp(await media.offer(restart));
      if (socket === this.socket) socket?.send({ type: 'offer', sdp });
    } catch {
      if (!fresh && media === this.media) void this.negotiate(true);
    }
  }

  private build(): MediaConnection {
    this.media?.close();
    const media = new MediaConnection(this.videoSlots, state => this.mediaChanged(media, state));
    this.media = media;
    this.events.media(media);
    return media;
  }

  private async answer(sdp: Parameters<typeof unpackSdp>[0]): Promise<void> {
    const media = this.media;
    try {
      await media?.answer(await unpackSdp(sdp));
      if (media !== null && media === this.media) this.events.negotiated();
      if (media?.pc.connectionState === 'connected') this.connected();
    } catch {
      // The server behind the address is a new one: its keys do not fit the old connection.
      if (media === this.media) void this.negotiate(true);
    }
  }

  private mediaChanged(media: MediaConnection, state: RTCPeerConnectionState): void {
    if (media !== this.media) return;
    if (state === 'connected') this.connected();
    if (state === 'failed') this.restartIce();
    if (state === 'disconnected') {
      this.socket?.probe(PROBE_MS);
      setTimeout(() => {
        if (media === this.media && media.pc.connectionState === 'disconnected') this.restartIce();
      }, DISCONNECTED_MS);
    }
  }

  private connected(): void {
    if (!this.welcomed) return;
    clearTimeout(this.mediaTimer);
    this.attempt = 0;
    this.restarts = 0;
    this.events.progress({ kind: 'online' });
  }

  private restartIce(): void {
    if (!this.welcomed) return;
    this.socket?.probe(PROBE_MS);
    this.mediaTimedOut();
  }

  /** First an ICE restart, from the second time on a new connection. */
  private mediaTimedOut(): void {
    if (!this.welcomed) return;
    this.attempt += 1;
    this.restarts += 1;
    this.events.progress({ kind: 'reconnecting', attempt: this.attempt });
    void this.negotiate(this.restarts > 1);
  }

  private async sendReport(): Promise<void> {
    if (this.media?.pc.connectionState !== 'connected') return;
    this.send({ type: 'report', report: await report(this.media.pc) });
  }
}
