import { vi } from 'vitest';
import type { ClientMessage, ServerMessage } from '../src/protocol/gen';

/** The browser as far as the way into a meeting needs it: sockets, connections, storage, a clock. */

export class FakeSocket {
  static all: FakeSocket[] = [];
  static readonly OPEN = 1;
  /** Whether the server answers when it is asked if it is there. */
  static answersPings = false;
  static get last(): FakeSocket {
    return FakeSocket.all.at(-1)!;
  }

  readyState = 0;
  readonly sent: ClientMessage[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor() {
    FakeSocket.all.push(this);
  }

  /** The server takes the connection. */
  open(): this {
    this.readyState = 1;
    this.onopen?.();
    return this;
  }

  send(text: string): void {
    const message: ClientMessage = JSON.parse(text);
    this.sent.push(message);
    if (message.type === 'ping' && FakeSocket.answersPings)
      setTimeout(() => this.says({ type: 'pong', n: message.n }), 20);
  }

  close(): void {
    this.readyState = 3;
  }

  says(message: ServerMessage): this {
    this.onmessage?.({ data: JSON.stringify(message) });
    return this;
  }

  /** The other end is gone, or the network says so. */
  breaks(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  sentOf<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter((one): one is Extract<ClientMessage, { type: T }> => one.type === type);
  }

  get hello() {
    return this.sentOf('hello')[0];
  }

  get offers() {
    return this.sentOf('offer');
  }
}

export class FakeTrack extends EventTarget {
  muted = false;
  enabled = true;
  readyState = 'live';
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;

  constructor(
    readonly kind: 'audio' | 'video',
    public settings: MediaTrackSettings = {},
  ) {
    super();
  }

  getSettings(): MediaTrackSettings {
    return this.settings;
  }

  stop(): void {
    this.readyState = 'ended';
  }
}

/** A video or audio element that plays everything it is given. */
export class FakePlayer extends EventTarget {
  static all: FakePlayer[] = [];
  static get last(): FakePlayer {
    return FakePlayer.all.at(-1)!;
  }

  /** Whether the browser wants a click before anything is heard. */
  static wantsClick = false;

  srcObject: unknown = null;
  videoWidth = 0;
  videoHeight = 0;

  constructor(readonly kind: 'audio' | 'video') {
    super();
    FakePlayer.all.push(this);
  }

  async play(): Promise<void> {
    if (this.kind === 'audio' && FakePlayer.wantsClick) throw new DOMException('', 'NotAllowedError');
    this.dispatchEvent(new Event('playing'));
  }

  /** Frames of this size come from here on. */
  gives(width: number, height: number): void {
    this.videoWidth = width;
    this.videoHeight = height;
    this.dispatchEvent(new Event('resize'));
  }

  remove(): void {
    // From the page.
  }
}

class FakeSender {
  track: FakeTrack | null = null;
  private encodings: RTCRtpEncodingParameters[];

  constructor(encodings: RTCRtpEncodingParameters[] = [{}]) {
    this.encodings = structuredClone(encodings);
  }

  async replaceTrack(track: FakeTrack | null): Promise<void> {
    this.track = track;
  }

  getParameters() {
    return { encodings: structuredClone(this.encodings) };
  }

  async setParameters(parameters: { encodings: RTCRtpEncodingParameters[] }): Promise<void> {
    this.encodings = structuredClone(parameters.encodings);
  }
}

export class FakePc {
  /** Those that carry media. */
  static all: FakePc[] = [];
  static scouts: FakePc[] = [];
  /** Whether the browser can use an answer. */
  static understands: (sdp: string) => boolean = () => true;
  static get last(): FakePc {
    return FakePc.all.at(-1)!;
  }

  connectionState: RTCPeerConnectionState = 'new';
  signalingState: RTCSignalingState = 'stable';
  onconnectionstatechange: (() => void) | null = null;
  readonly offers: ('fresh' | 'restart')[] = [];
  /** Answers that were applied. */
  readonly answers: string[] = [];
  readonly transceivers: {
    sender: FakeSender;
    receiver: { track: FakeTrack };
    direction: string;
    codecs: string[];
    setCodecPreferences(codecs: { mimeType: string }[]): void;
  }[] = [];
  closed = false;

  constructor() {
    FakePc.all.push(this);
  }

  addTransceiver(
    kind: 'audio' | 'video',
    init: { direction: string; sendEncodings?: RTCRtpEncodingParameters[] },
  ) {
    const transceiver = {
      sender: new FakeSender(init.sendEncodings),
      receiver: { track: new FakeTrack(kind) },
      direction: init.direction,
      codecs: [] as string[],
      setCodecPreferences(codecs: { mimeType: string }[]) {
        transceiver.codecs = codecs.map(codec => codec.mimeType);
      },
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  async createOffer({ iceRestart = false } = {}) {
    this.offers.push(iceRestart ? 'restart' : 'fresh');
    return { type: 'offer', sdp: `offer ${FakePc.all.indexOf(this)}.${this.offers.length}` };
  }

  async setLocalDescription(description?: { type: string }): Promise<void> {
    this.signalingState = description?.type === 'rollback' ? 'stable' : 'have-local-offer';
  }

  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    if (!FakePc.understands(sdp)) throw new DOMException('', 'InvalidAccessError');
    this.answers.push(sdp);
    this.signalingState = 'stable';
  }

  async getStats() {
    return new Map();
  }

  createDataChannel(): void {
    FakePc.all = FakePc.all.filter(pc => pc !== this);
    FakePc.scouts.push(this);
  }

  becomes(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  close(): void {
    this.closed = true;
    this.connectionState = 'closed';
  }
}

/** Listeners of the window; the only event is the network's coming. */
export let network = new EventTarget();
/** Whether a server answers that is asked for a file. */
export let server = { answers: async () => false };

export function pretendBrowser(): void {
  FakeSocket.all = [];
  FakeSocket.answersPings = false;
  FakePc.all = [];
  FakePc.scouts = [];
  FakePlayer.all = [];
  FakePlayer.wantsClick = false;
  FakePc.understands = () => true;
  network = new EventTarget();
  server = { answers: async () => false };
  const kept = new Map<string, string>();
  vi.stubGlobal('WebSocket', FakeSocket);
  // As in older browsers: SDP travels plain, and takes no real time.
  vi.stubGlobal('CompressionStream', undefined);
  vi.stubGlobal('RTCPeerConnection', FakePc);
  vi.stubGlobal(
    'document',
    Object.assign(new EventTarget(), {
      visibilityState: 'visible',
      createElement: (kind: 'video') => new FakePlayer(kind),
      body: { append: () => undefined },
    }),
  );
  vi.stubGlobal(
    'Audio',
    class extends FakePlayer {
      constructor() {
        super('audio');
      }
    },
  );
  vi.stubGlobal('RTCRtpReceiver', { getCapabilities: () => null });
  vi.stubGlobal(
    'MediaStream',
    class {
      constructor(readonly tracks: FakeTrack[]) {}
    },
  );
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  vi.stubGlobal('location', { reload: vi.fn() });
  vi.stubGlobal('navigator', { connection: new EventTarget() });
  vi.stubGlobal('fetch', async () => ({ ok: await server.answers() }));
  vi.stubGlobal('addEventListener', network.addEventListener.bind(network));
  vi.stubGlobal('removeEventListener', network.removeEventListener.bind(network));
  vi.useFakeTimers({ now: 0 });
  vi.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON);
}

export function forgetBrowser(): void {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
}
