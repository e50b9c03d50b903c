/**
 * A page on a line that can be cut, for the tests of coming back: what a browser and a server do on either end of it, in
 * virtual time. Figures are those of Chromium on a system that repeats a SYN after 1, 3, 7 and 15 s.
 */
import { vi } from 'vitest';
import type { ClientMessage, ServerMessage } from '../src/protocol/gen';
import { answer, Page, pass, welcome } from './connectorPage';
import { FakePc, FakeSocket, pretendBrowser, server } from './fakes';

const SYN_MS = [0, 1000, 3000, 7000, 15_000, 31_000];
/** TCP, TLS, the upgrade. */
const OPENING_TRIPS = 4;
/** From the answer on: checks, and a handshake where the connection is a new one. */
const MEDIA_TRIPS = { restart: 2, fresh: 6 };
/** Without an answer to a check ICE is disconnected, then failed; its pair is checked until it is deleted. */
const DISCONNECTED_MS = 5500;
const FAILED_MS = 18_000;
const DELETED_MS = 30_000;
const CHECK_MS = 500;
/** The server's (`PING_INTERVAL_S` of the protocol). */
const PING_MS = 5000;
/** Chromium lets a page wait of whose attempts within some minutes more have failed than not. */
const throttleMs = (failed: number, opened: number) => 3000 * 2 ** (Math.min(failed / (opened + 1), 16) - 16);

export class Line {
  readonly tripMs: number;
  /** Nothing gets through. */
  dark = false;
  /** The process is gone: connections are closed, and new ones refused. */
  down = false;
  seat = 'seat';
  /** WebSockets within the last minutes. */
  readonly attempts = { failed: 0, opened: 0 };
  /** What was there before this is of another network, and dead. */
  changedAt = 0;
  /** UDP is dropped since then; a restart finds TCP. */
  udpGoneAt = Number.POSITIVE_INFINITY;
  /** A restart finds nothing, and only a new connection helps. */
  restartsInVain = false;
  readonly page: Page;

  constructor(tripMs: number) {
    pretendBrowser();
    this.tripMs = tripMs;
    server.answers = () => this.answers();
    vi.stubGlobal('WebSocket', class extends LineSocket {});
    Object.assign(globalThis.WebSocket, { OPEN: 1 });
    LineSocket.line = this;
    LinePc.line = this;
    vi.stubGlobal('RTCPeerConnection', LinePc);
    this.page = new Page();
    this.page.connector.start(false);
  }

  get carries(): boolean {
    return !this.dark && !this.down;
  }

  /** Whether media comes just now. */
  get flows(): boolean {
    return (FakePc.all.at(-1) as LinePc | undefined)?.flows ?? false;
  }

  /** How long it takes until media flows; at most `ms`. */
  async untilMedia(ms: number): Promise<number> {
    const begun = performance.now();
    while (!this.flows && performance.now() - begun < ms) await pass(20);
    return performance.now() - begun;
  }

  /** In a meeting that has gone on for long. */
  async blackout(ms: number): Promise<void> {
    this.attempts.opened = 0;
    this.dark = true;
    await pass(ms);
    this.dark = false;
  }

  /** kill -9: the kernel closes what was open, and a supervisor starts a process that knows nobody. */
  async dies(ms: number): Promise<void> {
    this.down = true;
    this.seat = `${this.seat}+`;
    for (const socket of FakeSocket.all) (socket as LineSocket).closedByPeer();
    await pass(ms);
    this.down = false;
  }

  private async answers(): Promise<boolean> {
    await new Promise(resolve => setTimeout(resolve, OPENING_TRIPS * this.tripMs));
    if (this.dark) return new Promise(() => undefined);
    return !this.down;
  }
}

class LineSocket extends FakeSocket {
  static line: Line;
  private readonly line = LineSocket.line;
  private madeAt = performance.now();

  constructor() {
    super();
    const { failed, opened } = this.line.attempts;
    this.madeAt += throttleMs(failed, opened);
    for (const ms of SYN_MS) setTimeout(() => this.syn(), this.madeAt + ms - performance.now());
  }

