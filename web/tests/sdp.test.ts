import { afterEach, expect, test, vi } from 'vitest';
import { packSdp, unpackSdp } from '../src/protocol/sdp';

const SDP = 'a=rtpmap:96 VP8/90000\r\n'.repeat(500);

afterEach(() => vi.unstubAllGlobals());

/** As Chrome 80–102 have it. */
class WithoutRaw {
  constructor(format: string) {
    if (format === 'deflate-raw') throw new TypeError(`Unsupported compression format: '${format}'`);
  }
}

test.each([
  ['no CompressionStream at all (Firefox 112, iOS 16.3)', undefined],
  ['CompressionStream without raw deflate (Chrome 102)', WithoutRaw],
])('a browser with %s offers plain text and reads plain text', async (_, stream) => {
  vi.stubGlobal('CompressionStream', stream);
  vi.stubGlobal('DecompressionStream', stream);
  expect(await packSdp(SDP)).toEqual({ plain: SDP });
  expect(await unpackSdp({ plain: SDP })).toBe(SDP);
});

test('a browser that packs but could not unpack the answer offers plain text', async () => {
  vi.stubGlobal('DecompressionStream', WithoutRaw);
  expect(await packSdp(SDP)).toEqual({ plain: SDP });
});
