import { tab } from '../memory';
import type { InvitationView } from '../protocol/gen';

/** What is in the address of the page. */
export interface Link {
  /** Secret part of the join link; empty when the page was opened without one. */
  token: string;
  webSocket: string;
  /** `?ngay=1`: join at once, without the entry page. */
  direct: boolean;
}

/** What a token is made of (`config/token.rs` of the server); the dot after it is the sentence’s. */
const TOKEN = /[\w.~-]*[\w-]/;
/** Marks without a width, which mail and chat programs put into links to break lines there. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]/g;

export function linkOf(href: string): Link {
  const url = new URL(href);
  const socket = new URL('ws', url);
  socket.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  socket.hash = '';
  socket.search = '';
  return {
    token: tokenOf(url.hash.slice(1)),
    webSocket: socket.href,
    direct: url.searchParams.get('ngay') === '1',
  };
}

const LINK = 'nhipcau.link';

/**
 * The link of this tab. Its secret leaves the address bar, where anyone who sees the room’s screen could copy it, for
 * the memory of the tab, where a reload finds it. A tab that cannot remember leaves it there.
 */
export function takeLink(): Link {
  const link = linkOf(location.href);
  if (link.token === '') return location.hash === '' ? { ...link, token: tab.read(LINK) ?? '' } : link;
  if (tab.write(LINK, link.token) === 'kept') {
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  return link;
}

/** Where the link leads; null where the server does not answer. `hello` asks again, and nothing depends on this. */
export async function invitationOf(token: string): Promise<InvitationView | null> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch('invitation', { headers, cache: 'no-store' });
    return response.ok ? ((await response.json()) as InvitationView) : null;
  } catch {
    return null;
  }
}

/** The secret without what programs and people have put around it: a bracket, a mark, `?utm_source=…`. */
function tokenOf(fragment: string): string {
  return TOKEN.exec(decoded(fragment).replace(INVISIBLE, ''))?.[0] ?? '';
}

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

const seatKey = (token: string) => `nhipcau.seat.${token}`;
const RELOADED = 'nhipcau.reloaded';

/** Kept for the life of the tab, so that a reload comes back to its own seat. */
export const loadSeat = (token: string) => tab.read(seatKey(token)) ?? undefined;
export const saveSeat = (token: string, seat: string) => tab.write(seatKey(token), seat);

/** Loads a newer page, but only once: a server that stays different must not make a loop. */
export function reloadOnce(): boolean {
  if (tab.read(RELOADED) !== null) return false;
  // A tab that cannot remember that it has reloaded would do it for ever.
  if (tab.write(RELOADED, '1') === 'until_reload') {
    reloadSucceeded();
    return false;
  }
  location.reload();
  return true;
}

export const reloadSucceeded = () => tab.forget(RELOADED);
