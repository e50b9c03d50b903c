import { computed, effect, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { pixelHeights } from '../meeting/layout';
import { type Assignment, assignSlots, byPriority, type Line, wishesOf } from '../meeting/slots';
import { type MeetingState, siteOf } from '../meeting/state';
import { sameSource, type VideoSource } from '../meeting/tiles';
import type { SlotWish } from '../protocol/gen';
import type { Screen } from './screen';

const WISH_DELAY_MS = 150;
/** Larger layers may be what made the line poor: it is trusted with them again when it was better for so long. */
const TRUST_AGAIN_MS = 60_000;

type SlotWishes = (SlotWish | null)[];

/** What this device wishes for because its screen shows it: places → slots → wishes. */
export class Wishes {
  private readonly line = signal<Line>('not_known_to_be_poor');
  /** The source that each slot is to carry. */
  readonly assignment;
  private readonly wishes;
  private assigned: Assignment = [];
  private sent = '';
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` is called whenever the wishes have changed, once things are quiet. */
  constructor(
    private readonly state: ReadonlySignal<MeetingState>,
    private readonly screen: Pick<Screen, 'view' | 'placed'>,
    private readonly audioOnly: ReadonlySignal<boolean>,
    private readonly capacity: number,
    private readonly send: (wishes: SlotWishes) => void,
  ) {
    this.assignment = computed(() => this.assign());
    this.wishes = computed(() => {
      const heights = pixelHeights(this.screen.placed.value, globalThis.devicePixelRatio || 1);
      return wishesOf(this.assignment.value, heights, this.line.value);
    });
    this.watchLine();
    effect(() => {
      const wishes = this.wishes.value;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.offer(wishes), this.sent === '' ? 0 : WISH_DELAY_MS);
    });
  }

  /** A new connection knows nothing: the wishes must be sent again. */
  repeat(): void {
    this.sent = '';
    this.offer(untracked(() => this.wishes.value));
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

  private offer(wishes: SlotWishes): void {
    const text = JSON.stringify(wishes);
    const nothingYet = this.sent === '' && !this.audioOnly.peek() && wishes.every(wish => wish === null);
    if (text === this.sent || nothingYet) return;
    this.sent = text;
    this.send(wishes);
  }

  private assign(): Assignment {
    const state = this.state.value;
    this.assigned = this.audioOnly.value
      ? assignSlots([], [], this.capacity, null)
      : assignSlots(this.assigned, this.wanted(state), this.capacity, forced(state));
    return this.assigned;
  }

  private wanted(state: MeetingState): VideoSource[] {
    return byPriority(state, this.screen.view.value).filter(
      source =>
        source.kind === 'content' ||
        siteOf(state.meeting, source.site)?.presence !== 'lost' ||
        this.holds(source),
    );
  }

  /** A lost site keeps the slot with its last frame. */
  private holds(source: VideoSource): boolean {
    return this.assigned.some(held => sameSource(held, source));
  }
}

/** What the chair has put on the big screen, where that is not this site. */
function forced(state: MeetingState): VideoSource | null {
  const site = siteOf(state.meeting, state.meeting?.big_screen ?? null);
  if (site === null || site.id === state.you) return null;
  return { site: site.id, kind: site.content ? 'content' : 'camera' };
}
