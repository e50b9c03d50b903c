import { describe, expect, test } from 'vitest';
import { linkOf } from '../src/session/link';

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
