/** A tiny test runner: stories one after the other, each with what it opened closed after it. */

const STORY_LIMIT_MS = 60_000;
const stories = [];

/** Declares a test. `tell` gets a `World`: what it opens there is closed when the story ends. */
export function story(name, tell, limitMs = STORY_LIMIT_MS) {
  stories.push({ name, tell, limitMs });
}

/** Runs the stories whose name contains one of `wanted` (all, if none is given). */
export async function runAll(wanted, openWorld) {
  const failures = [];
  const chosen = stories.filter(
    ({ name }) => wanted.length === 0 || wanted.some(part => name.includes(part)),
  );
  for (const { name, tell, limitMs } of chosen) {
    const start = Date.now();
    const world = openWorld(name);
    try {
      await within(limitMs, tell(world));
      console.log(`ok      ${name} (${seconds(start)})`);
    } catch (error) {
      failures.push(`${name}: ${String(error.message ?? error).slice(0, 300)}`);
      console.log(`FAILED  ${name} (${seconds(start)})\n${indent(error.stack ?? String(error))}`);
      await within(10_000, world.describe()).catch(error => console.log(indent(String(error))));
    }
    await within(20_000, world.close()).catch(error => console.log(indent(String(error))));
  }
  // Again where it is found: what is said at a failure may be long.
  for (const failure of failures) console.log(`failed: ${failure}`);
  console.log(`${chosen.length - failures.length} passed, ${failures.length} failed`);
  return failures.length;
}

const seconds = start => `${((Date.now() - start) / 1000).toFixed(1)} s`;
const indent = text => text.replace(/^/gm, '        ');

function within(limitMs, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * Asks until the answer is good, and returns it. `ask` returns `{ ok, ... }` or a truthy value; the
 * last answer is in the error, so that a failure says what was seen instead.
 */
export async function until(what, ask, limitMs = 15_000, everyMs = 100) {
  const end = Date.now() + limitMs;
  let last;
  do {
    last = await ask();
    if (last?.ok ?? last) return last;
    await pause(everyMs);
  } while (Date.now() < end);
  throw new Error(`${what}: not within ${limitMs} ms; last seen: ${JSON.stringify(last)}`);
}

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
