/** What the address of the page says. */
export interface Link {
  /** Secret part of the join link; empty when the page was opened without one. */
  token: string;
  webSocket: string;
  /** `?ngay=1`: join at once, without the entry page. */
  direct: boolean;
}

export function linkOf(href: string): Link {
  const url = new URL(href);
  const socket = new URL('ws', url);
  socket.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  socket.hash = '';
  socket.search = '';
  return {
    token: decodeURIComponent(url.hash.slice(1)),
    webSocket: socket.href,
    direct: url.searchParams.get('ngay') === '1',
  };
}

const seatKey = (token: string) => `nhipcau.seat.${token}`;
const RELOADED = 'nhipcau.reloaded';

/** Kept for the life of the tab, so that a reload comes back to its own seat. */
export const loadSeat = (token: string) => sessionStorage.getItem(seatKey(token)) ?? undefined;
export const saveSeat = (token: string, seat: string) => sessionStorage.setItem(seatKey(token), seat);

/** Loads a newer page, but only once: a server that stays different must not make a loop. */
export function reloadOnce(): boolean {
  if (sessionStorage.getItem(RELOADED) !== null) return false;
  sessionStorage.setItem(RELOADED, '1');
  location.reload();
  return true;
}

export const reloadSucceeded = () => sessionStorage.removeItem(RELOADED);
