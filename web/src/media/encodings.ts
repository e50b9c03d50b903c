/** Simulcast of the camera, lowest first: a thumbnail, a tile, the big screen. Bits per second. */
export const CAMERA_ENCODINGS: RTCRtpEncodingParameters[] = [
  { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_800_000 },
];

/** Slides change seldom and must stay sharp: few frames, all bits for detail. */
export const CONTENT_ENCODINGS: RTCRtpEncodingParameters[] = [{ maxFramerate: 15, maxBitrate: 2_500_000 }];

/** Browsers silently drop the top layer of a source this small, so it is divided by 2 and 1 only. */
const SMALL_SOURCE_HEIGHT = 400;

/** Encodings for a camera of this height, with the layers the server wants; lowest first. */
export function cameraEncodings(
  encodings: RTCRtpEncodingParameters[],
  sourceHeight: number,
  wanted: boolean[],
): RTCRtpEncodingParameters[] {
  const small = sourceHeight > 0 && sourceHeight <= SMALL_SOURCE_HEIGHT;
  const divisors = small ? [2, 1, 1] : [4, 2, 1];
  return encodings.map((encoding, layer) => ({
    ...encoding,
    scaleResolutionDownBy: divisors[layer] ?? 1,
    active: (wanted[layer] ?? true) && !(small && layer === 2),
  }));
}
