import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { type Area, arrange, pixelHeights } from '../meeting/layout';
import { type Assignment, assignSlots, wishesOf } from '../meeting/slots';
import { type MeetingState, siteOf } from '../meeting/state';
import { byPriority, type LayoutChoice, type Picture, sceneOf } from '../meeting/tiles';
import type { SlotWish } from '../protocol/gen';

const WISH_DELAY_MS = 150;

/** What this device shows and therefore wishes: layout choice → places → slots → wishes. */
export class Screen {
  readonly area = signal<Area>({ width: 0, height: 0 });
  readonly layout = signal<LayoutChoice>('grid');
  readonly pinned = signal<Picture | null>(null);
  readonly arrangement;
  private readonly scene;
  private readonly wishes;
  private assignment: Assignment = [];
  private sent = '';
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly state: ReadonlySignal<MeetingState>,
    capacity: number,
  ) {
    this.scene = computed(() => sceneOf(state.value, this.layout.value, this.pinned.value));
    const gap = computed(() => Math.round(Math.max(6, this.area.value.width / 180)));
    this.arrangement = computed(() => arrange(this.scene.value, this.area.value, gap.value));
    this.wishes = computed(() => this.computeWishes(capacity));
  }

  /** Calls `send` with the wishes whenever they have changed, once things are quiet. */
  follow(send: (wishes: (SlotWish | null)[]) => void): () => void {
    return effect(() => {
      const wishes = this.wishes.value;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.offer(wishes, send), this.sent === '' ? 0 : WISH_DELAY_MS);
    });
  }

  /** A new connection knows nothing: the wishes must be said again. */
  repeat(send: (wishes: (SlotWish | null)[]) => void): void {
    this.sent = '';
    this.offer(
      untracked(() => this.wishes.value),
      send,
    );
  }

  pin(picture: Picture | null): void {
    this.pinned.value = picture;
    if (picture !== null) this.layout.value = 'stage';
  }

  private offer(wishes: (SlotWish | null)[], send: (wishes: (SlotWish | null)[]) => void): void {
    const text = JSON.stringify(wishes);
    if (text === this.sent || wishes.every(wish => wish === null && this.sent === '')) return;
    this.sent = text;
    send(wishes);
  }

  private computeWishes(capacity: number): (SlotWish | null)[] {
    const state = this.state.value;
    const wanted = byPriority(state, this.scene.value).filter(
      picture =>
        picture.kind === 'content' ||
        siteOf(state.meeting, picture.site)?.presence !== 'lost' ||
        this.holds(picture),
    );
    this.assignment = assignSlots(this.assignment, wanted, capacity, this.forced(state));
    return wishesOf(this.assignment, pixelHeights(this.arrangement.value, globalThis.devicePixelRatio || 1));
  }

  /** A lost site keeps the slot with its last picture. */
  private holds(picture: Picture): boolean {
    return this.assignment.some(held => held?.site === picture.site && held.kind === picture.kind);
  }

  private forced(state: MeetingState): Picture | null {
    const site = siteOf(state.meeting, state.meeting?.big_screen ?? null);
    if (site === null || site.id === state.you) return null;
    return { site: site.id, kind: site.content ? 'content' : 'camera' };
  }
}
