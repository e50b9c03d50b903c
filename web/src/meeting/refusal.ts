import type { ErrorCode } from '../protocol/gen';

/** What a refusal means: come back alone, show a page, or load the newer page. */
export type AfterRefusal = 'retry' | 'stop' | 'reload';

/** `inside`: this page has been in the meeting before, so nobody wants to press a button. */
export function afterRefusal(code: ErrorCode, inside: boolean): AfterRefusal {
  switch (code) {
    case 'version':
      return 'reload';
    case 'draining':
    case 'internal':
    case 'out_of_order':
    case 'rate_limited':
      return 'retry';
    case 'too_many_joins':
    case 'worker_full':
    case 'meeting_full':
      return inside ? 'retry' : 'stop';
    default:
      return 'stop';
  }
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
    case 'site_removed':
      return 'removed';
    case 'meeting_ended':
      return 'ended';
    default:
      return 'busy';
  }
}
