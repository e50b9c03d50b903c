import { describe, expect, test, vi } from 'vitest';
import { loadChoices, saveChoices } from '../src/media/choices';
import { Memory } from '../src/memory';
import { reloadOnce } from '../src/session/link';

/** A storage that holds `room` entries. */
function storageOf(room: number): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => {
      if (!kept.has(key) && kept.size >= room) throw new DOMException('', 'QuotaExceededError');
      kept.set(key, value);
    },
    removeItem: (key: string) => void kept.delete(key),
  } as Storage;
}

describe('a device remembers', () => {
  test('for ever where it may', () => {
    const storage = storageOf(1);
    expect(new Memory(() => storage).write('a', '1')).toBe('kept');
    expect(new Memory(() => storage).read('a')).toBe('1');
    new Memory(() => storage).forget('a');
    expect(new Memory(() => storage).read('a')).toBeNull();
  });

  test.each([
    [
      'forbidden',
      () => {
        throw new DOMException('', 'SecurityError');
      },
    ],
    ['full', () => storageOf(0)],
    ['not there', () => (globalThis as { noSuchStorage?: Storage }).noSuchStorage as Storage],
  ])('for as long as the page is open where storage is %s', (_, storage) => {
    const memory = new Memory(storage);
    expect(memory.read('a')).toBeNull();
    expect(memory.write('a', '1')).toBe('until_reload');
    expect(memory.read('a')).toBe('1');
    memory.forget('a');
    expect(memory.read('a')).toBeNull();
  });
});

test('without storage the page has the default choices, and keeps new ones while it is open', () => {
  expect(loadChoices().cameraOn).toBe(true);
  saveChoices({ ...loadChoices(), cameraOn: false });
  expect(loadChoices().cameraOn).toBe(false);
});

test('a page that cannot remember that it has reloaded does not reload', () => {
  const reload = vi.fn();
  vi.stubGlobal('location', { reload });
  expect(reloadOnce()).toBe(false);
  const storage = storageOf(1);
  vi.stubGlobal('sessionStorage', storage);
  expect([reloadOnce(), reloadOnce()]).toEqual([true, false]);
  expect(reload).toHaveBeenCalledTimes(1);
  vi.unstubAllGlobals();
});
