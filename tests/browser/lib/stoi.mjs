/**
 * How intelligible speech is after a line: STOI (Taal, Hendriks, Heusdens, Jensen, 2011) of what was heard against what was
 * spoken, 0 to 1. Samples are of 10 kHz.
 */
export const RATE = 10_000;

const FRAME = 256;
const HOP = FRAME / 2;
const FFT = 512;
const BANDS = 15;
const LOWEST_HZ = 150;
/** Frames of a segment: 384 ms. */
const SEGMENT = 30;
/** Frames this far below the loudest are no speech; a segment is clipped this far above what was spoken. */
const SILENCE_DB = 40;
const CLIP_DB = 15;
/** What is heard is compared piece by piece, each where it fits best: a jitter buffer moves it, and stretches it all the time. */
const PIECE = RATE;

/** `spoken` is repeated without end; returns the mean over the pieces of `heard`. */
export function stoi(spoken, heard) {
  const values = [];
  for (let at = 0; at + PIECE <= heard.length; at += PIECE) {
    const piece = heard.subarray(at, at + PIECE);
    values.push(...segments(fitting(spoken, piece), piece));
  }
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The part of the repeated speech that resembles the piece most. */
export function fitting(spoken, piece) {
  let size = 1;
  while (size < spoken.length + piece.length) size *= 2;
  const [a, b] = [spectrum(repeated(spoken, 0, spoken.length + piece.length), size), spectrum(piece, size)];
  for (let at = 0; at < size; at++) {
    const real = a.re[at] * b.re[at] + a.im[at] * b.im[at];
    a.im[at] = -(a.im[at] * b.re[at] - a.re[at] * b.im[at]);
    a.re[at] = real;
  }
  // The inverse, by the conjugate; a scale does not matter.
  transform(a.re, a.im);
  let best = 0;
  for (let lag = 1; lag < spoken.length; lag++) if (a.re[lag] > a.re[best]) best = lag;
  return repeated(spoken, best, piece.length);
}

function repeated(samples, from, length) {
  return Float32Array.from({ length }, (_, at) => samples[(from + at) % samples.length]);
}

/** The correlations of all bands in all segments. */
function segments(spoken, heard) {
  const [x, y] = withoutSilence(spoken, heard).map(bands);
  const found = [];
  for (let band = 0; band < BANDS; band++) {
    const [a, b] = [x, y].map(frames => Float64Array.from(frames, frame => frame[band]));
    for (let end = SEGMENT; end <= x.length; end++)
      found.push(similarity(a.subarray(end - SEGMENT, end), b.subarray(end - SEGMENT, end)));
  }
  return found;
}

function similarity(x, y) {
  const scale = norm(x) / norm(y);
  const most = 1 + 10 ** (CLIP_DB / 20);
  const [a, b] = [centred(x), centred(y.map((value, at) => Math.min(value * scale, x[at] * most)))];
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at] * b[at];
  return sum / (norm(a) * norm(b));
}

function norm(values) {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum) || Number.EPSILON;
}

function centred(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return values.map(value => value - sum / values.length);
}

/** The windowed frames in which something is spoken, of both. */
function withoutSilence(spoken, heard) {
  const starts = [];
  for (let at = 0; at + FRAME <= spoken.length; at += HOP) starts.push(at);
  const cut = (samples, at) => samples.subarray(at, at + FRAME).map((sample, n) => sample * WINDOW[n]);
  const level = at => 20 * Math.log10(norm(cut(spoken, at)));
  const levels = starts.map(level);
  const loudest = Math.max(...levels);
  const kept = starts.filter((_, index) => levels[index] > loudest - SILENCE_DB);
  return [spoken, heard].map(samples => kept.map(at => cut(samples, at)));
}

const WINDOW = Float32Array.from(
  { length: FRAME },
  (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 1)) / (FRAME + 1)),
);

/** The bins of each third of an octave. */
const EDGES = Array.from({ length: BANDS }, (_, band) => {
  const centre = LOWEST_HZ * 2 ** (band / 3);
  return [-1, 1].map(side => Math.round(((centre * 2 ** (side / 6)) / RATE) * FFT));
});

function bands(frames) {
  return frames.map(frame => {
    const { re, im } = spectrum(frame, FFT);
    return EDGES.map(([from, to]) => {
      let sum = 0;
      for (let bin = from; bin < to; bin++) sum += re[bin] ** 2 + im[bin] ** 2;
      return Math.sqrt(sum);
    });
  });
}

function spectrum(samples, size) {
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  re.set(samples);
  transform(re, im);
  return { re, im };
}

/** Fourier's transform in place, of a power of two. */
function transform(re, im) {
  const size = re.length;
  for (let at = 1, to = 0; at < size; at++) {
    let bit = size >> 1;
    for (; to & bit; bit >>= 1) to ^= bit;
    to ^= bit;
    if (at < to) {
      [re[at], re[to]] = [re[to], re[at]];
      [im[at], im[to]] = [im[to], im[at]];
    }
  }
  for (let length = 2; length <= size; length *= 2) {
    const half = length / 2;
    for (let k = 0; k < half; k++) {
      const angle = (-2 * Math.PI * k) / length;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      for (let at = k; at < size; at += length) {
        const [x, y] = [re[at + half] * c - im[at + half] * s, re[at + half] * s + im[at + half] * c];
        [re[at + half], im[at + half]] = [re[at] - x, im[at] - y];
        re[at] += x;
        im[at] += y;
      }
    }
  }
}
