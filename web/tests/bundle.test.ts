import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';

const LIMIT_BYTES = 150 * 1024;
let folder = '';
let files: { name: string; text: string }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhipcau-web-'));
  await build({ build: { outDir: folder, emptyOutDir: true }, logLevel: 'error' });
  files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .map(name => ({ name, text: readFileSync(name, 'utf8') }));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the whole page stays below 150 KB gzipped', () => {
  const bytes = files.reduce((sum, file) => sum + gzipSync(file.text).length, 0);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(LIMIT_BYTES);
});

test('nothing is fetched from outside, and the mock is not in it', () => {
  const namespaces = /https?:\/\/www\.w3\.org\/[\w/#.]*/g;
  for (const { name, text } of files) {
    expect(text.replaceAll(namespaces, ''), name).not.toMatch(/https?:\/\/[a-z]/);
    expect(text, name).not.toContain('mockMedia');
  }
});

test('the page obeys a strict content security policy', () => {
  const html = files.find(file => file.name.endsWith('index.html'))?.text ?? '';
  expect(html).toContain('type="module"');
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)/);
  expect(html).not.toMatch(/<style|\sstyle=|\son[a-z]+=|data:/);
  for (const { name, text } of files) expect(text, name).not.toMatch(/\beval\(|new Function\(/);
});
