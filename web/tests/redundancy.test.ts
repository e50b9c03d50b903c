import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MediaConnection } from '../src/media/connection';
import { askForRedundancy, Redundancy } from '../src/media/redundancy';
import { type Numbers, upstreamOf } from '../src/media/report';
import { pass, SECOND, settle } from './connectorPage';
import { FakePc, forgetBrowser, pretendBrowser } from './fakes';

/** As often as the page looks. */
const LOOK_MS = 400;

/** A microphone that speaks all the time, on a line up that loses a share and lets the browser believe in so much. */
class Speaker {
  readonly redundancy = new Redundancy();
  now = 0;
  private sent = 0;
  private missed = 0;

  /** Whether there was redundancy, look by look. */
  speaks(seconds: number, lost: number, availableBps = 500_000, rttMs = 100): boolean[] {
    return Array.from({ length: (seconds * 1000) / LOOK_MS }, () => {
      this.now += LOOK_MS;
      this.sent += LOOK_MS / 20;
      this.missed += (LOOK_MS / 20) * lost;
      const { sent, missed } = this;
      this.redundancy.see(this.now, { sent, missed: Math.floor(missed + 1e-9), availableBps, rttMs });
      return this.redundancy.wanted;
    });
  }

  /** One packet is lost. */
  loses(): void {
    this.missed += 1;
  }

  get protects(): boolean {
    return this.redundancy.wanted;
  }
}

const seconds = (looks: boolean[]) => (looks.filter(on => on).length * LOOK_MS) / 1000;

function protecting(): Speaker {
  const speaker = new Speaker();
  speaker.speaks(10, 0.05);
  expect(speaker.protects).toBe(true);
  return speaker;
}

describe('redundancy begins', () => {
  test('where every twentieth packet is lost, within five seconds', () => {
    const looks = new Speaker().speaks(60, 0.05);
    expect(looks.indexOf(true) * LOOK_MS).toBeLessThan(5 * SECOND);
    expect(looks.lastIndexOf(false)).toBeLessThan(looks.indexOf(true));
  });

  test('not where nothing is lost, nor after an accident', () => {
    const speaker = new Speaker();
    expect(seconds(speaker.speaks(60, 0))).toBe(0);
    for (let lost = 0; lost < 5; lost += 1) speaker.loses();
    expect(seconds(speaker.speaks(60, 0))).toBe(0);
    expect(seconds(speaker.speaks(600, 0.01))).toBe(0);
  });

  test('not where the line has no room for it', () => {
    const speaker = new Speaker();
    expect(seconds(speaker.speaks(60, 0.08, 199_000))).toBe(0);
    speaker.speaks(3, 0.08, 200_000);
    expect(speaker.protects).toBe(true);
  });

  test('on a very lossy line that is believed to be narrow, unless a queue stands on it', () => {
    const speaker = new Speaker();
    speaker.speaks(4, 0);
    expect(seconds(speaker.speaks(60, 0.3, 90_000, 150))).toBe(0);
    speaker.speaks(5, 0.3, 90_000);
    expect(speaker.protects).toBe(true);
    expect(speaker.speaks(60, 0.3, 90_000, 190)).not.toContain(false);
  });
});

describe('redundancy ends', () => {
  test('half a minute after the last loss, and within a few seconds of it', () => {
    const lasted = seconds(protecting().speaks(60, 0));
    expect(lasted).toBeGreaterThanOrEqual(30);
    expect(lasted).toBeLessThan(35);
  });

  test('not while every fiftieth packet is lost, nor between losses that come again', () => {
    const speaker = protecting();
    expect(speaker.speaks(600, 0.02)).not.toContain(false);
    for (let again = 0; again < 10; again += 1) {
      expect([...speaker.speaks(20, 0), ...speaker.speaks(4, 0.05)]).not.toContain(false);
    }
  });

  test('although a packet is lost now and then', () => {
    const speaker = protecting();
    speaker.speaks(12, 0);
    speaker.loses();
    speaker.speaks(30, 0);
    expect(speaker.protects).toBe(false);
  });

  test('at once where it fills the line, and is not tried again for half a minute', () => {
    const speaker = protecting();
    expect(speaker.speaks(10, 0.3, 120_000, 300)).not.toContain(false);
    expect(speaker.speaks(0.4, 0.3, 119_000, 300)).toEqual([false]);
    expect(seconds(speaker.speaks(29, 0.3))).toBe(0);
    speaker.speaks(5, 0.3);
    expect(speaker.protects).toBe(true);
  });
});

