/**
 * Codecs are limited per transceiver because every further one costs a few hundred bytes in each of
 * about forty sections of the offer.
 */
type Codec = RTCRtpCodec;

const is = (codec: Codec, name: string) => codec.mimeType.toLowerCase() === name;

/** Profiles every receiver has; others would be offered twice over for nothing. */
function plainProfile(codec: Codec): boolean {
  const parameters = codec.sdpFmtpLine ?? '';
  if (is(codec, 'video/vp9') || is(codec, 'video/av1')) return !/profile(-id)?=[1-9]/.test(parameters);
  if (is(codec, 'video/h264'))
    return parameters.includes('packetization-mode=1') && parameters.includes('profile-level-id=42e0');
  return true;
}

function pick(kind: 'audio' | 'video', names: string[]): Codec[] {
  const all = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  return names.flatMap(name => all.filter(codec => is(codec, name) && plainProfile(codec)));
}

function prefer(transceiver: RTCRtpTransceiver, kind: 'audio' | 'video', names: string[]): void {
  const codecs = pick(kind, names);
  if (codecs.length > 0) transceiver.setCodecPreferences?.(codecs);
}

/** Redundancy (RED, RFC 2198) first: the bridge makes it for a line that loses packets, and for no other. */
export const preferHearing = (transceiver: RTCRtpTransceiver) =>
  prefer(transceiver, 'audio', ['audio/red', 'audio/opus']);

/**
 * Plain Opus first: a browser sends redundancy all the time, also where nothing is lost, and a poor line up has room
 * for one voice. Where something is lost it comes first (`redundancy.ts`).
 */
export const preferSpeaking = (transceiver: RTCRtpTransceiver) =>
  prefer(transceiver, 'audio', ['audio/opus', 'audio/red']);

/** VP8 can be simulcast by every browser and decoded by every machine in a commune. */
export const preferSending = (transceiver: RTCRtpTransceiver) =>
  prefer(transceiver, 'video', ['video/vp8', 'video/rtx']);

/** Every codec another site may send. */
export const preferReceiving = (transceiver: RTCRtpTransceiver) =>
  prefer(transceiver, 'video', ['video/vp8', 'video/vp9', 'video/h264', 'video/av1', 'video/rtx']);
