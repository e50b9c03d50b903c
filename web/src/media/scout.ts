/** Lines of an answer that say where the server's media port is, and how it is spoken to. */
const NEEDED = /^a=(?:ice-ufrag|ice-pwd|fingerprint|candidate):/;
/** A browser sends its checks ever more seldom, and gives up after 15 s. */
const AGAIN_MS = 8000;

/** What the server would answer to an offer of nothing but a data channel, were it asked. */
export function scoutAnswer(answer: string): string {
  const lines = answer.split(/\r?\n/).filter(line => NEEDED.test(line));
  return [
    'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite\r\na=group:BUNDLE 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sctp-port:5000',
    'a=setup:passive',
    // Each section of the answer says the same.
    ...new Set(lines),
    '',
  ].join('\r\n');
}

/**
 * Looks whether the media port can be reached, by checks that the browser repeats several times a second: a WebSocket
 * that is opened while nothing gets through is repeated only after seconds, and a new one not as often as one likes.
 * The server answers them and takes no notice.
 */
export class Scout {
  private pc: RTCPeerConnection | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `answer`: the server's newest; `found` is called once. */
  constructor(
    private readonly answer: string,
    private readonly found: () => void,
  ) {
    void this.look();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.pc?.close();
    this.pc = null;
  }

  private async look(): Promise<void> {
    this.stop();
    const pc = new RTCPeerConnection({ iceServers: [] });
    this.pc = pc;
    this.timer = setTimeout(() => void this.look(), AGAIN_MS);
    pc.oniceconnectionstatechange = () => {
      const { iceConnectionState: state } = pc;
      if (pc !== this.pc || (state !== 'connected' && state !== 'completed')) return;
      this.stop();
      this.found();
    };
    try {
      pc.createDataChannel('');
      await pc.setLocalDescription(await pc.createOffer());
      await pc.setRemoteDescription({ type: 'answer', sdp: scoutAnswer(this.answer) });
    } catch {
      // Closed meanwhile, or a browser that cannot: attempts go on without it.
    }
  }
}