  override send(text: string): void {
    super.send(text);
    const message: ClientMessage = JSON.parse(text);
    setTimeout(() => this.answered(message), this.line.tripMs);
  }

  override close(): void {
    if (this.readyState === 0) this.line.attempts.failed += 1;
    super.close();
  }

  closedByPeer(): void {
    if (this.readyState === 1 && !this.line.dark) this.breaks();
  }

  private syn(): void {
    if (this.readyState !== 0 || this.line.dark) return;
    if (this.line.down) {
      this.line.attempts.failed += 1;
      this.breaks();
      return;
    }
    setTimeout(() => {
      if (this.readyState !== 0 || !this.line.carries) return;
      this.line.attempts.opened += 1;
      this.open();
      setInterval(() => this.lives && this.says({ type: 'ping', n: 1 }), PING_MS);
    }, OPENING_TRIPS * this.line.tripMs);
  }

  private get lives(): boolean {
    return this.readyState === 1 && this.line.carries && this.madeAt >= this.line.changedAt;
  }

  private answered(message: ClientMessage): void {
    if (!this.lives) return;
    const replies: Partial<Record<ClientMessage['type'], ServerMessage>> = {
      hello: welcome(this.line.seat),
      offer: answer,
      ping: { type: 'pong', n: 1 },
    };
    const reply = replies[message.type];
    if (reply !== undefined) this.says(reply);
  }
}

class LinePc extends FakePc {
  static line: Line;
  iceConnectionState: RTCIceConnectionState = 'new';
  oniceconnectionstatechange: (() => void) | null = null;
  private readonly line = LinePc.line;
  private seat = this.line.seat;
  /** When its ways were last looked for. */
  private foundAt = performance.now();
  private heardAt = performance.now();
  private readonly timer = setInterval(() => this.check(), CHECK_MS);
  private count = 0;

  /** Packets come. */
  get flows(): boolean {
    return this.reaches && this.connectionState === 'connected';
  }

  private get reaches(): boolean {
    const { line } = this;
    const udp = performance.now() < line.udpGoneAt || this.foundAt >= line.udpGoneAt;
    return line.carries && udp && this.foundAt >= line.changedAt && this.seat === line.seat;
  }

  override async setRemoteDescription(): Promise<void> {
    this.signalingState = 'stable';
    if (this.seat !== this.line.seat && this.offers.length > 1)
      throw new DOMException('', 'InvalidAccessError');
    this.seat = this.line.seat;
    const offer = this.offers.at(-1) ?? 'fresh';
    if (offer === 'restart' && this.line.restartsInVain) return;
    const trips = MEDIA_TRIPS[offer];
    setTimeout(() => {
      this.foundAt = performance.now();
      this.check();
    }, trips * this.line.tripMs);
  }

  override async getStats() {
    if (this.flows) this.count += 1;
    return new Map(Object.entries({ pair: { type: 'candidate-pair', bytesReceived: this.count } }));
  }

  override close(): void {
    clearInterval(this.timer);
    super.close();
  }

  private check(): void {
    if (this.closed) return;
    if (FakePc.scouts.includes(this)) {
      const { seat } = FakePc.last as LinePc;
      if (!this.line.carries || seat !== this.line.seat || this.signalingState !== 'stable') return;
      this.iceConnectionState = 'connected';
      this.oniceconnectionstatechange?.();
      return;
    }
    if (this.connectionState === 'new' && this.signalingState !== 'stable') return;
    const silentMs = performance.now() - this.heardAt;
    if (this.reaches && (silentMs < DELETED_MS || this.foundAt > this.heardAt)) {
      this.heardAt = performance.now();
      this.turn('connected');
    } else if (silentMs >= FAILED_MS) this.turn('failed');
    else if (silentMs >= DISCONNECTED_MS && this.connectionState === 'connected') this.turn('disconnected');
  }

  private turn(state: RTCPeerConnectionState): void {
    if (this.connectionState !== state) this.becomes(state);
  }
}
