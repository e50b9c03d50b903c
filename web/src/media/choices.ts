import { device } from '../memory';

/** What this device remembers of its room. Empty ids stand for the system's default device. */
export interface Choices {
  camera: string;
  microphone: string;
  speaker: string;
  echoCancellation: boolean;
  noiseSuppression: boolean;
  /** Whether to send on entering. */
  cameraOn: boolean;
  microphoneOn: boolean;
  /** Hear the others and see nothing of them: no video is wished for. */
  audioOnly: boolean;
  /** Hear one mix in place of each voice, also where the line would carry them. */
  mixedSound: boolean;
  /** Skip the entry page. */
  direct: boolean;
}

export const defaultChoices: Choices = {
  camera: '',
  microphone: '',
  speaker: '',
  echoCancellation: true,
  noiseSuppression: true,
  cameraOn: true,
  // A room enters muted; the banner says so and one press opens the microphone.
  microphoneOn: false,
  audioOnly: false,
  mixedSound: false,
  direct: false,
};

const KEY = 'nhipcau.devices';

export function loadChoices(text: string | null = device.read(KEY)): Choices {
  try {
    const stored: unknown = JSON.parse(text ?? '{}');
    if (typeof stored !== 'object' || stored === null) return defaultChoices;
    const known = Object.entries(stored).filter(
      ([key, value]) => key in defaultChoices && typeof value === typeof defaultChoices[key as keyof Choices],
    );
    return { ...defaultChoices, ...Object.fromEntries(known) };
  } catch {
    return defaultChoices;
  }
}

export function saveChoices(choices: Choices): void {
  device.write(KEY, JSON.stringify(choices));
}
