import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { type Area, arrange, placesFor } from '../meeting/layout';
import { guestOf, viewOf, withGuest } from '../meeting/pages';
import type { MeetingState } from '../meeting/state';
import {
  contentsOf,
  type LayoutChoice,
  otherLayout,
  sceneOf,
  sourceKey,
  type VideoSource,
} from '../meeting/tiles';

/** What this device shows: layout choice → page → places. */
export class Screen {
  readonly area = signal<Area>({ width: 0, height: 0 });
  readonly layout = signal<LayoutChoice>('auto');
  readonly pinned = signal<VideoSource | null>(null);
  /** The sources on view, which page of how many they are, and which source from another page is among them. */
  readonly view;
  readonly placed;
  /** What the layout button changes to; null: there is nothing to change. */
  readonly otherLayout;
  private readonly page = signal(0);
  private guest: VideoSource | null = null;

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
  }

  changeLayout(): void {
    const other = this.otherLayout.value;
    this.pinned.value = null;
    if (other !== null) this.layout.value = other;
  }

  pin(source: VideoSource | null): void {
    this.pinned.value = source;
    if (source !== null) this.layout.value = 'stage';
  }

  /** To the next page or the one before; after the last comes the first. */
  turn(by: 1 | -1): void {
    const { page, pages } = this.view.value;
    this.page.value = (page + by + pages) % pages;
  }

  /** What a site begins to present is large, whatever this device was looking at; then it may choose again. */
  private comeIntoView(): void {
    let known: string[] = [];
    effect(() => {
      const presented = contentsOf(this.state.value).map(sourceKey);
      const begun = presented.some(key => !known.includes(key));
      known = presented;
      if (!begun) return;
      this.pinned.value = null;
      if (untracked(() => this.layout.value) === 'grid') this.layout.value = 'auto';
    });
  }
}
