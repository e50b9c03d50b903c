/** What the meter shows. `level` is 0–1 over the range −60 to 0 dBFS. */
export interface Level {
  level: number;
  clipping: boolean;
}

const FLOOR_DB = -60;
/** A sample this close to full scale has most likely been cut off. */
const CLIP_AT = 0.985;
const CLIP_SHOWN_MS = 1500;
const INTERVAL_MS = 60;

export function levelOf(samples: Float32Array): { level: number; peak: number } {
  let sum = 0;
  let peak = 0;
  for (const sample of samples) {
    sum += sample * sample;
    peak = Math.max(peak, Math.abs(sample));
  }
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  const db = rms > 0 ? 20 * Math.log10(rms) : FLOOR_DB;
  return { level: Math.min(1, Math.max(0, 1 - db / FLOOR_DB)), peak };
}

let context: AudioContext | undefined;

/** One context for meter and tone: browsers allow only a few. */
export function audioContext(): AudioContext {
  context ??= new AudioContext();
  if (context.state === 'suspended') void context.resume().catch(() => undefined);
  return context;
}

/** Watches a track until the returned function is called. */
export function meter(track: MediaStreamTrack, show: (level: Level) => void): () => void {
  const audio = audioContext();
  const source = audio.createMediaStreamSource(new MediaStream([track]));
  const analyser = audio.createAnalyser();
  analyser.fftSize = 2048;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let clippedAt = Number.NEGATIVE_INFINITY;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const { level, peak } = levelOf(samples);
    if (peak >= CLIP_AT) clippedAt = performance.now();
    show({ level, clipping: performance.now() - clippedAt < CLIP_SHOWN_MS });
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    source.disconnect();
  };
}
