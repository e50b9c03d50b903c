import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { type Area, arrange, pixelHeights, placesFor } from '../meeting/layout';
import { guestOf, viewOf, withGuest } from '../meeting/pages';
import { type Assignment, assignSlots, byPriority, type Line, wishesOf } from '../meeting/slots';
import { type MeetingState, siteOf } from '../meeting/state';
import {
  contentsOf,
  type LayoutChoice,
  otherLayout,
  type Picture,
  pictureKey,
  sceneOf,
} from '../meeting/tiles';
import type { SlotWish } from '../protocol/gen';

const WISH_DELAY_MS = 150;
/** More pictures may be what made the line poor: it is trusted with them again when it was better for so long. */
const TRUST_AGAIN_MS = 60_000;

/** What this device shows and therefore wishes: layout choice → page → places → slots → wishes. */
export class Screen {
  readonly area = signal<Area>({ width: 0, height: 0 });
  readonly layout = signal<LayoutChoice>('auto');
  readonly pinned = signal<Picture | null>(null);
  /** The pictures on view, which page of how many they are, and who from another page is among them. */
  readonly view;
  readonly placed;
  /** What the layout button changes to; null: there is nothing to change. */
  readonly otherLayout;
  private readonly page = signal(0);
  private readonly line = signal<Line>('not_known_to_be_poor');
  private readonly wishes;
  private guest: Picture | null = null;
  private assignment: Assignment = [];
  private sent = '';
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly state: ReadonlySignal<MeetingState>,
    capacity: number,
  ) {
    const scene = computed(() => sceneOf(state.value, this.layout.value, this.pinned.value));
    const gap = computed(() => Math.round(Math.max(6, this.area.value.width / 180)));
    this.view = computed(() => {
      const slots = scene.value.stage === null ? capacity : capacity - 1;
      const places = Math.min(slots, placesFor(scene.value, this.area.value, gap.value));
      const view = viewOf(scene.value, places, this.page.value);
      this.guest = guestOf(state.value, scene.value, view, this.guest);
      return withGuest(view, this.guest);
    });
    this.otherLayout = computed(() => otherLayout(state.value, scene.value));
    this.comeIntoView();
    this.placed = computed(() => arrange(this.view.value, this.area.value, gap.value));
    this.wishes = computed(() => this.computeWishes(capacity));
    this.watchLine();
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

  changeLayout(): void {
    const other = this.otherLayout.value;
    this.pinned.value = null;
    if (other !== null) this.layout.value = other;
  }

  pin(picture: Picture | null): void {
    this.pinned.value = picture;
    if (picture !== null) this.layout.value = 'stage';
  }

  /** To the next page or the one before; behind the last comes the first. */
  turn(by: 1 | -1): void {
    const { page, pages } = this.view.value;
    this.page.value = (page + by + pages) % pages;
  }

  /** What somebody begins to present is large, whatever this device was looking at; then it may choose again. */
  private comeIntoView(): void {
    let known: string[] = [];
    effect(() => {
      const presented = contentsOf(this.state.value).map(pictureKey);
      const begun = presented.some(key => !known.includes(key));
      known = presented;
      if (!begun) return;
      this.pinned.value = null;
      if (untracked(() => this.layout.value) === 'grid') this.layout.value = 'auto';
    });
  }

  private watchLine(): void {
    const grade = computed(() => {
      const { you, links } = this.state.value;
      return you === null ? null : links.get(you)?.grade;
    });
    effect(() => {
      if (grade.value === 'poor') {
        this.line.value = 'poor';
        return undefined;
      }
      const timer = setTimeout(() => {
        this.line.value = 'not_known_to_be_poor';
      }, TRUST_AGAIN_MS);
      return () => clearTimeout(timer);
    });
  }

  private offer(wishes: (SlotWish | null)[], send: (wishes: (SlotWish | null)[]) => void): void {
    const text = JSON.stringify(wishes);
    if (text === this.sent || wishes.every(wish => wish === null && this.sent === '')) return;
    this.sent = text;
    send(wishes);
  }

  private computeWishes(capacity: number): (SlotWish | null)[] {
    const state = this.state.value;
    const wanted = byPriority(state, this.view.value).filter(
      picture =>
        picture.kind === 'content' ||
        siteOf(state.meeting, picture.site)?.presence !== 'lost' ||
        this.holds(picture),
    );
    this.assignment = assignSlots(this.assignment, wanted, capacity, this.forced(state));
    const heights = pixelHeights(this.placed.value, globalThis.devicePixelRatio || 1);
    return wishesOf(this.assignment, heights, this.line.value);
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
