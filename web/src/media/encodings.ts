/** Pixels of a camera's frame, as it comes from the device. */
export interface Size {
  width: number;
  height: number;
}

/** What one simulcast layer is made of: the frame divided, and bits per second at most. */
type Layer = [divisor: number, maxBitrate: number];

/** The layers of a frame of at least so many pixels, lowest first. */
interface Plan {
  pixels: number;
  layers: Layer[];
}

/**
 * Simulcast of the camera, lowest first: a thumbnail, a tile, the big screen. Browsers send no more layers than a frame
 * of so many pixels is worth to them, and leave out the highest: silently, and whatever its divisor is. So the whole
 * frame is in the highest layer they keep. Areas are WebRTC's (`simulcast.cc`), bits for a frame in between are from
 * there, too.
 */
const CAMERA_PLANS: Plan[] = [
  {
    pixels: 960 * 540,
    layers: [
      [4, 150_000],
      [2, 500_000],
      [1, 1_800_000],
    ],
  },
  {
    pixels: 480 * 270,
    layers: [
      [2, 150_000],
      [1, 900_000],
    ],
  },
  { pixels: 0, layers: [[1, 300_000]] },
];

/** Until the first frame its size is taken to be what the page asks of devices. */
export const ASKED_FOR: Size = { width: 1280, height: 720 };

/**
 * One stream, its frames in three temporal layers. Without this mode Chromium sends VP9 and AV1 as one stream of layers
 * inside each other, of which only the lowest can be identified by its RID. VP8 and H.264 are sent so anyway.
 */
const SCALABILITY_MODE = 'L1T3';

/** Browsers take as many layers as are named in the beginning; what varies is what they are made of. */
export const CAMERA_ENCODINGS: RTCRtpEncodingParameters[] = cameraEncodings(
  ['l', 'm', 'h'].map(rid => ({ rid, scalabilityMode: SCALABILITY_MODE })),
  ASKED_FOR,
  [],
);

/**
 * Slides change seldom and must stay sharp: few frames, all bits for detail. At half the size and as coarse as it gets a
 * page of 400 letters is 12 KB and can still be read; the whole one is 80, half a minute of a line of 64 kbit/s.
 */
const CONTENT_PLANS: Plan[] = [
  {
    pixels: 480 * 270,
    layers: [
      [2, 40_000],
      [1, 2_500_000],
    ],
  },
  { pixels: 0, layers: [[1, 2_500_000]] },
];
const CONTENT_FRAMES = [5, 15];

export const CONTENT_ENCODINGS: RTCRtpEncodingParameters[] = contentEncodings(
  ['l', 'h'].map((rid, index) => ({ rid, scalabilityMode: 'L1T1', maxFramerate: CONTENT_FRAMES[index] })),
  ASKED_FOR,
  [],
);

/** Encodings for a camera's frame of this size, with the layers the server wants; lowest first. */
export function cameraEncodings(
  encodings: RTCRtpEncodingParameters[],
  size: Size,
  wanted: boolean[],
): RTCRtpEncodingParameters[] {
  return encodingsOf(CAMERA_PLANS, encodings, size, wanted);
}

/** The same for what is presented. */
export function contentEncodings(
  encodings: RTCRtpEncodingParameters[],
  size: Size,
  wanted: boolean[],
): RTCRtpEncodingParameters[] {
  return encodingsOf(CONTENT_PLANS, encodings, size, wanted);
}

function encodingsOf(
  plans: Plan[],
  encodings: RTCRtpEncodingParameters[],
  { width, height }: Size,
  wanted: boolean[],
): RTCRtpEncodingParameters[] {
  const plan = plans.find(({ pixels }) => width * height >= pixels)?.layers ?? [];
  return encodings.map((encoding, index) => {
    const [scaleResolutionDownBy, maxBitrate] = plan[index] ?? [1, encoding.maxBitrate];
    const active = index < plan.length && (wanted[index] ?? true);
    return { ...encoding, scaleResolutionDownBy, maxBitrate, active };
  });
}
