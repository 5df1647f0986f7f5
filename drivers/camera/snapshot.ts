/** A still picture: the JPEG that a camera makes itself, from its own URL. */
import { AuthenticationError, ProtocolError } from '../../codecs/errors.ts';
import { parseSourceUrl } from '../../protocols/source-url.ts';
import { getStream, HTTP_PORTS } from '../encoder/http-request.ts';
import type { CredentialChooser } from '../onvif/credential-chooser.ts';
import type { TlsTrust } from '../tls-trust.ts';

/** An 8 MP picture of good quality; cameras send smaller ones. */
const MAX_SNAPSHOT_BYTES = 2 * 1024 * 1024;

export interface SnapshotRequest {
  readonly url: string;
  /** Shared with whoever else logs in to the camera, so that all refusals are counted together. */
  readonly credentials: CredentialChooser;
  readonly tls: TlsTrust;
}

/** Throws without touching the device while refused logins are on hold. */
export async function fetchSnapshot(
  { url, credentials: chooser, tls }: SnapshotRequest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const source = parseSourceUrl(url, HTTP_PORTS);
  const credentials = chooser.next('http');
  // Aborted by us, too, so that nothing stays open.
  const over = new AbortController();
  try {
    const life = AbortSignal.any([signal, over.signal]);
    return await readJpeg(await getStream({ source, credentials, tls }, life));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof AuthenticationError && error.credentialsSent) {
      chooser.refused(credentials, 'http');
    }
    throw error;
  } finally {
    over.abort();
  }
}

async function readJpeg(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MAX_SNAPSHOT_BYTES) {
      throw new ProtocolError(
        'SNAPSHOT',
        `its snapshot is larger than ${MAX_SNAPSHOT_BYTES} bytes`,
      );
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  // SOI, and the marker behind it.
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes[2] !== 0xff) {
    throw new ProtocolError('SNAPSHOT', 'what it gave as its snapshot is no JPEG');
  }
  return bytes;
}
