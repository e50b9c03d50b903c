import type { ClientReport } from '../protocol/gen';

interface Numbers {
  [name: string]: unknown;
}

const number = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

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
    if (entry.type === 'candidate-pair' && entry.nominated === true && 'availableOutgoingBitrate' in entry) {
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

export const arrived = async (pc: RTCPeerConnection) => arrivedOf(await entriesOf(pc));

export async function report(pc: RTCPeerConnection): Promise<ClientReport> {
  return reportOf(await entriesOf(pc));
}

async function entriesOf(pc: RTCPeerConnection): Promise<Numbers[]> {
  const entries: Numbers[] = [];
  (await pc.getStats()).forEach(entry => {
    entries.push(entry);
  });
  return entries;
}
