/**
 * The page against a pretended bridge, for looking at it: `npm run dev`, then
 * `/dev/mock.html?ngay=1&scene=grid#x`. Never part of the product: the build knows only index.html.
 * Scenes: grid, stage, content, many, site, lost, moved, restored, reconnecting, cut; limits=weak, old, never;
 * refused=CODE, offer=CODE.
 */
import type { ClientMessage, ServerMessage, SlotLimit, SlotSource } from '../src/protocol/gen';
import { packSdp, unpackSdp } from '../src/protocol/sdp';
import { MockMedia } from './mockMedia';
import { MockMeeting } from './mockMeeting';

const parameters = new URLSearchParams(location.search);
const meeting = new MockMeeting(parameters);

/** What each slot shows less of: on a weak line; pictures that stand from then on; and none that has come yet. */
const LIMITS: Record<string, SlotLimit[]> = {
  weak: [
    { shows: 'lower', by: 'viewer' },
    { shows: 'fewer', by: 'viewer' },
    { shows: 'stills', by: 'viewer' },
    { shows: 'held', by: 'server' },
  ],
  old: [
    { shows: 'held', by: 'viewer' },
    { shows: 'held', by: 'viewer' },
    { shows: 'stills', by: 'viewer' },
    { shows: 'held', by: 'server' },
  ],
  never: [
    { shows: 'held', by: 'viewer' },
    { shows: 'held', by: 'viewer' },
    { shows: 'held', by: 'server' },
    { shows: 'held', by: 'server' },
  ],
};

class MockSocket extends EventTarget {
  static readonly OPEN = 1;
  /** The server cannot be reached: in `cut` once the microphone is open, and media goes on; in `reconnecting` all is lost. */
  static cut = false;
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;
  private readonly media = new MockMedia();

  constructor() {
    super();
    setTimeout(() => {
      if (MockSocket.cut) return;
      this.readyState = MockSocket.OPEN;
      this.onopen?.();
    }, 20);
  }

  send(text: string): void {
    setTimeout(() => void this.receive(JSON.parse(text) as ClientMessage));
  }

  close(): void {
    this.readyState = 3;
  }

  private say(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  private async receive(message: ClientMessage): Promise<void> {
    switch (message.type) {
      case 'hello':
        this.hello();
        break;
      case 'offer': {
        const code = parameters.get('offer');
        if (code !== null) {
          this.say({ type: 'error', code: code as 'worker_full', text: '' });
          break;
        }
        const sdp = await unpackSdp(message.sdp);
        const packed = JSON.stringify(await packSdp(sdp)).length;
        console.log(`offer ${sdp.length} bytes, packed ${packed}`);
        this.say({ type: 'answer', sdp: { plain: await this.media.answer(sdp) } });
        this.say(meeting.present());
        this.say({ type: 'links', links: meeting.links() });
        this.say({ type: 'speakers', sites: meeting.speakers() });
        break;
      }
      case 'wishes': {
        const video = message.slots.map(wish =>
          wish === null ? null : { site: wish.site, kind: wish.kind },
        );
        await this.show(video);
        break;
      }
      case 'act':
      case 'media':
        this.say(meeting.change(message));
        break;
    }
    if (parameters.get('scene') === 'cut' && message.type === 'media' && message.microphone)
      setTimeout(() => this.cut(), 300);
    if (parameters.get('scene') === 'moved' && message.type === 'offer')
      setTimeout(() => this.say(meeting.moved()), 1500);
    if (parameters.get('scene') === 'restored' && message.type === 'wishes')
      setTimeout(() => this.onclose?.(), 1500);
    if (parameters.get('scene') === 'reconnecting' && message.type === 'wishes')
      setTimeout(() => {
        this.media.close();
        this.cut();
      }, 1500);
  }

  private async show(wished: (SlotSource | null)[]): Promise<void> {
    const limits = parameters.get('limits') ?? '';
    const video = limits === 'never' ? wished.map(() => null) : wished;
    await this.media.show(video.map(source => (source === null ? null : meeting.painter(source))));
    this.say({ type: 'slots', video, audio: [], limits: LIMITS[limits] ?? [], mixed: limits === 'mixed' });
    if (limits === 'old') setTimeout(() => void this.media.show(video.map(() => null)), 1500);
  }

  private cut(): void {
    MockSocket.cut = true;
    this.onclose?.();
  }

  private hello(): void {
    const refused = parameters.get('refused');
    if (refused !== null) this.say({ type: 'refused', code: refused as 'unknown_link', text: '' });
    else {
      this.say(meeting.welcome());
      this.say(meeting.present());
    }
  }
}

Object.defineProperty(window, 'WebSocket', { value: MockSocket });
const serverFetch = window.fetch.bind(window);
window.fetch = (input, init) =>
  input === 'invitation' ? Promise.resolve(Response.json(meeting.invitation())) : serverFetch(input, init);
await import('../src/pages/meeting/main');
