import type { ErrorCode } from '../protocol/gen';

/** What keeps this page out of the meeting, or its sound and video from it. */
export type Trouble =
  | ErrorCode
  /** The connection to the server is gone. */
  | 'lost'
  /** The server has not answered an offer. */
  | 'no_answer'
  /** Nothing gets through between here and the server's media ports, or nothing any more. */
  | 'no_media'
  /** The browser could make no offer, or could not use the answer. */
  | 'unusable';

/** What a refusal means: come back alone, soon or ever more slowly; show a page; or load the newer page. */
export type AfterRefusal = 'soon' | 'slowly' | 'stop' | 'reload';

const AFTER_REFUSAL: Record<ErrorCode, AfterRefusal | 'slowly_inside'> = {
  unknown_link: 'stop',
  seat_taken: 'stop',
  // A user has pressed the button, and wants the seat as soon as it may be had.
  takeover_too_soon: 'soon',
  meeting_full: 'slowly_inside',
  meeting_locked: 'stop',
  site_removed: 'stop',
  meeting_ended: 'stop',
  version: 'reload',
  too_many_joins: 'slowly',
  rate_limited: 'slowly',
  // The server cannot read our hello: another version of the page can send one that it reads.
  message_too_large: 'reload',
  malformed_message: 'reload',
  out_of_order: 'slowly',
  forbidden: 'stop',
  unknown_site: 'stop',
  offer_malformed: 'stop',
  offer_too_large: 'stop',
  offer_unsupported: 'stop',
  offer_changed: 'slowly',
  worker_full: 'slowly',
  draining: 'soon',
  internal: 'slowly',
};

/** `inside`: this page has been in the meeting before, so no user should have to press a button. */
export function afterRefusal(code: ErrorCode, inside: boolean): AfterRefusal {
  // A newer server's code is not in the table of this page.
  const next = AFTER_REFUSAL[code] ?? 'stop';
  if (next === 'slowly_inside') return inside ? 'slowly' : 'stop';
  return next;
}

/**
 * What an error means for the connection: only a sentence to people; a new offer, a few times or for ever; or come back
 * on a new connection.
 */
export type AfterError = 'tell' | 'offer_anew' | 'offer_later' | 'reconnect';

const AFTER_ERROR: Partial<Record<ErrorCode, AfterError>> = {
  offer_malformed: 'offer_anew',
  offer_too_large: 'offer_anew',
  offer_unsupported: 'offer_anew',
  offer_changed: 'offer_anew',
  message_too_large: 'offer_anew',
  malformed_message: 'offer_anew',
  worker_full: 'offer_later',
  internal: 'offer_later',
  rate_limited: 'offer_later',
  draining: 'reconnect',
  out_of_order: 'reconnect',
};

/** `offering`: an offer waits for its answer, which this may be. */
export function afterError(code: ErrorCode, offering: boolean): AfterError {
  const next = AFTER_ERROR[code] ?? 'tell';
  return next === 'reconnect' || offering ? next : 'tell';
}

/** The page of words for a refusal; several codes read the same to a person. */
export function refusalPage(code: ErrorCode) {
  switch (code) {
    case 'unknown_link':
    case 'seat_taken':
    case 'meeting_full':
    case 'meeting_locked':
    case 'version':
      return code;
    case 'message_too_large':
    case 'malformed_message':
      return 'version';
    case 'site_removed':
      return 'removed';
    case 'meeting_ended':
      return 'ended';
    case 'offer_malformed':
    case 'offer_too_large':
    case 'offer_unsupported':
    case 'offer_changed':
      return 'unfit';
    default:
      return 'busy';
  }
}

/** The sentence beside "reconnecting"; none where the lost line explains everything. */
export function troubleWord(trouble: Trouble | null) {
  switch (trouble) {
    case null:
    case 'lost':
      return null;
    case 'no_media':
      return 'noMedia';
    case 'meeting_full':
    case 'worker_full':
      return 'full';
    case 'too_many_joins':
    case 'rate_limited':
    case 'no_answer':
      return 'busy';
    case 'draining':
      return 'draining';
    case 'takeover_too_soon':
      return 'justMoved';
    case 'unusable':
    case 'offer_malformed':
    case 'offer_too_large':
    case 'offer_unsupported':
    case 'offer_changed':
      return 'unusable';
    default:
      return 'failed';
  }
}
