import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { vi } from '../src/i18n/vi';
import { afterError, afterRefusal, refusalPage, type Trouble, troubleWord } from '../src/meeting/refusal';
import type { ErrorCode } from '../src/protocol/gen';

const generated = readFileSync(new URL('../src/protocol/gen.ts', import.meta.url), 'utf8');
const union = /export type ErrorCode = (.*);/.exec(generated)?.[1] ?? '';
const codes = union.split('|').map(code => code.trim().replaceAll('"', '') as ErrorCode);

test('the protocol has codes', () => expect(codes.length).toBeGreaterThan(20));

describe.each(codes)('%s', code => {
  test.each([true, false])(
    'as a refusal (inside before: %s) is an end with a page, or a retry with a sentence',
    inside => {
      const next = afterRefusal(code, inside);
      if (next === 'stop' || next === 'reload') expect(vi.ending[refusalPage(code)].title).not.toBe('');
      else expect(vi.trouble[troubleWord(code)!]).toMatch(/\.$/);
    },
  );

  test('as an error has a sentence wherever it stops media', () => {
    if (afterError(code, true) !== 'tell') expect(vi.trouble[troubleWord(code)!]).toMatch(/\.$/);
    if (afterError(code, true) === 'offer_anew') expect(vi.ending.unfit.title).not.toBe('');
  });
});

test('a line that broke says all there is to say', () => {
  expect([null, 'lost' as Trouble].map(troubleWord)).toEqual([null, null]);
});

test.each([
  ['unknown_link', true, 'stop'],
  ['meeting_full', false, 'stop'],
  ['meeting_full', true, 'slowly'],
  ['internal', false, 'slowly'],
  ['draining', false, 'soon'],
  ['version', false, 'reload'],
  ['seat_taken', true, 'stop'],
  ['takeover_too_soon', false, 'soon'],
] as const)('refused as %s (inside before: %s): %s', (code, inside, next) => {
  expect(afterRefusal(code, inside)).toBe(next);
});
