import type { MediaConnection } from '../media/connection';
import { report } from '../media/report';
import { Scout } from '../media/scout';
import { afterError, afterRefusal, type Trouble } from '../meeting/refusal';
import { type ClientMessage, type ErrorCode, type ServerMessage, VERSION } from '../protocol/gen';
import { Socket } from '../protocol/socket';
import { Attempts } from './attempts';
import { SLOWLY_MS, SOON_MS } from './backoff';
import { answers, watchNetwork } from './hints';
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
/** Media has stopped, and so long the server has said nothing either: another connection is tried beside this one. */
const DOUBT_MS = 300;
const REPORT_MS = 5000;
/** After this long inside the connection counts as stable: the next failure counts from one again. */
const STEADY_MS = 10_000;
/** A greeting so old, when the network comes, went into the network that was. */
const GREETING_PATIENCE_MS = 5000;

/** Holds a seat: a WebSocket, and media negotiated over it, for ever. */
export class Connector {
  private readonly line: MediaLine;
  private readonly attempts = new Attempts();
  private socket: Socket | null = null;
  /** The attempt that has not come through yet. Where there is a socket, it is in doubt, and this one is beside it. */
  private opening: Socket | null = null;
  /** Beside the attempts, while no media comes either. */
  private scout: Scout | null = null;
  private welcomed = false;
  /** Has been welcomed before. */
  private inside = false;
  private wasOnline = false;
  /** What has failed within one interruption. */
  private attempt = 0;
  private asking = false;
  private retryAfterMs = 0;
  private takeover = false;
  private openedAt = 0;
  private roundTripMs = 0;
  private steadyTimer: ReturnType<typeof setTimeout> | undefined;
  private attemptTimer: ReturnType<typeof setTimeout> | undefined;
  private doubtTimer: ReturnType<typeof setTimeout> | undefined;
  private reportTimer: ReturnType<typeof setInterval> | undefined;
  private unwatch: () => void = () => undefined;

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
      stopped: () => this.doubt(),
      came: () => this.found(),
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
    this.unwatch = watchNetwork(
      () => this.networkCame(),
      () => this.perhapsThere(),
    );
    this.events.progress({ kind: 'connecting', attempt: 0, trouble: null });
    this.connect();
  }

  /** Ends for good. */
  stop(): void {
    this.unwatch();
    this.attempts.stop();
    clearTimeout(this.attemptTimer);
    clearTimeout(this.steadyTimer);
    clearInterval(this.reportTimer);
    this.giveUpAttempt();
    this.callScoutBack();
    this.drop();
    this.line.stop();
  }

  send(message: ClientMessage): void {
    if (this.welcomed) this.socket?.send(message);
  }

  private connect(): void {
    this.giveUpAttempt();
    this.attempts.begin(performance.now());
    const socket: Socket = new Socket(this.link.webSocket, {
      opened: () => this.opened(socket),
      heard: () => this.heard(),
      message: message => this.receive(message),
      lost: () => (socket === this.opening ? this.attemptFailed() : this.again('lost', SOON_MS)),
    });
    this.opening = socket;
    this.turn();
  }

  /** Takes the place of the connection there was. */
  private opened(socket: Socket): void {
    if (socket !== this.opening) return;
    this.opening = null;
    this.callScoutBack();
    this.drop();
    this.attempts.opened(performance.now());
    this.socket = socket;
    this.openedAt = performance.now();
    const { token } = this.link;
    const seat = loadSeat(token);
    const hello = { type: 'hello', version: VERSION, token, takeover: this.takeover } as const;
    socket.send(seat === undefined ? hello : { ...hello, seat });
  }

  /** The connection that was in doubt is there, and needs none beside it. */
  private heard(): void {
    clearTimeout(this.doubtTimer);
    if (this.opening === null) return;
    this.giveUpAttempt();
    this.attempts.stop();
  }

  private giveUpAttempt(): void {
    this.opening?.close();
    this.opening = null;
  }

  private attemptFailed(): void {
    this.giveUpAttempt();
    if (this.socket === null) this.again('lost', SOON_MS);
    else this.attempts.stop();
  }

  /** What the attempts want to be done by now. */
  private turn(): void {
    const now = performance.now();
    clearTimeout(this.attemptTimer);
    const step = this.attempts.poll(now);
    if (step === 'begin') this.connect();
    else if (step === 'give_up') this.attemptFailed();
    else {
      if (step === 'ask') void this.ask();
      const { wakeAt } = this.attempts;
      if (wakeAt < Number.POSITIVE_INFINITY) this.attemptTimer = setTimeout(() => this.turn(), wakeAt - now);
    }
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const there = await answers();
    this.asking = false;
    if (there) this.perhapsThere();
  }

  /** Nothing is sent or received any more on the old connection. */
  private drop(): void {
    clearTimeout(this.doubtTimer);
    this.welcomed = false;
    this.socket?.close();
    this.socket = null;
    this.line.close();
  }

  /** The next attempt after its turn to wait, if none has begun. */
  private again(trouble: Trouble, longestMs: number): void {
    this.drop();
    this.failed(trouble);
    this.sendScout();
    if (this.opening !== null) return;
    this.attempts.failed(performance.now(), this.attempt, longestMs, this.retryAfterMs);
    if (trouble !== 'lost') this.attempts.hold();
    this.retryAfterMs = 0;
    this.turn();
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
  private networkCame(): void {
    if (this.welcomed) {
      this.probe();
      this.line.networkCame();
    } else this.perhapsThere();
  }

  /** Something says that the server can be reached: what waits does so no longer. */
  private perhapsThere(): void {
    const now = performance.now();
    const stuck = this.socket !== null && !this.welcomed && now - this.openedAt > GREETING_PATIENCE_MS;
    if (stuck) this.connect();
    if (this.socket !== null) return;
    this.attempts.cue(now);
    this.turn();
  }

  /** Media comes, or would: so the line is there. */
  private found(): void {
    this.callScoutBack();
    if (this.socket === null) this.perhapsThere();
  }

  private sendScout(): void {
    const { lastAnswer, comes } = this.line;
    if (lastAnswer !== null && !comes) this.scout ??= new Scout(lastAnswer, () => this.found());
  }

  private callScoutBack(): void {
    this.scout?.stop();
    this.scout = null;
  }

  /** Nothing comes on the media line. Where the server is silent, too, it is looked for beside that. */
  private doubt(): void {
    this.probe();
    clearTimeout(this.doubtTimer);
    if (this.opening === null)
      this.doubtTimer = setTimeout(() => this.connect(), DOUBT_MS + 2 * this.roundTripMs);
  }

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
    this.attempts.learn(this.roundTripMs);
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
