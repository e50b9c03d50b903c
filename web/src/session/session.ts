import { batch, computed, effect, signal } from '@preact/signals';
import type { MediaConnection } from '../media/connection';
import { bannerOf } from '../meeting/banner';
import { reduce } from '../meeting/reduce';
import { type Ending, initialState, siteOf } from '../meeting/state';
import type { Action, ActionKind, ClientMessage, InvitationView, ServerMessage } from '../protocol/gen';
import { Clocks } from './clocks';
import { Connector, type Progress } from './connector';
import { Hearing } from './hearing';
import { keepLit } from './keepLit';
import { invitationOf, type Link, takeLink } from './link';
import { LocalMedia } from './localMedia';
import { Notices } from './notices';
import { Screen } from './screen';
import { Sending } from './sending';
import { Wishes } from './wishes';

type Phase = 'entry' | 'meeting' | 'ended';

/** Phones have little screen and little battery. */
const SLOTS = { phone: 6, other: 16 };
/** The offer waits this long for devices: with permission a browser finds more addresses. */
const DEVICES_BEFORE_OFFER_MS = 700;

const COMING: Progress = { kind: 'connecting', attempt: 0, trouble: null };

const isPhone = () => Math.min(screen.width, screen.height) < 500 && navigator.maxTouchPoints > 0;
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

/**
 * One visit to a meeting, from the entry page to the end: puts the parts together and passes each what happens. What a
 * part knows is read from the part.
 */
export class Session {
  readonly link: Link = takeLink();
  readonly local = new LocalMedia();
  readonly hearing = new Hearing(this.local.choices);
  readonly notices = new Notices();
  readonly clocks = new Clocks();
  readonly phase = signal<Phase>('entry');
  /** Where the link leads, for the entry page; null while the server has not said. */
  readonly invitation = signal<InvitationView | null>(null);
  readonly state = signal(initialState);
  readonly progress = signal<Progress>(COMING);
  readonly ending = signal<Ending | null>(null);
  readonly media = signal<MediaConnection | null>(null);
  readonly mediaUp = computed(() => this.media.value?.connected.value ?? false);
  readonly own = computed(() => siteOf(this.state.value.meeting, this.state.value.you));
  readonly banner = computed(() =>
    bannerOf({
      online: this.progress.value.kind === 'online',
      mediaUp: this.mediaUp.value,
      hasMicrophone: this.local.microphone.value.track !== null,
      silenced: this.local.microphone.value.problem === 'silenced',
      microphoneOpen: this.local.microphoneOpen.value,
      film: this.local.film.value !== null,
      bridge: this.own.value?.microphone ?? null,
    }),
  );
  private readonly slots = isPhone() ? SLOTS.phone : SLOTS.other;
  readonly screen = new Screen(this.state, this.slots);
  readonly sending = new Sending(this.local, {
    media: this.media,
    own: this.own,
    may: kind => this.may(kind),
    send: message => this.send(message),
    tell: notice => this.notices.tell(notice),
  });
  readonly audioOnly = computed(() => this.local.choices.value.audioOnly);
  readonly wishes = new Wishes(this.state, this.screen, this.audioOnly, this.slots, slots =>
    this.send({ type: 'wishes', slots }),
  );
  private readonly mixedSound = computed(() => this.local.choices.value.mixedSound);
  private connector: Connector | null = null;
  private opening: Promise<void> | null = null;

  constructor() {
    const inMeeting = computed(() => this.phase.value === 'meeting');
    keepLit(inMeeting, () => this.notices.tell({ kind: 'screenMaySleep' }));
    effect(() => {
      this.local.testing.value = this.phase.value === 'entry';
    });
    effect(() => this.tellHearing(this.mixedSound.value));
  }

  /** Where the page begins: the entry page, the meeting, or a sentence why neither. */
  begin(): void {
    if (typeof RTCPeerConnection === 'undefined') this.end({ kind: 'unsupported' });
    else if (this.link.token === '') this.end({ kind: 'no_link' });
    else if (this.link.direct || this.local.choices.value.direct) this.join();
    else this.prepare();
  }

  join(takeover = false): void {
    const opened = this.openDevices();
    void opened.then(() => this.local.setMicrophone(this.local.choices.value.microphoneOn));
    batch(() => {
      this.state.value = initialState;
      this.ending.value = null;
      this.phase.value = 'meeting';
    });
    this.connector?.stop();
    this.connector = this.connect(Promise.race([opened, pause(DEVICES_BEFORE_OFFER_MS)]));
    this.connector.start(takeover);
  }

  leave(): void {
    this.send({ type: 'leave' });
    this.end({ kind: 'left' });
  }

  act(action: Action): void {
    this.send({ type: 'act', action });
  }

  may(kind: ActionKind): boolean {
    return this.state.value.actions.includes(kind);
  }

  private prepare(): void {
    void this.openDevices();
    void invitationOf(this.link.token).then(invitation => {
      this.invitation.value = invitation;
    });
  }

  private openDevices(): Promise<void> {
    // Without devices one watches and listens.
    this.opening ??= this.local.open().catch(() => undefined);
    return this.opening;
  }

  private connect(beforeFirstOffer: Promise<unknown>): Connector {
    return new Connector(this.link, this.slots, beforeFirstOffer, {
      message: message => this.receive(message),
      progress: progress => this.progressed(progress),
      media: media => this.useMedia(media),
      negotiated: () => this.negotiated(),
      gaveUp: () => this.end({ kind: 'unfit' }),
    });
  }

  private send(message: ClientMessage): void {
    this.connector?.send(message);
  }

  private receive(message: ServerMessage): void {
    const state = reduce(this.state.value, message, performance.now());
    this.state.value = state;
    for (const notice of state.notices) this.notices.tell(notice);
    if (message.type === 'layers') this.connector?.media?.wantLayers(state.layers);
    if (this.own.value?.microphone === 'muted_by_chair') this.local.microphoneOpen.value = false;
    if (state.ending !== null) this.end(state.ending);
  }

  private progressed(progress: Progress): void {
    const back = progress.kind === 'online' && this.progress.value.kind === 'reconnecting';
    if (back) this.notices.tell({ kind: 'restored', atMs: Date.now() });
    this.progress.value = progress;
    if (progress.kind === 'online') this.sending.tellBridge();
  }

  private useMedia(media: MediaConnection): void {
    this.media.value = media;
    this.hearing.play(media);
    media.wantLayers(this.state.value.layers);
  }

  private negotiated(): void {
    this.sending.tellBridge();
    this.wishes.repeat();
    this.tellHearing(this.mixedSound.value);
  }

  private tellHearing(mixed: boolean): void {
    this.send({ type: 'hearing', mixed });
  }

  private end(ending: Ending): void {
    this.connector?.stop();
    this.connector = null;
    this.hearing.stop();
    this.local.stop();
    this.opening = null;
    batch(() => {
      this.media.value = null;
      this.ending.value = ending;
      this.phase.value = 'ended';
    });
  }
}
