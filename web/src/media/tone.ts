import { audioContext } from './level';

/** Three rising notes, so that a loudspeaker is distinguished from a hum. Ends with the last note. */
export async function playTone(speaker: string): Promise<void> {
  const audio = audioContext();
  const out = audio.createMediaStreamDestination();
  const player = new Audio();
  player.srcObject = out.stream;
  await setSpeaker(player, speaker);
  await player.play();
  const notes = [523, 659, 784];
  notes.forEach((frequency, index) => {
    note(audio, out, frequency, audio.currentTime + 0.1 + index * 0.35);
  });
  await new Promise(resolve => setTimeout(resolve, 400 + notes.length * 350));
  player.pause();
  player.srcObject = null;
}

function note(audio: AudioContext, out: AudioNode, frequency: number, at: number): void {
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(0.25, at + 0.03);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.6);
  oscillator.connect(gain).connect(out);
  oscillator.start(at);
  oscillator.stop(at + 0.65);
}

/** Chooses the loudspeaker where the browser can; elsewhere the system's default stays. */
export async function setSpeaker(player: HTMLMediaElement, speaker: string): Promise<void> {
  if (typeof player.setSinkId !== 'function') return;
  // A loudspeaker that was unplugged must not silence the room.
  await player.setSinkId(speaker).catch(() => player.setSinkId('').catch(() => undefined));
}
