import type { Sdp } from './gen';

/** Deflated where the browser can: an offer of 12 slots shrinks from tens of kilobytes to about two. */
export async function packSdp(sdp: string): Promise<Sdp> {
  if (typeof CompressionStream === 'undefined') return { plain: sdp };
  const stream = new Blob([sdp]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { deflated: btoa(text) };
}

export async function unpackSdp(sdp: Sdp): Promise<string> {
  if ('plain' in sdp) return sdp.plain;
  const bytes = Uint8Array.from(atob(sdp.deflated), letter => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).text();
}
