import { MediaConnection } from '../media/connection';
import { arrivedOf, statsOf } from '../media/report';
import type { Trouble } from '../meeting/refusal';
import type { Sdp } from '../protocol/gen';
import { packSdp, unpackSdp } from '../protocol/sdp';
import { backoffMs, SLOWLY_MS, SOON_MS } from './backoff';
import { LOOK_MS, Pulse } from './pulse';

export interface MediaLineEvents {
  /** The offer to send. */
  offer(sdp: Sdp): void;
  /** A new PeerConnection: what it receives must be played, what is sent put on it. */
  media(media: MediaConnection): void;
  /** The newest answer has been applied: media may flow, wishes are welcome. */
  negotiated(): void;
  up(): void;
  /** An attempt has failed, and another one follows. */
  down(trouble: Trouble): void;
  /** Media stands still: is the server still there? */
  stopped(): void;
  /** Something comes again. */
  came(): void;
  /** The server does not answer offers on this connection. */
  unanswered(): void;
  /** This browser and this server do not come together. */
  gaveUp(): void;
}

/** What a server does at once, with room for a machine that is busy; a round trip is added. */
const ANSWER_MS = 10_000;
/** Longer than a slow line needs for DTLS, shorter than people's patience; see `ROUND_TRIPS`. */
const MEDIA_MS = 6000;
/**
 * The same for new ways of a connection on which nothing comes: Chromium leaves a dead one for a better one after 2 s.
 * Where none is found a new PeerConnection is made, which finds one in cases that are not understood.
 */
const RESTART_MS = 3000;
/** Checks of ICE, and DTLS 1.2 with its cookie, take four; a lost flight takes another two. */
const ROUND_TRIPS = 6;
/** However often it failed: browsers themselves give up checking after about half of this. */
const LONGEST_MEDIA_MS = 60_000;
/** A gap that has lasted this long, although another way was looked for at its first sign, is told to people. */
const GAP_MS = 2500;
/** After this long up the line counts as stable: the next failure counts from one again. */
const STABLE_MS = 10_000;
/** Offers that this server refuses, or answers that this browser cannot use, in a row. */
const UNUSABLE_TRIES = 4;

/**
 * Keeps sound and video flowing over a connection that carries offers and answers: never more than
 * one offer at a time, an ICE restart first, a new PeerConnection after that, slower and slower. The restart begins with
 * the first sign of a gap, which may be short: what comes meanwhile is heard and seen.
 */
export class MediaLine {
  media: MediaConnection | null = null;
  /** The server's newest, as text. */
  lastAnswer: string | null = null;
  /** Without a connection there is nothing to negotiate over; media itself may still flow. */
  private phase: 'closed' | 'waiting' | 'offering' | 'connecting' | 'up' = 'closed';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private gap: ReturnType<typeof setTimeout> | undefined;
  private readonly look: ReturnType<typeof setInterval>;
  private pulse = new Pulse();
  private failures = 0;
  private unusable = 0;
  /** The newest offer looks for other ways of what there is. */
  private restarting = false;
  private roundTripMs = 0;

  constructor(
    private readonly videoSlots: number,
    private readonly beforeFirstOffer: Promise<unknown>,
    private readonly events: MediaLineEvents,
  ) {
    this.look = setInterval(() => void this.feel(), LOOK_MS);
  }

  /** Something came just now. */
  get comes(): boolean {
    return this.pulse.beats;
  }

  get offering(): boolean {
    return this.phase === 'offering';
  }

  /**
   * A connection is there. `fresh`: the server knows nothing of the PeerConnection there was. One that brings media needs
   * nothing; but an offer that was lost with the last connection may have been taken all the same.
   */
  open(roundTripMs: number, fresh: boolean): void {
    this.roundTripMs = roundTripMs;
    const { media, pulse } = this;
    if (fresh || !pulse.beats || media?.pc.signalingState !== 'stable') void this.negotiate(fresh);
    else {
      this.connected();
      this.events.negotiated();
    }
  }

  /** The connection is gone. */
  close(): void {
    this.enter('closed');
    clearTimeout(this.gap);
  }

  /** Ends for good. */
  stop(): void {
    this.close();
    clearInterval(this.look);
    this.media?.close();
    this.media = null;
  }

  /** The meeting goes on at another worker of the server, which knows nothing of the PeerConnection there was. */
  moved(): void {
    if (this.phase !== 'closed') void this.negotiate(true);
  }

  /** The network of this machine has changed; what flows is not touched. */
  networkCame(): void {
    if (this.phase === 'waiting') void this.negotiate(true);
    else if (this.flows && this.media?.pc.connectionState !== 'connected') this.fail('no_media');
  }

