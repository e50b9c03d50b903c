import type { ErrorCode, MeetingView, ServerMessage, SiteId, SiteLink } from '../protocol/gen';
import { afterGap, follow } from './durations';
import { noticesOf } from './notices';
import type { MeetingState, Notice } from './state';

/** How many of the latest speakers keep their slot when there are more sites than slots. */
const RECENT_SPEAKERS = 6;

/** The only way in for the server's messages. `nowMs` is a clock that only goes forward. */
export function reduce(before: MeetingState, message: ServerMessage, nowMs: number): MeetingState {
  const state: MeetingState = { ...before, notices: [] };
  switch (message.type) {
    case 'welcome':
      return {
        ...state,
        you: message.you,
        seat: message.seat,
        actions: message.actions,
        durations: afterGap(state.durations),
        ending: null,
      };
    case 'refused':
      return { ...state, ending: { kind: 'refused', code: message.code } };
    case 'error':
      return { ...state, notices: noticesOfError(message.code) };
    case 'meeting':
      return withMeeting(state, message.meeting, nowMs);
    case 'slots':
      return {
        ...state,
        videoSlots: message.video,
        audioSlots: message.audio,
        slotLimits: message.limits,
        mixed: message.mixed,
      };
    case 'speakers':
      return {
        ...state,
        speakers: message.sites,
        recentSpeakers: recent(state.recentSpeakers, message.sites),
      };
    case 'layers':
      return message.kind === 'microphone'
        ? state
        : { ...state, layers: { ...state.layers, [message.kind]: message.layers } };
    case 'links':
      return withLinks(state, new Map(message.links.map(link => [link.site, link])));
    case 'link_changes':
      return withLinks(
        state,
        new Map([...state.links, ...message.links.map(link => [link.site, link] as const)]),
      );
    case 'goodbye':
      return { ...state, ending: { kind: message.reason } };
    case 'draining':
      return { ...state, notices: [{ kind: 'draining' }] };
    case 'media_stalled':
      return { ...state, notices: [{ kind: 'mediaStalled' }] };
    case 'media_moved':
    case 'answer':
    case 'ping':
    case 'pong':
      return state;
    default:
      return never(message, state);
  }
}

/** The compiler refuses a message without a case; a newer server's message changes nothing. */
function never(_message: never, state: MeetingState): MeetingState {
  return state;
}

function withMeeting(state: MeetingState, meeting: MeetingView, nowMs: number): MeetingState {
  return {
    ...state,
    meeting,
    actions: meeting.actions,
    durations: follow(state.durations, meeting.sites, nowMs),
    notices: noticesOf(state.meeting, meeting, state.you),
  };
}

function recent(before: SiteId[], heard: SiteId[]): SiteId[] {
  return [...heard, ...before.filter(site => !heard.includes(site))].slice(0, RECENT_SPEAKERS);
}

function withLinks(state: MeetingState, after: ReadonlyMap<SiteId, SiteLink>): MeetingState {
  const own = (of: ReadonlyMap<SiteId, SiteLink>) =>
    state.you === null ? undefined : of.get(state.you)?.grade;
  const turnedPoor = own(after) === 'poor' && own(state.links) !== 'poor';
  return { ...state, links: after, notices: turnedPoor ? [{ kind: 'poorLink' }] : [] };
}

/** Errors a person can do something about; what concerns the connection is the session's. */
function noticesOfError(code: ErrorCode): Notice[] {
  return code === 'forbidden' || code === 'unknown_site' || code === 'rate_limited'
    ? [{ kind: 'actionRefused' }]
    : [];
}
