import { type ClientMessage, type ServerMessage, SILENCE_TIMEOUT_S } from './gen';

export interface SocketEvents {
  opened(): void;
  /** The server has said something, whatever it was. */
  heard(): void;
  message(message: ServerMessage): void;
  /** Called once; nothing follows it. */
  lost(): void;
}

/**
 * One WebSocket connection. Replies to pings, and gives up on a server that has gone silent; how long it may take to
 * open, its owner decides.
 */
export class Socket {
  private readonly ws: WebSocket;
  private silence: ReturnType<typeof setTimeout> | undefined;
  /** When a silent connection is given up, by the clock of `performance.now`. */
  private silentAt = Number.POSITIVE_INFINITY;
  private over = false;
  private pings = 0;

  constructor(
    url: string,
    private readonly events: SocketEvents,
  ) {
    this.ws = new WebSocket(url);
    this.ws.onopen = () => {
      if (this.over) return;
      // Silence counts from here: before, there was no connection that could have sent anything.
      this.listen(SILENCE_TIMEOUT_S * 1000);
      this.events.opened();
    };
    this.ws.onmessage = event => this.read(String(event.data));
    this.ws.onclose = () => this.end();
    this.ws.onerror = () => this.end();
  }

  send(message: ClientMessage): void {
    if (this.ws.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify(message));
  }

  /** Closes without `lost`. */
  close(): void {
    this.over = true;
    clearTimeout(this.silence);
    this.ws.close();
  }

  /** Asks whether the server is still there; without any message within `ms` the connection is lost. */
  probe(ms: number): void {
    this.pings += 1;
    this.send({ type: 'ping', n: this.pings });
    // Asking again and again gives no more time.
    this.listen(Math.min(ms, this.silentAt - performance.now()));
  }

  private read(text: string): void {
    if (this.over) return;
    this.listen(SILENCE_TIMEOUT_S * 1000);
    this.events.heard();
    const message = parse(text);
    if (message === null) return;
    if (message.type === 'ping') this.send({ type: 'pong', n: message.n });
    else this.events.message(message);
  }

  private listen(ms: number): void {
    clearTimeout(this.silence);
    this.silentAt = performance.now() + ms;
    this.silence = setTimeout(() => this.end(), ms);
  }

  private end(): void {
    if (this.over) return;
    this.close();
    this.events.lost();
  }
}

/** The shapes are the server's promise (gen.ts); only that it is a tagged object is checked. */
export function parse(text: string): ServerMessage | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('type' in value)) return null;
    return typeof value.type === 'string' ? (value as ServerMessage) : null;
  } catch {
    return null;
  }
}
