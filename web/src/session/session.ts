import { batch, computed, effect, signal, untracked } from '@preact/signals';
import type { MediaConnection } from '../media/connection';
import { canCaptureScreen, flows } from '../media/devices';
import { Playback } from '../media/playback';
import { WakeLock } from '../media/wakeLock';
import { bannerOf } from '../meeting/banner';
import { reduce } from '../meeting/reduce';
import { type Ending, initialState, type Notice, siteOf } from '../meeting/state';
import type { Action, ActionKind, InvitationView, ServerMessage } from '../protocol/gen';
import { Connector, type Progress } from './connector';
import { invitationOf, type Link, takeLink } from './link';
import { LocalMedia } from './localMedia';
import { Screen } from './screen';

type Phase = 'entry' | 'meeting' | 'ended';

const NOTICE_SHOWN_MS = 7000;
const NOTICES_AT_ONCE = 4;
/** Phones have little screen and little battery. */
const SLOTS = { phone: 6, other: 16 };
/** The offer waits this long for devices: with permission a browser finds more addresses. */
const DEVICES_BEFORE_OFFER_MS = 700;

const COMING: Progress = { kind: 'connecting', attempt: 0, trouble: null };

const isPhone = () => Math.min(screen.width, screen.height) < 500 && navigator.maxTouchPoints > 0;
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

/** Everything the view shows and everything it may ask for. */
export class Session {
  readonly link: Link = takeLink();
  readonly local = new LocalMedia();
  readonly phase = signal<Phase>('entry');
  /** Where the link leads, for the entry page; null while the server has not said. */
  readonly invitation = signal<InvitationView | null>(null);
  readonly state = signal(initialState);
  readonly progress = signal<Progress>(COMING);
  readonly ending = signal<Ending | null>(null);
  readonly notices = signal<{ id: number; notice: Notice }[]>([]);
  readonly media = signal<MediaConnection | null>(null);
  readonly soundBlocked = signal(false);
  readonly screen: Screen;
  /** For durations: goes forward only, whoever sets this machine's clock. Milliseconds. */
  readonly now = signal(performance.now());
  /** For people who look at the time. */
  readonly wallClock = signal(Date.now());
  readonly own = computed(() => siteOf(this.state.value.meeting, this.state.value.you));
  private readonly mutedByChair = computed(() => this.own.value?.microphone === 'muted_by_chair');
  readonly banner = computed(() =>
    bannerOf({
      online: this.progress.value.kind === 'online',
      mediaUp: this.media.value?.connected.value ?? false,
      hasMicrophone: this.local.microphone.value.track !== null,
      silenced: this.local.microphone.value.problem === 'silenced',
      microphoneOpen: this.local.microphoneOpen.value,
      film: this.local.film.value !== null,
      bridge: this.own.value?.microphone ?? null,
    }),
  );
  private readonly playback = new Playback(blocked => {
    this.soundBlocked.value = blocked;
  });
  private readonly wakeLock = new WakeLock();
  private readonly slots = isPhone() ? SLOTS.phone : SLOTS.other;
  private connector: Connector | null = null;
  private opening: Promise<void> | null = null;
  private noticeId = 0;

  constructor() {
    this.screen = new Screen(this.state, this.slots);
    setInterval(() => {
      this.now.value = performance.now();
      this.wallClock.value = Date.now();
    }, 500);
    this.followDevices();
    effect(() => this.keepLit(this.phase.value === 'meeting' ? 'meeting' : 'outside'));
    this.screen.follow(wishes => this.connector?.send({ type: 'wishes', slots: wishes }));
  }

  /** Where the page begins: the entry page, the meeting, or a sentence why not. */
  begin(): void {
    if (typeof RTCPeerConnection === 'undefined') this.end({ kind: 'unsupported' });
    else if (this.link.token === '') this.end({ kind: 'no_link' });
    else if (this.link.direct || this.local.choices.value.direct) this.join();
    else this.prepare();
  }

  private prepare(): void {
    this.openDevices();
    void invitationOf(this.link.token).then(invitation => {
      this.invitation.value = invitation;
    });
  }

  openDevices(): void {
    // Without devices one watches and listens.
    this.opening ??= this.local.open().catch(() => undefined);
  }

  join(takeover = false): void {
    this.openDevices();
    const opened = this.opening ?? Promise.resolve();
    void opened.then(() => this.local.setMicrophone(this.local.choices.value.microphoneOn));
    batch(() => {
      this.state.value = initialState;
      this.ending.value = null;
      this.phase.value = 'meeting';
    });
    this.connector?.stop();
    this.connector = new Connector(
      this.link,
      this.slots,
      Promise.race([opened, pause(DEVICES_BEFORE_OFFER_MS)]),
      {
        message: message => this.receive(message),
        progress: progress => this.progressed(progress),
        media: media => this.useMedia(media),
        negotiated: () => this.negotiated(),
        gaveUp: () => this.end({ kind: 'unfit' }),
      },
    );
    this.connector.start(takeover);
  }

