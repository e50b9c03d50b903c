import type { Choices } from './choices';

/** Why there is no track, or nothing on it; the view has a sentence for each. */
type DeviceProblem =
  | 'insecure'
  | 'blocked'
  | 'missing'
  | 'busy'
  | 'lost'
  /** There is a track, and something outside of the page keeps it silent or dark. */
  | 'silenced';

export interface Acquired {
  track: MediaStreamTrack | null;
  problem: DeviceProblem | null;
}

/** What a device gives just now; a track that is silenced from outside gives nothing. */
export const flows = ({ track, problem }: Acquired): boolean => track !== null && problem === null;

export interface DeviceLists {
  cameras: MediaDeviceInfo[];
  microphones: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

const preferred = (id: string) => (id === '' ? {} : { deviceId: { ideal: id } });

function videoConstraints(choices: Choices): MediaTrackConstraints {
  return {
    ...preferred(choices.camera),
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30, max: 30 },
  };
}

function audioConstraints(choices: Choices): MediaTrackConstraints {
  return {
    ...preferred(choices.microphone),
    echoCancellation: choices.echoCancellation,
    noiseSuppression: choices.noiseSuppression,
    // A mixer has set the level; the browser must not fight it.
    autoGainControl: choices.noiseSuppression,
  };
}

/** Camera and microphone with one question to the user; if one fails, each alone. */
export async function acquireBoth(choices: Choices): Promise<{ camera: Acquired; microphone: Acquired }> {
  try {
    const stream = await request({ video: videoConstraints(choices), audio: audioConstraints(choices) });
    return { camera: acquired(stream.getVideoTracks()[0]), microphone: acquired(stream.getAudioTracks()[0]) };
  } catch {
    return { camera: await acquireCamera(choices), microphone: await acquireMicrophone(choices) };
  }
}

export async function acquireCamera(choices: Choices): Promise<Acquired> {
  try {
    return acquired((await request({ video: videoConstraints(choices) })).getVideoTracks()[0]);
  } catch (error) {
    return { track: null, problem: problemOf(error) };
  }
}

export async function acquireMicrophone(choices: Choices): Promise<Acquired> {
  try {
    return acquired((await request({ audio: audioConstraints(choices) })).getAudioTracks()[0]);
  } catch (error) {
    return { track: null, problem: problemOf(error) };
  }
}

function acquired(track: MediaStreamTrack | undefined): Acquired {
  return track === undefined ? { track: null, problem: 'missing' } : { track, problem: null };
}

function request(constraints: MediaStreamConstraints): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined) return Promise.reject(new DOMException('', 'SecurityError'));
  return navigator.mediaDevices.getUserMedia(constraints);
}

function problemOf(error: unknown): DeviceProblem {
  switch (error instanceof Error ? error.name : '') {
    case 'SecurityError':
      return 'insecure';
    case 'NotAllowedError':
      return 'blocked';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'missing';
  }
}

/** Whether the user has refused; false where the browser does not report it. */
export async function isBlocked(name: 'camera' | 'microphone'): Promise<boolean> {
  const status = await navigator.permissions?.query({ name }).catch(() => null);
  return status?.state === 'denied';
}

export async function listDevices(): Promise<DeviceLists> {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  // Browsers list the default a second time under these names.
  const of = (kind: MediaDeviceKind) =>
    all.filter(
      device => device.kind === kind && !['', 'default', 'communications'].includes(device.deviceId),
    );
  return { cameras: of('videoinput'), microphones: of('audioinput'), speakers: of('audiooutput') };
}

/** Phones cannot. */
export const canCaptureScreen = () => typeof navigator.mediaDevices?.getDisplayMedia === 'function';

/** What is presented; `sound` where the browser gives it, and the user lets it. */
export interface Presented {
  video: MediaStreamTrack;
  sound: MediaStreamTrack | null;
}

/** What TypeScript's DOM does not know yet. */
type ScreenSound = MediaTrackConstraints & { suppressLocalAudioPlayback: boolean; restrictOwnAudio: boolean };
type ScreenOptions = DisplayMediaStreamOptions & { systemAudio: 'include' | 'exclude' };

/**
 * A film's sound is not a voice: nothing is filtered out of it, and the room goes on hearing it from its own
 * loudspeakers. The sound of the whole machine has the other sites' voices in it, which would come back to them as an
 * echo; it is offered only where the browser can leave this page's own sound out.
 */
function screenOptions(): ScreenOptions {
  const known = navigator.mediaDevices.getSupportedConstraints() as { restrictOwnAudio?: boolean };
  const audio: ScreenSound = {
    echoCancellation: false,
    noiseSuppression: false,
    autoGainControl: false,
    suppressLocalAudioPlayback: false,
    restrictOwnAudio: true,
  };
  const systemAudio = known.restrictOwnAudio === true ? 'include' : 'exclude';
  return { video: { frameRate: { max: 15 } }, audio, systemAudio };
}

/** The screen, a window or a tab. Null when the user cancelled. */
export async function acquireScreen(): Promise<Presented | null> {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia(screenOptions());
    const video = stream.getVideoTracks()[0];
    return video === undefined ? null : { video, sound: stream.getAudioTracks()[0] ?? null };
  } catch (error) {
    if (problemOf(error) === 'blocked') return null;
    throw error;
  }
}
