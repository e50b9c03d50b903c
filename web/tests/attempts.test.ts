import { describe, expect, test } from 'vitest';
import { Attempts, OPENING_MS } from '../src/session/attempts';
import { SOON_MS } from '../src/session/backoff';
import { LOOK_MS, Pulse, SILENT_MS } from '../src/session/pulse';

/** A page that has been in, over a line of a short round trip; every wait is as long as it may be. */
function attempts(): Attempts {
  const made = new Attempts(() => 1);
  made.learn(50);
  return made;
}

/** When each step is due, as long as every attempt hangs. */
function hanging(made: Attempts, untilMs: number): [string, number][] {
  const steps: [string, number][] = [];
  made.begin(0);
  for (let now = made.wakeAt; now <= untilMs; now = made.wakeAt) {
    const step = made.poll(now);
    if (step !== null && step !== 'ask') steps.push([step, now]);
    if (step === 'begin') made.begin(now);
    if (step === 'give_up') made.failed(now, steps.length, SOON_MS);
  }
  return steps;
}

describe('attempts', () => {
  test('that hang last longer and longer, and follow each other without a pause', () => {
    const lengths = hanging(attempts(), 200_000)
      .filter(([step]) => step === 'give_up')
      .map(([, at], index, all) => at - (all[index - 1]?.[1] ?? -250) - 250);
    expect(lengths).toEqual([5000, 5000, 10_000, 10_000, 20_000, 20_000, 30_000, 30_000, 30_000, 30_000]);
  });

  test('are too few in a blackout of 90 s for a browser to make the page wait', () => {
    expect(hanging(attempts(), 90_000).filter(([step]) => step === 'give_up').length).toBeLessThan(10);
  });

  test('of a page that was never in, and over a satellite, are given the time that takes', () => {
    const made = new Attempts(() => 1);
    made.begin(0);
    expect(made.wakeAt).toBe(30_000);
    made.learn(2500);
    made.begin(0);
    expect(made.wakeAt).toBe(17_000);
  });

  test('that are refused wait for their turn, and ask meanwhile', () => {
    const made = attempts();
    made.begin(0);
    made.failed(10, 4, SOON_MS);
    expect([made.poll(10), made.poll(1009), made.poll(1010), made.poll(1500)]).toEqual([
      null,
      null,
      'ask',
      null,
    ]);
    made.cue(1600);
    expect(made.poll(1600)).toBe('begin');
  });

  test('give way to a new one when the line may be there, if they are old, and once', () => {
    const made = attempts();
    made.begin(0);
    made.cue(999);
    expect(made.poll(999)).toBeNull();
    made.cue(1000);
    expect(made.poll(1000)).toBe('begin');
    made.begin(1000);
    made.cue(3000);
    expect(made.poll(3000)).toBeNull();
    expect(made.wakeAt).toBe(1000 + OPENING_MS);
  });

  test('wait as long as the server has said, whatever happens', () => {
    const made = attempts();
    made.failed(0, 1, SOON_MS, 8000);
    made.cue(7999);
    expect(made.poll(7999)).toBeNull();
    made.failed(0, 3, SOON_MS);
    made.hold();
    made.cue(1999);
    expect([made.poll(1999), made.poll(2000)]).toEqual([null, 'begin']);
  });

  test('of a page that has stopped, there are none', () => {
    const made = attempts();
    made.begin(0);
    made.stop();
    made.cue(60_000);
    expect([made.wakeAt, made.poll(600_000)]).toEqual([Number.POSITIVE_INFINITY, null]);
  });
});

describe('the pulse of a line', () => {
  /** What is noticed, at which look; each look is given what has come since the one before. */
  const noticed = (came: (number | null)[]) => {
    const pulse = new Pulse();
    let count = 1000;
    return came.flatMap((more, look) => {
      count += more ?? 0;
      const news = pulse.look(look * LOOK_MS, more === null ? null : count);
      return news === null ? [] : [`${look} ${news}`];
    });
  };
  const SILENT_LOOKS = Math.ceil(SILENT_MS / LOOK_MS);

  test('is missed after a second and a half, once, and noticed when it is back', () => {
    expect(noticed([0, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 9, 9])).toEqual([
      `${4 + SILENT_LOOKS} stopped`,
      '11 came',
    ]);
  });

  test('is not missed where it came only now and then, or never', () => {
    expect(noticed([0, 9, 9, 9, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0])).toEqual([]);
    expect(noticed(Array(20).fill(null))).toEqual([]);
  });

  test('stops with a count that falls, which is that of another way', () => {
    expect(noticed([0, 9, 9, 9, 9, -500, 0, 0, 0, 0, 1])).toEqual(['8 stopped', '10 came']);
  });
});
