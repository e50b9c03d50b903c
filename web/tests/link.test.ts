import { afterEach, describe, expect, test, vi } from 'vitest';
import { invitationOf, linkOf, takeLink } from '../src/session/link';

test('a join link is taken apart, also below a path', () => {
  expect(linkOf('https://hop.example/cau/?ngay=1#bi-mat')).toEqual({
    token: 'bi-mat',
    webSocket: 'wss://hop.example/cau/ws',
    direct: true,
  });
  expect(linkOf('http://localhost:8080/#a')).toMatchObject({
    webSocket: 'ws://localhost:8080/ws',
    direct: false,
  });
});

describe('what programs and people put around a secret is not the secret', () => {
  const token = 'kiem_thu-An.Phuoc~01';
  test.each([
    ['nothing', `#${token}`],
    ['a campaign', `#${token}?utm_source=zalo&utm_medium=chat`],
    ['another parameter', `#${token}&fbclid=abc`],
    ['a closing bracket', `#${token})`],
    ['brackets and quotes', `#(“${token}”)`],
    ['the end of a sentence', `#${token}.`],
    ['a comma', `#${token},`],
    ['a space and a word', `#${token} (An Phước)`],
    ['a zero-width space', `#${token}\u200b`],
    ['marks to break the line at', `#kiem_\u200bthu-An\u00ad.Phuoc\u2060~01\ufeff`],
    ['a slash', `#/${token}/`],
    ['a broken escape', `#${token}%E0%A4%A`],
  ])('%s', (_, fragment) => {
    expect(linkOf(`https://hop.example/${fragment}`).token).toBe(token);
  });
});

test.each(['', '#', '#%', '#%E0%A4%A', '#()', '#\u200b', '#.'])('%j carries no secret', fragment => {
  expect(linkOf(`https://hop.example/${fragment}`).token).toBe(fragment === '#%E0%A4%A' ? 'E0' : '');
});

describe('where a link leads', () => {
  afterEach(() => vi.unstubAllGlobals());

  test('is asked with the secret in a header, never in the address', async () => {
    const asked = vi.fn(async () => Response.json({ meeting: 'Giao ban', site: 'An Phước' }));
    vi.stubGlobal('fetch', asked);
    expect(await invitationOf('bi-mat')).toEqual({ meeting: 'Giao ban', site: 'An Phước' });
    expect(asked).toHaveBeenCalledWith('invitation', {
      headers: { authorization: 'Bearer bi-mat' },
      cache: 'no-store',
    });
  });

  test('stays unsaid where the server refuses, is not there, or is an older one', async () => {
    for (const reply of [
      async () => Response.json({ type: 'refused' }, { status: 404 }),
      async () => Promise.reject(new TypeError()),
      async () => new Response('<!doctype html>'),
    ]) {
      vi.stubGlobal('fetch', reply);
      expect(await invitationOf('bi-mat')).toBeNull();
    }
  });
});

describe('the secret leaves the address bar', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** A tab with an address and a memory; what is left in its bar. */
  function tabAt(href: string, sessionStorage: Partial<Storage> | undefined) {
    const bar = { href };
    vi.stubGlobal('location', new URL(href));
    vi.stubGlobal('sessionStorage', sessionStorage);
    vi.stubGlobal('history', {
      state: null,
      replaceState: (_: unknown, __: string, to: string) => {
        bar.href = new URL(to, href).href;
      },
    });
    return bar;
  }

  function remembering(): Partial<Storage> {
    const kept = new Map<string, string>();
    return {
      getItem: key => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
    };
  }

  test('and a tab that has seen no link has none', () => {
    tabAt('https://hop.example/', remembering());
    expect(takeLink().token).toBe('');
  });

  test('and a reload finds it in the tab', () => {
    const storage = remembering();
    const bar = tabAt('https://hop.example/cau/?ngay=1#bi-mat', storage);
    expect(takeLink().token).toBe('bi-mat');
    expect(bar.href).toBe('https://hop.example/cau/?ngay=1');
    tabAt(bar.href, storage);
    expect(takeLink()).toMatchObject({ token: 'bi-mat', direct: true });
    tabAt('https://hop.example/cau/#khac', storage);
    expect(takeLink().token).toBe('khac');
    tabAt('https://hop.example/cau/#()', storage);
    expect(takeLink().token).toBe('');
  });

  test('but stays where the tab remembers nothing', () => {
    const bar = tabAt('https://hop.example/#bi-mat', undefined);
    expect(takeLink().token).toBe('bi-mat');
    expect(bar.href).toBe('https://hop.example/#bi-mat');
  });
});
