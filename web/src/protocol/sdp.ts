import type { Sdp } from './gen';

/** Raw DEFLATE came years after the rest: Chrome 80–102, Firefox up to 112 and iOS 16.3 lack it or all of it. */
const FORMAT = 'deflate-raw';

/** Both ways or not at all: a deflated offer gets a deflated answer. */
function streams(): { packer: CompressionStream; unpacker: DecompressionStream } | null {
  try {
    return { packer: new CompressionStream(FORMAT), unpacker: new DecompressionStream(FORMAT) };
  } catch {
    return null;
  }
}

const through = (bytes: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream) =>
  new Response(new Blob([bytes]).stream().pipeThrough(stream));

/** Deflated where the browser can: an offer of 12 slots shrinks from tens of kilobytes to about two. */
export async function packSdp(sdp: string): Promise<Sdp> {
  const packer = streams()?.packer;
  if (packer === undefined) return { plain: sdp };
  const bytes = new Uint8Array(await through(new TextEncoder().encode(sdp), packer).arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { deflated: btoa(text) };
}

export async function unpackSdp(sdp: Sdp): Promise<string> {
  if ('plain' in sdp) return sdp.plain;
  const unpacker = streams()?.unpacker;
  if (unpacker === undefined) throw new Error('a deflated answer to a plain offer');
  const bytes = Uint8Array.from(atob(sdp.deflated), letter => letter.charCodeAt(0));
  return through(bytes, unpacker).text();
}
