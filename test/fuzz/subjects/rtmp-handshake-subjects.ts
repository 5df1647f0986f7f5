/** RTMP: the handshake, plain, with digests and in RTMPE, on either side; and what is read of TLS's. */
import { concat } from '../../../codecs/bytes.ts';
import { makeKeyPair } from '../../../protocols/rtmp/diffie-hellman.ts';
import { HANDSHAKE_BYTES } from '../../../protocols/rtmp/handshake.ts';
import {
  DIGEST_SCHEMES,
  type DigestParty,
  PLAYER,
  putDigest,
  putPublicKey,
  SERVER,
} from '../../../protocols/rtmp/handshake-digest.ts';
import { RtmpeClientHandshake } from '../../../protocols/rtmp/rtmpe-client-handshake.ts';
import { ServerHandshake } from '../../../protocols/rtmp/server-handshake.ts';
import { namesNoServer } from '../../../protocols/tls/client-hello.ts';
import { FFMPEG, LIBRTMP_RTMPE } from '../../protocols/rtmp/client-hellos.ts';
import { FFMPEG as TLS_FFMPEG, LIBRTMP as TLS_LIBRTMP } from '../../protocols/tls/client-hellos.ts';
import { framerOf, parserOf, type Subject } from '../subject.ts';

const C2 = new Uint8Array(HANDSHAKE_BYTES).fill(0xc2);
const [SCHEME_0, SCHEME_1] = DIGEST_SCHEMES;

function serverHello(): Uint8Array {
  const s1 = new Uint8Array(HANDSHAKE_BYTES).fill(0x51);
  putPublicKey(s1, SCHEME_1, makeKeyPair().publicKey);
  putDigest(s1, SCHEME_1, SERVER);
  return concat(Uint8Array.of(6), s1, C2);
}

/** Signed after it was damaged, so that what is behind the digest is reached. */
function sign(bytes: Uint8Array, party: DigestParty): Uint8Array {
  const hello = new Uint8Array(2 + 2 * HANDSHAKE_BYTES);
  hello.set(bytes.subarray(0, hello.length));
  hello[0] = 6;
  const scheme = (bytes[0] ?? 0) % 2 === 0 ? SCHEME_0 : SCHEME_1;
  putDigest(hello.subarray(1, 1 + HANDSHAKE_BYTES), scheme, party);
  return hello;
}

export const RTMP_HANDSHAKE_SUBJECTS: readonly Subject[] = [
  framerOf(
    'RTMP handshake of a client',
    () => new ServerHandshake(),
    concat(FFMPEG, C2),
    concat(LIBRTMP_RTMPE, C2),
  ),
  framerOf('RTMPE handshake of a server', () => new RtmpeClientHandshake(), serverHello()),
  parserOf(
    'RTMPE handshake of a client, signed',
    (bytes) => new ServerHandshake().push(sign(bytes, PLAYER)),
    LIBRTMP_RTMPE,
  ),
  parserOf(
    'RTMPE handshake of a server, signed',
    (bytes) => new RtmpeClientHandshake().push(sign(bytes, SERVER)),
    serverHello(),
  ),
  parserOf('TLS hello of a client', namesNoServer, TLS_LIBRTMP, TLS_FFMPEG),
];
