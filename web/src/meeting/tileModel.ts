import type {
  LimitedBy,
  LinkGrade,
  MicrophoneState,
  Presence,
  SiteId,
  SiteLink,
  SiteView,
  SlotShows,
} from '../protocol/gen';
import { sinceOf } from './durations';
import { type Assignment, slotShowing } from './slots';
import { type MeetingState, siteOf } from './state';
import { sameSource, type VideoSource } from './tiles';

/** What a tile shows less of than was wished for, for the own line or the server. */
export interface TileLimit {
  shows: SlotShows;
  by: Exclude<LimitedBy, 'publisher'>;
}

/** What this device has asked for. */
export interface Asked {
  audioOnly: boolean;
  assignment: Assignment;
}

type LightGrade = Exclude<LinkGrade, 'disconnected'>;

/** All that a tile shows, ready for the view. */
export interface TileModel {
  site: SiteId;
  kind: VideoSource['kind'];
  name: string;
  isYou: boolean;
  isChair: boolean;
  onBigScreen: boolean;
  presence: Presence;
  /** On the page's own clock; null when nothing has happened yet. */
  sinceMs: number | null;
  microphone: MicrophoneState;
  speaking: boolean;
  grade: LightGrade | null;
  lossPercent: number | null;
  rttMs: number | null;
  /** Video slot that carries the source, -1 for none (and for the own one). */
  slot: number;
  /** What it shows less of; null, too, where that is the site's own choice, as far as is known. */
  limit: TileLimit | null;
  /** Why there is no frame to wait for at all; null where there is one. */
  noFrame: 'camera_off' | 'audio_only' | null;
}

/** The light of a site; null where its loss is said in words, and before there are numbers (`disconnected`). */
export function gradeOf(site: SiteView, link: SiteLink | undefined): LightGrade | null {
  if (site.presence === 'lost' || link === undefined) return null;
  return link.grade === 'disconnected' ? null : link.grade;
}

/** A site that sends no more may have a small camera: that says nothing of its line. */
function limitOf(state: MeetingState, slot: number): TileLimit | null {
  const limit = state.slotLimits[slot] ?? null;
  if (limit === null || limit.by === 'publisher') return null;
  return { shows: limit.shows, by: limit.by };
}

function isCameraOff(site: SiteView, source: VideoSource): boolean {
  return source.kind === 'camera' && !site.camera && site.presence !== 'lost';
}

export function tileModel(state: MeetingState, source: VideoSource, asked: Asked): TileModel | null {
  const site = siteOf(state.meeting, source.site);
  if (site === null) return null;
  const link = state.links.get(site.id);
  const isYou = site.id === state.you;
  const unseen = asked.audioOnly && !isYou ? 'audio_only' : null;
  const slot = isYou ? -1 : slotShowing(state.videoSlots, source);
  // The server names a slot's source with its first frame, what limits it already before.
  const limited = slot >= 0 ? slot : asked.assignment.findIndex(one => sameSource(one, source));
  return {
    site: site.id,
    kind: source.kind,
    name: site.name,
    isYou,
    isChair: site.role === 'chair',
    onBigScreen: state.meeting?.big_screen === site.id,
    presence: site.presence,
    sinceMs: sinceOf(state.durations, site),
    microphone: site.microphone,
    speaking: source.kind === 'camera' && site.microphone === 'on' && state.speakers.includes(site.id),
    grade: gradeOf(site, link),
    lossPercent: link?.loss_percent ?? null,
    rttMs: link?.rtt_ms ?? null,
    slot,
    limit: limitOf(state, limited),
    noFrame: isCameraOff(site, source) ? 'camera_off' : unseen,
  };
}
