/** The measure of intelligibility that `conformance.mjs` uses. */
import assert from 'node:assert/strict';
import { story } from '../lib/runner.mjs';
import { RATE, stoi } from '../lib/stoi.mjs';

/** A voice without words: a hum whose parts rise and fall five times a second, never twice alike. */
function babble(seconds) {
  const at = (n, part) => {
    const time = n / RATE;
    const swell = 1 + Math.sin(2 * Math.PI * (3 + part * 0.7) * time + part * time * time);
    return swell * Math.sin(2 * Math.PI * 170 * (part + 1) * time + part);
  };
  const parts = Array.from({ length: 20 }, (_, part) => part);
  return Float32Array.from({ length: seconds * RATE }, (_, n) =>
    parts.reduce((sum, part) => sum + at(n, part) / (part + 1), 0),
  );
}

story('what is lost of speech makes it less intelligible, and a delay does not', async () => {
  const spoken = babble(6);
  const later = Float32Array.from(spoken, (_, n) => spoken[(n + 12_345) % spoken.length]);
  const without = every => {
    const heard = later.slice();
    for (let at = 0; at < heard.length; at += every) heard.fill(0, at, at + 600);
    return heard;
  };
  const [whole, some, much] = [later, without(6000), without(1500)].map(heard => stoi(spoken, heard));
  assert.ok(whole > 0.99, `${whole}`);
  assert.ok(whole > some + 0.02 && some > much + 0.1, `${whole} ${some} ${much}`);
  assert.ok(stoi(spoken, new Float32Array(spoken.length)) < 0.1);
});