const line = (lost: number, resent = 0, sent = 1000): Numbers[] => [
  { type: 'outbound-rtp', kind: 'video', packetsSent: 9999, retransmittedPacketsSent: 99 },
  { type: 'outbound-rtp', kind: 'audio', packetsSent: sent + resent, retransmittedPacketsSent: resent },
  { type: 'remote-inbound-rtp', kind: 'video', packetsLost: 99 },
  { type: 'remote-inbound-rtp', kind: 'audio', packetsLost: lost, fractionLost: 0.5 },
  { type: 'candidate-pair', nominated: true, availableOutgoingBitrate: 500_000, currentRoundTripTime: 0.08 },
];

test('what was sent again was missing, whatever the fraction says', () => {
  expect(upstreamOf(line(7, 20))).toEqual({ sent: 1000, missed: 27, availableBps: 500_000, rttMs: 80 });
});

test('a browser that does not tell of its line decides nothing', () => {
  for (const type of ['outbound-rtp', 'remote-inbound-rtp', 'candidate-pair'])
    expect(upstreamOf(line(7).filter(entry => entry.type !== type))).toBeNull();
  const redundancy = new Redundancy();
  redundancy.see(0, null);
  expect(redundancy.wanted).toBe(false);
});

const section = (types: string) =>
  `m=audio 9 UDP/TLS/RTP/SAVPF ${types}\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n`;

test('redundancy is asked for in the first section, where it may be sent', () => {
  expect(askForRedundancy(section('111 63') + section('111 63'))).toBe(section('63 111') + section('111 63'));
  expect(askForRedundancy(section('111') + section('63 111'))).toBe(section('111') + section('63 111'));
  const firefox = 'm=audio 9 UDP/TLS/RTP/SAVPF 109\r\na=rtpmap:109 opus/48000/2\r\n';
  expect(askForRedundancy(firefox)).toBe(firefox);
});

describe('the connection', () => {
  beforeEach(pretendBrowser);
  afterEach(forgetBrowser);

  const PLAIN = section('111 63');
  const RED = section('63 111');

  /** Speaks so long while so many of a hundred packets are lost. */
  async function loses(media: MediaConnection, percent: number, lookCount: number) {
    for (let looks = 0; looks < lookCount; looks += 1) {
      sent += 100;
      lost += percent;
      media.heed(line(lost, 0, sent));
      await pass(2 * SECOND);
    }
  }
  let sent = 0;
  let lost = 0;

  async function speaking(): Promise<MediaConnection> {
    [sent, lost] = [0, 0];
    const media = new MediaConnection(1, () => undefined);
    await media.offer(false);
    await media.answer(PLAIN);
    return media;
  }

  test('applies the last answer again, and offers nothing', async () => {
    const media = await speaking();
    await loses(media, 5, 5);
    expect(FakePc.last.answers).toEqual([PLAIN, RED]);
    await loses(media, 0, 20);
    expect(FakePc.last.answers).toEqual([PLAIN, RED, PLAIN]);
    expect(FakePc.last.offers).toEqual(['fresh']);
    expect(FakePc.last.signalingState).toBe('stable');
  });

  test('has redundancy also by the answer to a restart, for which it waits', async () => {
    const media = await speaking();
    await media.offer(true);
    await loses(media, 5, 5);
    expect(FakePc.last.answers).toEqual([PLAIN]);
    await media.answer(PLAIN);
    await loses(media, 5, 2);
    expect(FakePc.last.answers).toEqual([PLAIN, RED]);
  });

  test('does not mix an offer with what it changes by itself', async () => {
    const media = await speaking();
    await loses(media, 5, 2);
    media.heed(line(lost + 5, 0, sent + 100));
    const offer = media.offer(true);
    await settle();
    expect(FakePc.last.answers).toEqual([PLAIN, RED]);
    expect(await offer).toBe('offer 0.2');
    expect(FakePc.last.signalingState).toBe('have-local-offer');
  });

  test('goes on as before where the browser does not take it', async () => {
    const media = await speaking();
    FakePc.understands = sdp => sdp !== RED;
    await loses(media, 5, 5);
    expect(FakePc.last.answers).toEqual([PLAIN]);
    expect(FakePc.last.signalingState).toBe('stable');
  });
});
