import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { vi } from '../src/i18n/vi';

type Entry = [path: string, value: unknown];

function entries(value: object, path = ''): Entry[] {
  return Object.entries(value).flatMap(([key, one]) =>
    typeof one === 'object' ? entries(one, `${path}${key}.`) : [[`${path}${key}`, one] as Entry],
  );
}

const text = (value: unknown) => (typeof value === 'function' ? String(value('A', 'B')) : String(value));

describe('words', () => {
  test('English has every key of Vietnamese and no other', () => {
    expect(entries(en).map(([path]) => path)).toEqual(entries(vi).map(([path]) => path));
  });

  test.each(entries(vi))('%s is written, composed (NFC), and uses its parameters', (path, value) => {
    expect(text(value).trim()).not.toBe('');
    expect(text(value).normalize('NFC')).toBe(text(value));
    if (typeof value === 'function')
      for (const given of ['A', 'B'].slice(0, value.length)) expect(text(value), path).toContain(given);
  });

  test('“micro”, never “mic”, and never “bạn”', () => {
    const all = entries(vi)
      .map(([, value]) => text(value))
      .join('\n')
      .toLowerCase();
    expect(all).not.toMatch(/\bmic\b/);
    expect(all).not.toMatch(/(^|\s)bạn(\s|$)/);
  });

  test('every word is used', () => {
    const folder = new URL('../src/', import.meta.url);
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(name => /\.tsx?$/.test(name) && !name.startsWith('i18n') && !name.startsWith('protocol'))
      .map(name => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    for (const key of Object.keys(vi))
      expect(sources).toMatch(new RegExp(`\\bt\\.${key}\\b|value\\.${key}\\b|'${key}'`));
  });

  test('components hold no words of their own', () => {
    const folder = new URL('../src/', import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    for (const file of files.filter(name => name.endsWith('.tsx'))) {
      const source = readFileSync(new URL(file, folder), 'utf8')
        .replaceAll(/\/\*.*?\*\//gs, '')
        .replaceAll(/^\s*\/\/.*$/gm, '');
      expect(source, file).not.toMatch(/[À-ỹ]/);
      expect(source, file).not.toMatch(/>\s*[A-Z][a-z]+ [a-z]+[^<{}()=]*</);
    }
  });
});
