import type { MediaConnection } from '../media/connection';
import { report } from '../media/report';
import { afterError, afterRefusal, type Trouble } from '../meeting/refusal';
import { type ClientMessage, type ErrorCode, type ServerMessage, VERSION } from '../protocol/gen';
import { Socket } from '../protocol/socket';
import { backoffMs, SLOWLY_MS, SOON_MS } from './backoff';
import { type Link, loadSeat, reloadOnce, reloadSucceeded, saveSeat } from './link';
import { MediaLine } from './mediaLine';

/** On the way in, and on the way back; `attempt` counts what has failed within one interruption. */
export type Progress =
  | { kind: 'connecting' | 'reconnecting'; attempt: number; trouble: Trouble | null }
  | { kind: 'online' };

export interface ConnectorEvents {
  message(message: ServerMessage): void;
  progress(progress: Progress): void;
  /** A new PeerConnection: what it receives must be played, what is sent put on it. */
  media(media: MediaConnection): void;
  /** The newest answer has been applied: media may flow, wishes are welcome. */
  negotiated(): void;
  /** This browser and this server do not come together; the connector has stopped. */
  gaveUp(): void;
}

/** How long a server may take to answer that it is there, beyond two round trips. */
const PROBE_MS = 4000;
const REPORT_MS = 5000;
/** After this long inside the connection counts as stable: the next failure counts from one again. */
const STEADY_MS = 10_000;
/** An attempt begun so long before the network came waits for the network that was. */
const OPENING_PATIENCE_MS = 5000;

/** Holds a seat: a WebSocket, and media negotiated over it, for ever. */
export class Connector {
  private readonly line: MediaLine;
  private socket: Socket | null = null;
  private welcomed = false;
  /** Has been welcomed before. */
  private inside = false;
  private wasOnline = false;
  private attempt = 0;
  private retryAfterMs = 0;
  private takeover = false;
  private openedAt = 0;
  private roundTripMs = 0;
  private steadyTimer: ReturnType<typeof setTimeout> | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private reportTimer: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly link: Link,
    videoSlots: number,
    beforeFirstOffer: Promise<unknown>,
    private readonly events: ConnectorEvents,
  ) {
    this.line = new MediaLine(videoSlots, beforeFirstOffer, {
      offer: sdp => this.send({ type: 'offer', sdp }),
      media: media => events.media(media),
      negotiated: () => events.negotiated(),
      up: () => this.online(),
      down: trouble => this.failed(trouble),
      doubt: () => this.probe(),
      unanswered: () => this.again('no_answer', SOON_MS),
      gaveUp: () => {
        this.stop();
        events.gaveUp();
      },
    });
  }

  get media(): MediaConnection | null {
    return this.line.media;
  }

  start(takeover: boolean): void {
    this.takeover = takeover;
    this.reportTimer = setInterval(() => void this.sendReport(), REPORT_MS);
    globalThis.addEventListener('online', this.networkCame);
    this.events.progress({ kind: 'connecting', attempt: 0, trouble: null });
    this.connect();
  }

  /** Ends for good. */
  stop(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.steadyTimer);
    clearInterval(this.reportTimer);
    globalThis.removeEventListener('online', this.networkCame);
    this.drop();
    this.line.stop();
  }

  send(message: ClientMessage): void {
    if (this.welcomed) this.socket?.send(message);
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.drop();
    this.openedAt = performance.now();
    const { token, webSocket } = this.link;
    const socket = new Socket(webSocket, {
      opened: () => {
        this.openedAt = performance.now();
        const seat = loadSeat(token);
        const hello = { type: 'hello', version: VERSION, token, takeover: this.takeover } as const;
        socket.send(seat === undefined ? hello : { ...hello, seat });
      },
      message: message => this.receive(message),
      lost: () => this.again('lost', SOON_MS),
    });
    this.socket = socket;
  }

  /** Nothing is sent or received any more on the old connection. */
  private drop(): void {
    this.welcomed = false;
    this.socket?.close();
    this.socket = null;
    this.line.close();
  }

  /** The next attempt after its turn to wait. */
  private again(trouble: Trouble, longestMs: number): void {
    this.drop();
    this.failed(trouble);
    const wait = Math.max(this.retryAfterMs, backoffMs(this.attempt, Math.random(), longestMs));
    this.retryAfterMs = 0;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), wait);
  }

  private failed(trouble: Trouble): void {
    clearTimeout(this.steadyTimer);
    this.attempt += 1;
    const kind = this.wasOnline ? 'reconnecting' : 'connecting';
    this.events.progress({ kind, attempt: this.attempt, trouble });
  }

  private online(): void {
    clearTimeout(this.steadyTimer);
    this.steadyTimer = setTimeout(() => {
      this.attempt = 0;
    }, STEADY_MS);
    this.wasOnline = true;
    this.events.progress({ kind: 'online' });
  }

  /** A healthy call stays as it is; if it is not, the probe or the media will tell. */
  private readonly networkCame = () => {
    const waiting = this.socket === null;
    const stuck = !this.welcomed && performance.now() - this.openedAt > OPENING_PATIENCE_MS;
    if (waiting || stuck) this.connect();
    else if (this.welcomed) {
      this.probe();
      this.line.networkCame();
    }
  };

  private probe(): void {
    this.socket?.probe(PROBE_MS + 2 * this.roundTripMs);
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.welcome(message.seat);
        break;
      case 'answer':
        void this.line.answer(message.sdp);
        break;
      case 'refused':
        if (this.refused(message.code)) return;
        break;
      case 'error':
        this.erred(message.code);
        break;
      case 'media_moved':
        this.line.moved();
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
    this.roundTripMs = performance.now() - this.openedAt;
    this.welcomed = true;
    this.inside = true;
    this.takeover = false;
    this.line.open(this.roundTripMs, !known);
  }

  /** True when the refusal is handled here and need not be shown. */
  private refused(code: ErrorCode): boolean {
    const next = afterRefusal(code, this.inside);
    if (next === 'soon' || next === 'slowly') {
      this.again(code, next === 'soon' ? SOON_MS : SLOWLY_MS);
      return true;
    }
    this.stop();
    return next === 'reload' && reloadOnce();
  }

  private erred(code: ErrorCode): void {
    switch (afterError(code, this.line.offering)) {
      case 'offer_anew':
        this.line.refused(code, 'few_tries');
        break;
      case 'offer_later':
        this.line.refused(code, 'for_ever');
        break;
      case 'reconnect':
        this.again(code, SOON_MS);
        break;
      case 'tell':
        break;
    }
  }

  private async sendReport(): Promise<void> {
    const media = this.line.media;
    if (media?.pc.connectionState !== 'connected') return;
    this.send({ type: 'report', report: await report(media.pc) });
  }
}