  async answer(sdp: Sdp): Promise<void> {
    const { media } = this;
    if (media === null || this.phase !== 'offering') return;
    this.enter('connecting', this.mediaMs, () => this.fail('no_media'));
    try {
      this.lastAnswer = await unpackSdp(sdp);
      await media.answer(this.lastAnswer);
    } catch {
      // Either the server behind the address is a new one, whose keys do not fit the old connection, or this browser
      // cannot read it at all: the next offer, of a new connection, will show it.
      if (this.is(media, 'connecting')) this.failUnusable('unusable');
      return;
    }
    if (!this.is(media, 'connecting')) return;
    this.unusable = 0;
    this.events.negotiated();
    this.mayBeUp();
  }

  /** The offer cannot be taken as it is, or not now. */
  refused(trouble: Trouble, patience: 'few_tries' | 'for_ever'): void {
    if (this.phase !== 'offering') return;
    if (patience === 'few_tries') this.failUnusable(trouble);
    else this.fail(trouble);
  }

  private get flows(): boolean {
    return this.phase === 'connecting' || this.phase === 'up';
  }

  private get mediaMs(): number {
    const trips = ROUND_TRIPS * this.roundTripMs;
    if (this.restarting) return RESTART_MS + trips;
    return Math.min(LONGEST_MEDIA_MS, (MEDIA_MS + trips) * 2 ** Math.min(this.failures, 4));
  }

  private enter(phase: MediaLine['phase'], ms?: number, then?: () => void): void {
    clearTimeout(this.timer);
    this.phase = phase;
    if (ms !== undefined && then !== undefined) this.timer = setTimeout(then, ms);
  }

  private is(media: MediaConnection, phase: MediaLine['phase']): boolean {
    return media === this.media && this.phase === phase;
  }

  private async negotiate(fresh: boolean): Promise<void> {
    const answerMs = ANSWER_MS + this.roundTripMs;
    this.enter('waiting');
    if (this.media === null) await this.beforeFirstOffer;
    if (this.phase !== 'waiting') return;
    const old = this.media;
    const restart = !fresh && old?.usable === true;
    this.restarting = restart;
    const media = restart ? old : this.build();
    this.enter('offering', answerMs, () => this.events.unanswered());
    try {
      const sdp = await packSdp(await media.offer(restart));
      if (this.is(media, 'offering')) this.events.offer(sdp);
    } catch {
      if (this.is(media, 'offering')) this.failUnusable('unusable');
    }
  }

  private build(): MediaConnection {
    this.media?.close();
    const media = new MediaConnection(this.videoSlots, state => this.changed(media, state));
    this.media = media;
    this.pulse = new Pulse();
    this.events.media(media);
    return media;
  }

  private changed(media: MediaConnection, state: RTCPeerConnectionState): void {
    if (media !== this.media) return;
    if (state === 'connected' && !this.flows) this.cameBack();
    if (!this.flows) return;
    if (state === 'connected') this.mayBeUp();
    if (state === 'failed') this.standsStill();
    if (state === 'disconnected' && this.phase === 'up') this.doubt();
  }

  /** Looks whether anything comes, and what is lost on the way up. */
  private async feel(): Promise<void> {
    const { media, pulse } = this;
    if (media === null) return;
    const stats = await statsOf(media.pc).catch(() => []);
    if (media !== this.media) return;
    media.heed(stats);
    const news = pulse.look(performance.now(), arrivedOf(stats));
    if (news === null) return;
    media.flows(news === 'came');
    if (news === 'stopped' && this.phase === 'up') this.doubt();
    if (news === 'came') {
      this.mayBeUp();
      this.cameBack();
    }
  }

  /** The browser's own checks have found a way, whatever becomes of the WebSocket and of an offer. */
  private cameBack(): void {
    clearTimeout(this.gap);
    this.events.came();
  }

  /** The browser may call a line connected for seconds on which nothing comes. */
  private mayBeUp(): void {
    if (this.flows && !this.pulse.silent && this.media?.pc.connectionState === 'connected') this.connected();
  }

  private connected(): void {
    clearTimeout(this.gap);
    this.enter('up', STABLE_MS, () => {
      this.failures = 0;
    });
    this.events.up();
  }

  /** The first sign of a gap. After another one just now the way that was found then is given time. */
  private doubt(): void {
    this.events.stopped();
    if (this.failures > 0) {
      this.enter('up', GAP_MS, () => this.standsStill());
      return;
    }
    this.failures = 1;
    clearTimeout(this.gap);
    this.gap = setTimeout(() => this.events.down('no_media'), GAP_MS);
    void this.negotiate(false);
  }

  private standsStill(): void {
    this.events.stopped();
    this.fail('no_media');
  }

  private failUnusable(trouble: Trouble): void {
    this.unusable += 1;
    if (this.unusable < UNUSABLE_TRIES) this.fail(trouble);
    else this.events.gaveUp();
  }

  private fail(trouble: Trouble): void {
    clearTimeout(this.gap);
    this.failures += 1;
    const restart = trouble === 'no_media' && this.failures === 1;
    const longest = trouble === 'no_media' ? SOON_MS : SLOWLY_MS;
    const wait = restart ? 0 : backoffMs(this.failures, Math.random(), longest);
    this.enter('waiting', wait, () => void this.negotiate(!restart));
    this.events.down(trouble);
  }
}
