import { describe, expect, test } from 'vitest';
import { clock, clockWithSeconds, date, elapsed, oneDecimal } from '../src/i18n/format';
import { defaultChoices, loadChoices } from '../src/media/choices';
import {
  CAMERA_ENCODINGS,
  CONTENT_ENCODINGS,
  cameraEncodings,
  contentEncodings,
} from '../src/media/encodings';
import { levelOf } from '../src/media/level';
import { reportOf } from '../src/media/report';
import { bannerOf, comingWord } from '../src/meeting/banner';
import { siteActions } from '../src/meeting/siteActions';
import { gradeOf } from '../src/meeting/tileModel';
import { packSdp, unpackSdp } from '../src/protocol/sdp';
import { parse } from '../src/protocol/socket';
import { backoffMs } from '../src/session/backoff';
import { link, site } from './samples';

describe('times', () => {
  test.each([
    [0, '00:00'],
    [133_000, '02:13'],
    [3_723_999, '1:02:03'],
    [-5000, '00:00'],
  ])('%i ms is %s', (ms, text) => expect(elapsed(ms)).toBe(text));

  test('clock and date in the Vietnamese order, 24 hours, UTC+7', () => {
    const at = Date.UTC(2026, 10, 3, 18, 14, 5);
    expect([clock(at), clockWithSeconds(at), date(at)]).toEqual(['01:14', '01:14:05', '04/11/2026']);
  });

  test('decimal comma in Vietnamese, point in English', () => {
    expect([oneDecimal(1.25, 'vi'), oneDecimal(1.25, 'en')]).toEqual(['1,3', '1.3']);
  });
});

test('waiting grows from half a second to ten and is spread', () => {
  expect([1, 2, 3, 9, 5000].map(attempt => backoffMs(attempt, 1, 10_000))).toEqual([
    500, 1000, 2000, 10_000, 10_000,
  ]);
  expect(backoffMs(3, 0, 10_000)).toBe(1000);
});

const heard = {
  online: true,
  mediaUp: true,
  hasMicrophone: true,
  silenced: false,
  microphoneOpen: true,
  film: false,
  bridge: 'on',
} as const;

test('the banner never says “on air” unless the bridge can hear', () => {
  expect(bannerOf(heard)).toBe('on_air');
  expect(bannerOf({ ...heard, bridge: 'muted_by_chair' })).toBe('muted_by_chair');
  expect(bannerOf({ ...heard, microphoneOpen: false })).toBe('mic_off');
  expect(bannerOf({ ...heard, hasMicrophone: false })).toBe('no_microphone');
  expect(bannerOf({ ...heard, silenced: true })).toBe('silenced');
  expect(bannerOf({ ...heard, silenced: true, microphoneOpen: false })).toBe('mic_off');
});

test('the banner says when a film is heard although the room is not', () => {
  const film = { ...heard, microphoneOpen: false, film: true };
  expect(bannerOf(film)).toBe('film_on_air');
  expect(bannerOf({ ...film, hasMicrophone: false })).toBe('film_on_air');
  expect(bannerOf({ ...film, silenced: true, microphoneOpen: true })).toBe('film_on_air');
  expect(bannerOf({ ...film, microphoneOpen: true })).toBe('on_air');
  expect(bannerOf({ ...film, bridge: 'muted_by_chair' })).toBe('muted_by_chair');
});

test('where only the server’s word is missing the room may still be heard, and the banner says so', () => {
  const cut = { ...heard, online: false };
  expect(bannerOf(cut)).toBe('still_sending');
  expect(bannerOf({ ...cut, mediaUp: false })).toBe('reconnecting');
  expect(bannerOf({ ...cut, microphoneOpen: false })).toBe('reconnecting');
  expect(bannerOf({ ...cut, microphoneOpen: false, film: true })).toBe('film_still_sending');
  expect(bannerOf({ ...cut, bridge: 'muted_by_chair' })).toBe('reconnecting');
  expect(bannerOf({ ...cut, bridge: null })).toBe('reconnecting');
});

test('nobody is told that the line is lost while sound and video flow', () => {
  expect(comingWord('reconnecting', false)).toBe('reconnecting');
  expect(comingWord('reconnecting', true)).toBe('controlsAway');
  expect(comingWord('connecting', true)).toBe('connecting');
});

test('only what the server allows and what changes something is offered', () => {
  const words = (...given: Parameters<typeof siteActions>) => siteActions(...given).map(entry => entry.word);
  expect(words(site(2), false, false, [])).toEqual([]);
  expect(words(site(2), false, false, ['big_screen', 'mute', 'remove'])).toEqual([
    'bigScreen',
    'mute',
    'remove',
  ]);
  expect(
    words(site(2, { microphone: 'muted_by_chair' }), false, true, ['big_screen', 'mute', 'allow_unmute']),
  ).toEqual(['bigScreenOff', 'allowUnmute']);
  expect(words(site(1), true, false, ['mute', 'remove'])).toEqual([]);
  expect(words(site(2, { presence: 'removed' }), false, false, ['readmit', 'remove'])).toEqual(['readmit']);
});

