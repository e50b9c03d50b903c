/** Speech for fake microphones, and what of it a page heard. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { RATE } from './stoi.mjs';

const WORDS = [
  'The district asks every commune to report before noon.',
  'Heavy rain has closed two roads near the river, and the school is open as a shelter.',
  'Please say how many families are there, what they need first, and who is in charge tonight.',
  'We will speak again at six.',
].join(' ');

/** A file of speech for a browser, and its samples for `stoi`. */
export function speech(folder, voice) {
  const file = join(folder, `${voice}.wav`);
  ffmpeg('-f', 'lavfi', '-i', `flite=text='${WORDS}':voice=${voice}`, '-ar', '48000', '-ac', '1', file);
  const bytes = ffmpeg('-i', file, '-f', 'f32le', '-ar', `${RATE}`, '-ac', '1', '-');
  return { file, samples: new Float32Array(new Uint8Array(bytes).buffer) };
}

function ffmpeg(...args) {
  return execFileSync('ffmpeg', ['-loglevel', 'error', '-y', ...args], { maxBuffer: 1e8 });
}

/** Inside the page: `recording.start()` keeps all that is received from then on, `take()` gives it. */
export function installRecorder({ rate }) {
  const samples = [];
  const heard = new Set();
  let context;
  const listen = () => {
    for (const { receiver } of window.nhipcau.pc?.getTransceivers() ?? []) {
      if (receiver.track.kind !== 'audio' || heard.has(receiver.track)) continue;
      heard.add(receiver.track);
      context.createMediaStreamSource(new MediaStream([receiver.track])).connect(context.mouth);
    }
  };
  window.recording = {
    start() {
      context = new AudioContext({ sampleRate: rate });
      context.mouth = context.createScriptProcessor(4096, 1, 1);
      context.mouth.onaudioprocess = ({ inputBuffer }) => samples.push(inputBuffer.getChannelData(0).slice());
      context.mouth.connect(context.destination);
      listen();
      setInterval(listen, 1000);
    },
    /** As base64 of 32-bit floats, little-endian. */
    take() {
      const bytes = new Uint8Array(Float32Array.from(samples.splice(0).flatMap(part => [...part])).buffer);
      let text = '';
      for (const byte of bytes) text += String.fromCharCode(byte);
      return btoa(text);
    },
  };
}

export function decoded(base64) {
  return new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);
}
