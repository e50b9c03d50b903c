import { useState } from 'preact/hooks';
import type { Choices } from '../media/choices';
import { type Acquired, canCaptureScreen } from '../media/devices';
import { playTone } from '../media/tone';
import { comingWord } from '../meeting/banner';
import { useSession } from './context';
import { useTrackStream } from './video';

export function useMicrophone() {
  const { local, own, sending } = useSession();
  return {
    open: local.microphoneOpen.value,
    mutedByChair: own.value?.microphone === 'muted_by_chair',
    toggle: () => void sending.toggleMicrophone(),
  };
}

export function useCamera() {
  const { local, sending } = useSession();
  return { on: local.camera.value.track !== null, toggle: () => void sending.toggleCamera() };
}

export function useSharing() {
  const session = useSession();
  return {
    possible: session.may('share_content') && canCaptureScreen(),
    on: session.local.content.value !== null,
    toggle: () => void session.sending.toggleContent(),
  };
}

/** The large sign that shows a room whether it is heard, and what its words depend on. */
export function useBanner() {
  const { banner, progress, mediaUp, local, sending } = useSession();
  const { kind } = progress.value;
  return {
    kind: banner.value,
    coming: kind === 'online' ? null : comingWord(kind, mediaUp.value),
    film: local.film.value !== null,
    microphoneOpen: local.microphoneOpen.value,
    toggle: () => void sending.toggleMicrophone(),
  };
}

/** Whether the browser keeps the others silent until a click, and the click. */
export function useHearing() {
  const { hearing } = useSession();
  return { blocked: hearing.blocked.value, listen: () => hearing.listen() };
}

/** The devices people can choose from, and whether there is a microphone just now. */
export function useDevices() {
  const { lists, microphone } = useSession().local;
  return { ...lists.value, hasMicrophone: microphone.value.track !== null };
}

/** One of the choices that this device remembers. */
export function useChoice<Key extends keyof Choices>(
  key: Key,
): [Choices[Key], (value: Choices[Key]) => void] {
  const { local } = useSession();
  return [local.choices.value[key], value => void local.choose({ [key]: value })];
}

/** How loud the microphone is. */
export const useLevel = () => useSession().local.level.value;

/** The camera's stream before the meeting. */
export function usePreview() {
  const { camera, starting } = useSession().local;
  return { stream: useTrackStream(camera.value.track), starting: starting.value };
}

/** Plays notes at the chosen loudspeaker. */
export function useSpeakerTest() {
  const { local } = useSession();
  const [playing, setPlaying] = useState(false);
  const play = async () => {
    setPlaying(true);
    await playTone(local.choices.value.speaker).catch(() => undefined);
    setPlaying(false);
  };
  return { playing, play: () => void play() };
}

type Kind = 'camera' | 'microphone';

/** Why there is no camera or microphone; a problem that was put away is not shown again. */
export function useDeviceProblems() {
  const { local } = useSession();
  const [away, putAway] = useState<Record<Kind, Acquired | null>>({ camera: null, microphone: null });
  return (['microphone', 'camera'] as const).flatMap(kind => {
    const acquired = local[kind].value;
    const { problem } = acquired;
    if (problem === null || acquired === away[kind]) return [];
    const other = local.captures[kind].other.value;
    return [
      {
        kind,
        problem,
        other: other && { label: other.label, use: () => void local.choose({ [kind]: other.deviceId }) },
        putAway: () => putAway({ ...away, [kind]: acquired }),
      },
    ];
  });
}

export type ShownProblem = ReturnType<typeof useDeviceProblems>[number];
