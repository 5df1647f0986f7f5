/** What a TLS client says of itself before anything is answered. RFC 8446 §4.1.2, §5.1; RFC 6066 §3. */
import { ByteReader } from '../../codecs/byte-reader.ts';
import { ParseError } from '../../codecs/errors.ts';

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME_EXTENSION = 0;

/**
 * True when the first bytes of a connection are a whole ClientHello that names no server, as those of librtmp are. False when they
 * are something else, or not whole.
 */
export function namesNoServer(bytes: Uint8Array): boolean {
  try {
    return !extensionTypes(bytes).includes(SERVER_NAME_EXTENSION);
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

function extensionTypes(bytes: Uint8Array): number[] {
  const record = new ByteReader(bytes);
  if (record.u8() !== HANDSHAKE_RECORD) throw new ParseError('not a handshake');
  record.take(2); // version
  const hello = new ByteReader(record.take(record.u16()));
  if (hello.u8() !== CLIENT_HELLO) throw new ParseError('not a ClientHello');
  hello.take(3); // length
  hello.take(2 + 32); // version, random
  hello.take(hello.u8()); // session
  hello.take(hello.u16()); // cipher suites
  hello.take(hello.u8()); // compression methods
  const extensions = new ByteReader(
    hello.remaining > 0 ? hello.take(hello.u16()) : new Uint8Array(0),
  );
  const types: number[] = [];
  while (extensions.remaining > 0) {
    types.push(extensions.u16());
    extensions.take(extensions.u16());
  }
  return types;
}
