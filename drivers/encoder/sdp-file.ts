/** `sdp:///etc/sluice/encoder.sdp`: a session description in a file, for what sends plain RTP. */
import { open } from 'node:fs/promises';
import { ParseError, ProtocolError } from '../../codecs/errors.ts';

/** As of a description that comes by RTSP. */
const MAX_FILE_BYTES = 64 * 1024;

/** Throws ParseError when the URL is none. */
export function sdpPathOf(url: string): string {
  const [, path = ''] = /^\s*sdp:\/\/(\/[^\0]*)$/i.exec(url) ?? [];
  if (path === '') throw new ParseError('a URL sdp:///path/of/a/file.sdp');
  return decodePercent(path.trimEnd());
}

/** What it says now: it is read at every attempt. */
export async function readSdpFile(path: string): Promise<string> {
  const file = await open(path).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ProtocolError('SDP_FILE', `the file ${path} cannot be read (${code})`);
  });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_FILE_BYTES + 1));
    if (bytesRead <= MAX_FILE_BYTES) return buffer.toString('utf8', 0, bytesRead);
    throw new ProtocolError('SDP_FILE', `the file ${path} is too long for a session description`);
  } finally {
    await file.close();
  }
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A name may hold a percent sign.
  }
}
