/** What clients of our RTSP server say: requests and frames, URLs, transports, logins. */
import { ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { DigestVerifier } from '../../../protocols/http-auth/digest-verifier.ts';
import { parseRequestedUrl } from '../../../protocols/rtsp/requested-url.ts';
import type { ServerHost } from '../../../protocols/rtsp/server-host.ts';
import { RtspServerSession } from '../../../protocols/rtsp/server-session.ts';
import { parseTransportOffers } from '../../../protocols/rtsp/transport.ts';
import { CAMERA_SDP } from '../../support/scripted-camera.ts';
import { framerOf, type Subject, textParserOf } from '../subject.ts';

/** More than sixteen requests need. */
const TURNS = 200;
const URL = 'rtsp://10.0.0.1:8554/live/door';
const TRANSPORT = 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n';
const FRAMES = '$\0\0\u0004abcd$\u0001\0\u0002ef';

function request(method: string, url: string, headers = '', body = ''): string {
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
  return `${method} ${url} RTSP/1.0\r\nCSeq: 1\r\n${headers}${length}\r\n${body}`;
}

const PUBLISHER = [
  request('OPTIONS', URL),
  request('ANNOUNCE', URL, 'Content-Type: application/sdp\r\n', CAMERA_SDP),
  request('SETUP', `${URL}/trackID=0`, TRANSPORT),
  request('RECORD', URL, 'Session: 00\r\nRange: npt=0.000-\r\n'),
  FRAMES,
  request('TEARDOWN', URL, 'Session: 00\r\n'),
].join('');

const PLAYER = [
  request('DESCRIBE', URL, 'Accept: application/sdp\r\nRequire: x\r\n'),
  request('SETUP', `${URL}/trackID=0`, TRANSPORT),
  request('PLAY', `${URL}/`, 'Session: 00\r\n'),
  FRAMES,
  request('PAUSE', URL, 'Session: 00\r\n'),
  request('GET_PARAMETER', URL, 'Session: 00\r\n'),
].join('');

/** Takes everything; an answer that fails otherwise than by words of the client's is an error. */
const HOST: ServerHost = {
  describe: async () => ({ sdp: CAMERA_SDP, tracks: 2 }),
  lookUp: async () => ({ sdp: CAMERA_SDP, tracks: 2 }),
  announce: () => undefined,
  setUp: async () => ({ serverPorts: [30_000, 30_001] }),
  play: () => ({ beginnings: [], begin: () => undefined }),
  pause: () => undefined,
  record: () => undefined,
  teardown: () => undefined,
  rtp: () => undefined,
  rtcp: () => undefined,
  failed: (error) => {
    if (!(error instanceof ParseError || error instanceof ProtocolError)) throw error;
  },
};

const OPEN = {
  isOpen: true,
  credentials: undefined,
  isToken: () => false,
  isBlocked: () => false,
  failed: () => undefined,
};

const CLIENT = framerOf(
  'RTSP requests',
  () =>
    new RtspServerSession({
      host: HOST,
      access: { play: OPEN, publish: OPEN },
      write: () => undefined,
      now: () => 0,
      newId: () => '00',
    }),
  new TextEncoder().encode(PUBLISHER),
  new TextEncoder().encode(PLAYER),
);

/** Requests are answered one after the other, which takes some turns of the queue of promises. */
function answeredBy(take: ReturnType<Subject['open']>) {
  return async (bytes: Uint8Array) => {
    await take(bytes);
    for (let turn = 0; turn < TURNS; turn += 1) await undefined;
  };
}

export const RTSP_SERVER_SUBJECTS: readonly Subject[] = [
  { ...CLIENT, open: () => answeredBy(CLIENT.open()), isText: true },
  textParserOf(
    'requested URL',
    parseRequestedUrl,
    'rtsp://user:p@10.0.0.1:8554/live/door%20one?token=a&b=c/trackID=1',
    '*',
  ),
  textParserOf(
    'Transport offers',
    parseTransportOffers,
    'RTP/AVP;unicast;client_port=5000-5001;mode=record,RTP/AVP/TCP;unicast;interleaved=0-1,RTP/SAVP;multicast',
  ),
  textParserOf(
    'Authorization header',
    (text) => {
      const verifier = new DigestVerifier({ realm: 'Sluice', newNonce: () => 'n', now: () => 0 });
      verifier.challenges(false);
      return verifier.verify(text, { method: 'PLAY', username: 'u', password: 'p' });
    },
    'Digest username="u", realm="Sluice", nonce="n", uri="rtsp://10.0.0.1/x", response="0123456789abcdef0123456789abcdef", algorithm=MD5-sess, qop=auth, nc=00000001, cnonce="c"',
  ),
];
