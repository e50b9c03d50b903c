import type {
  ActionKind,
  ErrorCode,
  GoodbyeReason,
  MeetingView,
  SiteId,
  SiteLink,
  SiteView,
  SlotLimit,
  SlotSource,
} from '../protocol/gen';
import { type Durations, noDurations } from './durations';

/** Something to show once; the view chooses the words. */
export type Notice =
  | { kind: 'lost' | 'back' | 'takenOver'; site: string; atMs: number }
  | { kind: 'joined' | 'left' | 'removed' | 'onBigScreen'; site: string }
  | { kind: 'mutedByChair' | 'allowedToSpeak' | 'locked' | 'unlocked' | 'poorLink' }
  | { kind: 'restored'; atMs: number }
  | { kind: 'actionRefused' | 'shareFailed' | 'filmSilent' | 'draining' | 'mediaStalled' | 'screenMaySleep' };

export type Ending =
  | { kind: GoodbyeReason }
  | { kind: 'left' | 'no_link' | 'unsupported' | 'unfit' }
  | { kind: 'refused'; code: ErrorCode };

/** What the server has sent, folded by `reduce`. No DOM, no clock, no media. */
export interface MeetingState {
  you: SiteId | null;
  /** Secret that takes this seat again. */
  seat: string | null;
  meeting: MeetingView | null;
  actions: ActionKind[];
  videoSlots: (SlotSource | null)[];
  audioSlots: (SlotSource | null)[];
  /** All voices come as one mix. */
  mixed: boolean;
  /** What video slots show less of than was wished for, and why. */
  slotLimits: (SlotLimit | null)[];
  /** Loudest first. */
  speakers: SiteId[];
  /** The latest speakers, newest first: the order in which sources are wanted. */
  recentSpeakers: SiteId[];
  links: ReadonlyMap<SiteId, SiteLink>;
  /** Wanted simulcast layers of the own sources, lowest first. */
  layers: { camera: boolean[]; content: boolean[] };
  durations: Durations;
  /** From the newest message; the session shows them and reduce forgets them. */
  notices: Notice[];
  ending: Ending | null;
}

export const initialState: MeetingState = {
  you: null,
  seat: null,
  meeting: null,
  actions: [],
  videoSlots: [],
  audioSlots: [],
  mixed: false,
  slotLimits: [],
  speakers: [],
  recentSpeakers: [],
  links: new Map(),
  layers: { camera: [], content: [] },
  durations: noDurations,
  notices: [],
  ending: null,
};

export function siteOf(meeting: MeetingView | null, id: SiteId | null): SiteView | null {
  return meeting?.sites.find(site => site.id === id) ?? null;
}

/** Here, coming, or expected back: these get a tile. */
export function hasTile(site: SiteView): boolean {
  return site.presence === 'present' || site.presence === 'joining' || site.presence === 'lost';
}

export function countPresent(meeting: MeetingView): { present: number; all: number } {
  const invited = meeting.sites.filter(site => site.presence !== 'removed');
  return { present: invited.filter(site => site.presence === 'present').length, all: invited.length };
}
