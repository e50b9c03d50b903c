/** What a pretended site shows. */
export interface Painter {
  name: string;
  hue: number;
  slides: boolean;
}

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES_PER_SECOND = 5;

/** The far end of the page's PeerConnection: a real one, in the same page, sending painted frames. */
export class MockMedia {
  private pc: RTCPeerConnection | null = null;
  private readonly tracks = new Map<string, MediaStreamTrack>();

  async answer(sdp: string): Promise<string> {
    this.close();
    const pc = new RTCPeerConnection();
    this.pc = pc;
    await pc.setRemoteDescription({ type: 'offer', sdp });
    for (const transceiver of this.slots()) transceiver.direction = 'sendonly';
    await pc.setLocalDescription();
    await new Promise<void>(resolve => {
      const check = () => pc.iceGatheringState === 'complete' && resolve();
      pc.onicegatheringstatechange = check;
      check();
    });
    return pc.localDescription?.sdp ?? '';
  }

  close(): void {
    this.pc?.close();
  }

  async show(painters: (Painter | null)[]): Promise<void> {
    const slots = this.slots();
    for (const [index, painter] of painters.entries()) {
      await slots[index]?.sender.replaceTrack(painter === null ? null : this.track(painter));
    }
  }

  /** The first two video sections are the page's camera and content. */
  private slots(): RTCRtpTransceiver[] {
    const video = this.pc?.getTransceivers().filter(one => one.receiver.track.kind === 'video') ?? [];
    return video.slice(2);
  }

  private track(painter: Painter): MediaStreamTrack {
    const key = `${painter.name}${painter.slides}`;
    const known = this.tracks.get(key);
    if (known !== undefined) return known;
    const canvas = document.createElement('canvas');
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    const context = canvas.getContext('2d')!;
    setInterval(
      () => (painter.slides ? paintSlide(context) : paintRoom(context, painter)),
      1000 / FRAMES_PER_SECOND,
    );
    const track = canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks()[0]!;
    this.tracks.set(key, track);
    return track;
  }
}

/** A meeting room with a table and people, as far as ellipses can. */
function paintRoom(context: CanvasRenderingContext2D, { hue }: Painter): void {
  const wall = context.createLinearGradient(0, 0, 0, HEIGHT);
  wall.addColorStop(0, `hsl(${hue} 22% 46%)`);
  wall.addColorStop(1, `hsl(${hue} 25% 24%)`);
  context.fillStyle = wall;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = `hsl(${hue} 30% 60%)`;
  context.fillRect(60, 40, 150, 110);
  context.fillRect(430, 40, 150, 110);
  const sway = Math.sin(performance.now() / 900) * 4;
  for (const [x, size] of [
    [200, 0.8],
    [320 + sway, 1.15],
    [440, 0.8],
  ] as const) {
    context.fillStyle = '#22304a';
    context.beginPath();
    context.ellipse(x, 300, 70 * size, 95 * size, 0, 0, 7);
    context.fill();
    context.fillStyle = '#d9a982';
    context.beginPath();
    context.ellipse(x, 185 - 12 * size, 30 * size, 38 * size, 0, 0, 7);
    context.fill();
    context.fillStyle = '#20160f';
    context.beginPath();
    context.ellipse(x, 166 - 16 * size, 32 * size, 24 * size, 0, 3, 6.5);
    context.fill();
  }
  context.fillStyle = '#6b4426';
  context.fillRect(0, 300, WIDTH, 60);
}

function paintSlide(context: CanvasRenderingContext2D): void {
  context.fillStyle = '#fff';
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = '#12305f';
  context.fillRect(0, 0, WIDTH, 64);
  context.fillStyle = '#fff';
  context.font = 'bold 26px sans-serif';
  context.fillText('Báo cáo tình hình tháng 11', 28, 42);
  context.fillStyle = '#2563c9';
  [120, 170, 90, 210, 180].forEach((height, index) => {
    context.fillRect(70 + index * 105, 330 - height, 64, height);
  });
}
