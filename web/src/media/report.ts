import type { ClientReport } from '../protocol/gen';
import type { Upstream } from './redundancy';

export interface Numbers {
  [name: string]: unknown;
}

const number = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

/** The pair that media goes over, of a browser that estimates what it carries. */
const isPath = (entry: Numbers) =>
  entry.type === 'candidate-pair' && entry.nominated === true && 'availableOutgoingBitrate' in entry;

/** Adds up what the page sees of its own link. Totals since the PeerConnection was made. */
export function reportOf(stats: Iterable<Numbers>): ClientReport {
  const report: ClientReport = { frames_decoded: 0, frames_dropped: 0, freezes: 0, freeze_seconds: 0 };
  for (const entry of stats) {
    if (entry.type === 'inbound-rtp' && entry.kind === 'video') {
      report.frames_decoded += number(entry.framesDecoded);
      report.frames_dropped += number(entry.framesDropped);
      report.freezes += number(entry.freezeCount);
      report.freeze_seconds += number(entry.totalFreezesDuration);
    }
    if (isPath(entry)) {
      report.available_outgoing_bps = number(entry.availableOutgoingBitrate);
    }
  }
  return report;
}

/** What has come on all ways together; it grows with whatever comes. Null where the browser does not say. */
export function arrivedOf(stats: Iterable<Numbers>): number | null {
  let arrived: number | null = null;
  for (const entry of stats)
    if (entry.type === 'candidate-pair')
      arrived = (arrived ?? 0) + number(entry.bytesReceived) + number(entry.responsesReceived);
  return arrived;
}

/**
 * Of the microphone, the only voice that is sent. Null where the browser does not say. What was sent again was missing at
 * first: once it has come, receivers' reports count it as received, and their fraction stays at nothing on a line that
 * loses a twentieth. That fraction also tells what listeners without RED lose, and is not looked at.
 */
export function upstreamOf(stats: Numbers[]): Upstream | null {
  const voice = (type: string) => stats.find(entry => entry.type === type && entry.kind === 'audio');
  const [sent, received] = [voice('outbound-rtp'), voice('remote-inbound-rtp')];
  const path = stats.find(isPath);
  const rttMs = number(path?.currentRoundTripTime) * 1000;
  if (sent === undefined || received === undefined || path === undefined || rttMs === 0) return null;
  const again = number(sent.retransmittedPacketsSent);
  return {
    sent: number(sent.packetsSent) - again,
    missed: number(received.packetsLost) + again,
    availableBps: number(path.availableOutgoingBitrate),
    rttMs,
  };
}

export async function report(pc: RTCPeerConnection): Promise<ClientReport> {
  return reportOf(await statsOf(pc));
}

export async function statsOf(pc: RTCPeerConnection): Promise<Numbers[]> {
  const entries: Numbers[] = [];
  (await pc.getStats()).forEach(entry => {
    entries.push(entry);
  });
  return entries;
}