test('a link light is shown when something is known of the link', () => {
  expect(gradeOf(site(2), undefined)).toBeNull();
  expect(gradeOf(site(2), link(2, 'fair'))).toBe('fair');
  expect(gradeOf(site(2), link(2, 'disconnected'))).toBeNull();
  expect(gradeOf(site(2, { presence: 'lost' }), link(2, 'good'))).toBeNull();
});

test('an offer survives packing and shrinks', async () => {
  const sdp = 'a=rtpmap:96 VP8/90000\r\n'.repeat(500);
  const packed = await packSdp(sdp);
  expect(await unpackSdp(packed)).toBe(sdp);
  expect(JSON.stringify(packed).length).toBeLessThan(sdp.length / 20);
  expect(await unpackSdp({ plain: sdp })).toBe(sdp);
});

test('what is no message is no message', () => {
  for (const text of ['', '{', 'null', '[]', '{"type":1}', '"ping"']) expect(parse(text)).toBeNull();
  expect(parse('{"type":"ping","n":1}')).toEqual({ type: 'ping', n: 1 });
});

/** Layers of a camera, lowest first: lines of its frame, or `null` for those that are not sent. */
const lines = (width: number, height: number, wanted: boolean[] = []) =>
  cameraEncodings(CAMERA_ENCODINGS, { width, height }, wanted).map(one =>
    one.active ? height / one.scaleResolutionDownBy! : null,
  );

test.each([
  [1280, 720, [180, 360, 720]],
  [1920, 1080, [270, 540, 1080]],
  [1280, 960, [240, 480, 960]],
  // Upright.
  [720, 1280, [320, 640, 1280]],
  [960, 540, [135, 270, 540]],
  // Two layers, of which the upper one is the whole frame.
  [640, 480, [240, 480, null]],
  [480, 640, [320, 640, null]],
  [640, 360, [180, 360, null]],
  [480, 360, [180, 360, null]],
  [480, 270, [135, 270, null]],
  // One.
  [320, 240, [240, null, null]],
  [320, 180, [180, null, null]],
])('a camera of %i×%i shows all its lines in a layer that browsers send', (width, height, expected) =>
  expect(lines(width, height)).toEqual(expected),
);

test('layers nobody watches are off', () => {
  expect(lines(1280, 720, [true, true, false])).toEqual([180, 360, null]);
  expect(lines(640, 480, [false, true, true])).toEqual([null, 480, null]);
});

test('a camera that becomes larger has its layers and bits back', () => {
  const small = cameraEncodings(CAMERA_ENCODINGS, { width: 320, height: 180 }, []);
  const large = cameraEncodings(small, { width: 1280, height: 720 }, []);
  expect(large).toEqual(CAMERA_ENCODINGS);
  expect(large.map(({ rid }) => rid)).toEqual(['l', 'm', 'h']);
});

test('a page is sent whole and at half its size, a small window whole', () => {
  const page = (width: number, height: number, wanted: boolean[] = []) =>
    contentEncodings(CONTENT_ENCODINGS, { width, height }, wanted).map(one =>
      one.active ? [height / one.scaleResolutionDownBy!, one.maxBitrate] : null,
    );
  expect(page(1920, 1080)).toEqual([
    [540, 40_000],
    [1080, 2_500_000],
  ]);
  expect(page(1280, 720, [true, false])).toEqual([[360, 40_000], null]);
  expect(page(400, 300)).toEqual([[300, 2_500_000], null]);
  expect(contentEncodings(CONTENT_ENCODINGS, { width: 1280, height: 720 }, [])).toEqual(CONTENT_ENCODINGS);
});

test('the level is silence at −60 dBFS and full at 0', () => {
  expect(levelOf(new Float32Array(64))).toEqual({ level: 0, peak: 0 });
  expect(levelOf(new Float32Array(64).fill(1)).level).toBe(1);
  expect(levelOf(new Float32Array(64).fill(0.0316)).level).toBeCloseTo(0.5, 2);
});

test('the report adds up frames and takes the nominated pair', () => {
  const report = reportOf([
    {
      type: 'inbound-rtp',
      kind: 'video',
      framesDecoded: 10,
      framesDropped: 1,
      freezeCount: 2,
      totalFreezesDuration: 0.5,
    },
    { type: 'inbound-rtp', kind: 'video', framesDecoded: 5 },
    { type: 'inbound-rtp', kind: 'audio', framesDecoded: 99 },
    { type: 'candidate-pair', nominated: true, availableOutgoingBitrate: 300_000 },
    { type: 'candidate-pair', nominated: false, availableOutgoingBitrate: 1 },
  ]);
  expect(report).toEqual({
    frames_decoded: 15,
    frames_dropped: 1,
    freezes: 2,
    freeze_seconds: 0.5,
    available_outgoing_bps: 300_000,
  });
});

test('remembered choices of another version or of somebody’s editing do no harm', () => {
  expect(loadChoices('{"camera":7,"direct":true,"unknown":1}')).toEqual({ ...defaultChoices, direct: true });
  for (const broken of ['', 'null', '[]', '{']) expect(loadChoices(broken)).toEqual(defaultChoices);
});