  leave(): void {
    this.connector?.send({ type: 'leave' });
    this.end({ kind: 'left' });
  }

  act(action: Action): void {
    this.connector?.send({ type: 'act', action });
  }

  may(kind: ActionKind): boolean {
    return this.state.value.actions.includes(kind);
  }

  async toggleMicrophone(): Promise<void> {
    if (this.own.value?.microphone === 'muted_by_chair') return;
    await this.local.setMicrophone(!this.local.microphoneOpen.value);
  }

  async toggleCamera(): Promise<void> {
    await this.local.setCamera(this.local.camera.value.track === null);
  }

  async toggleContent(): Promise<void> {
    if (!this.may('share_content') || !canCaptureScreen()) return;
    try {
      const shown = await this.local.setContent(this.local.content.value === null);
      if (shown === 'without_sound') this.tell({ kind: 'filmSilent' });
    } catch {
      this.tell({ kind: 'shareFailed' });
    }
  }

  /** From a click, when the browser refused to play. */
  listen(): void {
    void this.playback.start();
  }

  private receive(message: ServerMessage): void {
    const state = reduce(this.state.value, message, performance.now());
    this.state.value = state;
    for (const notice of state.notices) this.tell(notice);
    if (message.type === 'layers') this.connector?.media?.wantLayers(state.layers);
    if (this.own.value?.microphone === 'muted_by_chair') this.local.microphoneOpen.value = false;
    if (state.ending !== null) this.end(state.ending);
  }

  private progressed(progress: Progress): void {
    const back = progress.kind === 'online' && this.progress.value.kind === 'reconnecting';
    if (back) this.tell({ kind: 'restored', atMs: Date.now() });
    this.progress.value = progress;
    if (progress.kind === 'online') this.sendMediaState();
  }

  private useMedia(media: MediaConnection): void {
    this.media.value = media;
    this.playback.play([...media.slots.map(slot => slot.audio), ...media.audioSlots]);
    media.wantLayers(this.state.value.layers);
  }

  private negotiated(): void {
    this.sendMediaState();
    this.screen.repeat(wishes => this.connector?.send({ type: 'wishes', slots: wishes }));
  }

  /** Whatever the devices do goes to the connection and is told to the bridge. */
  private followDevices(): void {
    effect(() => void this.media.value?.sendMicrophone(this.local.sound.value).catch(() => undefined));
    effect(() => void this.media.value?.sendCamera(this.local.camera.value.track).catch(() => undefined));
    effect(() => void this.media.value?.sendContent(this.local.content.value).catch(() => undefined));
    effect(() => this.playback.useSpeaker(this.local.choices.value.speaker));
    effect(() => {
      this.local.testing.value = this.phase.value === 'entry';
    });
    effect(() => {
      // What the chair has closed and allows again, a film that still runs opens; a microphone its room does.
      void this.mutedByChair.value;
      this.sendMediaState();
    });
  }

  /** A hall watches without touching anything: its screen would go dark. */
  private keepLit(where: 'meeting' | 'outside'): void {
    if (where === 'outside') this.wakeLock.release();
    else if (this.wakeLock.exists) this.wakeLock.hold();
    else untracked(() => this.tell({ kind: 'screenMaySleep' }));
  }

  private sendMediaState(): void {
    const voice = this.local.microphoneOpen.value && flows(this.local.microphone.value);
    const microphone = voice || this.local.film.value !== null;
    const camera = flows(this.local.camera.value);
    const content = this.local.content.value !== null;
    this.connector?.send({ type: 'media', microphone, camera, content });
  }

  private end(ending: Ending): void {
    this.connector?.stop();
    this.connector = null;
    this.playback.stop();
    this.local.stop();
    this.opening = null;
    batch(() => {
      this.media.value = null;
      this.soundBlocked.value = false;
      this.ending.value = ending;
      this.phase.value = 'ended';
    });
  }

  private tell(notice: Notice): void {
    this.noticeId += 1;
    const entry = { id: this.noticeId, notice };
    this.notices.value = [...this.notices.value, entry].slice(-NOTICES_AT_ONCE);
    setTimeout(() => {
      this.notices.value = this.notices.value.filter(one => one !== entry);
    }, NOTICE_SHOWN_MS);
  }
}
