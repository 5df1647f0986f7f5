/**
 * The acceptance list: what crtmpserver, the ancestor, refused or got wrong in a camera (field/crtmpserver.md §2.2 and
 * §8), and what today's peers do (field/peers.md §1.2). Each of these plays.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { RtspCameraOptions } from '../../../drivers/camera/rtsp-camera.ts';
import { type Attempt, attempt, open } from '../../support/camera-attempt.ts';
import { hex } from '../../support/hex.ts';
import { nalUnit } from '../../support/rtp-packets.ts';
import {
  answer,
  CAMERA_SDP,
  type CameraRequest,
  type Script,
  type ScriptedCamera,
} from '../../support/scripted-camera.ts';
import { VIDEO_TRACK } from '../../support/units.ts';

const CREDENTIALS = { username: 'admin', password: 'secret' };

interface Row {
  readonly script: Script;
  readonly options?: Partial<RtspCameraOptions>;
  readonly goesOn?: (camera: ScriptedCamera, run: Attempt) => Promise<void> | void;
}

function describes(edit: (sdp: string) => string, headers: Record<string, string> = {}): Script {
  const contentType = { 'Content-Type': 'application/sdp', ...headers };
  return { DESCRIBE: (request) => answer(request, 200, contentType, edit(CAMERA_SDP)) };
}

/** 401 with these headers until the login is what the challenge asks for. */
function wantsLogin(
  challenges: readonly string[],
  isRight: (authorization: string, request: CameraRequest) => boolean,
): Script {
  const check: Script[string] = (request) => {
    const authorization = request.headers.get('authorization') ?? '';
    if (isRight(authorization, request)) return undefined;
    const refusal = answer(request, 401);
    const lines = challenges.map((challenge) => `WWW-Authenticate: ${challenge}\r\n`).join('');
    return refusal.replace(/\r\n\r\n$/, `\r\n${lines}\r\n`);
  };
  return { DESCRIBE: check, SETUP: check, PLAY: check };
}

/** RFC 7616 §3.4.1, without qop. */
function digestOf(hash: string, nonce: string) {
  const h = (text: string) => createHash(hash).update(text).digest('hex');
  return (authorization: string, { method, url }: CameraRequest): boolean => {
    const want = h(`${h('admin:cam:secret')}:${nonce}:${h(`${method}:${url}`)}`);
    return authorization.includes(`response="${want}"`);
  };
}

/** The picture with its parameter sets in band, and a sound. */
const SETS_IN_BAND: Script = {
  PLAY: (request, camera) => {
    const sets = { timestamp: 0, marker: false };
    camera.sendRtp(0, { ...sets, payload: VIDEO_TRACK.sps });
    camera.sendRtp(0, { ...sets, payload: VIDEO_TRACK.pps });
    camera.sendPicture();
    camera.sendAudio(0);
    return camera.usualAnswer(request);
  },
};

let staled = false;

const rows: Readonly<Record<string, Row>> = {
  'a digest challenge with `stale`': {
    options: { credentials: CREDENTIALS },
    script: wantsLogin(['Digest realm="cam", nonce="n", stale=FALSE'], digestOf('md5', 'n')),
  },
  'a nonce that goes stale in the middle': {
    options: { credentials: CREDENTIALS },
    script: {
      ...wantsLogin(['Digest realm="cam", nonce="n"'], digestOf('md5', 'n')),
      PLAY: (request) => {
        if (staled) return undefined;
        staled = true;
        const challenge = 'Digest realm="cam", nonce="m", stale="true"';
        return answer(request, 401, { 'WWW-Authenticate': challenge });
      },
    },
  },
  'digest parameters without quotes': {
    options: { credentials: CREDENTIALS },
    script: wantsLogin(['Digest realm=cam,nonce=n,algorithm=MD5'], digestOf('md5', 'n')),
  },
  'digest with `opaque` and `domain`': {
    options: { credentials: CREDENTIALS },
    script: wantsLogin(
      ['Digest realm="cam", domain="/", nonce="n", opaque="xyz"'],
      (authorization, request) =>
        digestOf('md5', 'n')(authorization, request) && authorization.includes('opaque="xyz"'),
    ),
  },
  'SHA-256 only': {
    options: { credentials: CREDENTIALS },
    script: wantsLogin(
      ['Digest realm="cam", nonce="n", algorithm=SHA-256'],
      digestOf('sha256', 'n'),
    ),
  },
  'two challenges, the stronger one first': {
    options: { credentials: CREDENTIALS },
    script: wantsLogin(
      ['Digest realm="cam", nonce="n"', 'Basic realm="cam"'],
      digestOf('md5', 'n'),
    ),
  },
  'no parameter sets in the description': {
    script: {
      ...SETS_IN_BAND,
      ...describes((sdp) => sdp.replace(/;sprop-parameter-sets=[^\r]*/, '')),
    },
  },
  'no fmtp at all': {
    script: { ...SETS_IN_BAND, ...describes((sdp) => sdp.replace(/a=fmtp:96.*\r\n/, '')) },
  },
  'three parameter sets': {
    script: describes((sdp) => sdp.replace(/(sprop-parameter-sets=[^\r]*)/, '$1,aM4yyA==')),
  },
  'two payload types on an m= line': {
    script: describes((sdp) =>
      sdp
        .replace('RTP/AVP 96', 'RTP/AVP 98 96')
        .replace('a=rtpmap:96', 'a=rtpmap:98 H265/90000\r\na=rtpmap:96'),
    ),
  },
  'double blanks in fmtp': {
    script: describes((sdp) => sdp.replace('fmtp:96 ', 'fmtp:96  ').replace(';sprop', ';  sprop')),
  },
  'lines k=, r=, z= and unknown ones': {
    script: describes((sdp) => `v=0\r\nk=clear:x\r\nr=7d 1h 0\r\nz=0 -1h\r\ny=?\r\n${sdp}`),
  },
  'a charset in Content-Type': {
    script: describes((sdp) => sdp, { 'Content-Type': 'application/sdp; charset=utf-8' }),
  },
  '461 to TCP': {
    options: { transport: 'auto' },
    script: {
      SETUP: (request) =>
        request.headers.get('transport')?.includes('TCP') ? answer(request, 461) : undefined,
    },
  },
  'interleaved channels other than asked for, and beyond 3': {
    script: { SETUP: (request, camera) => camera.setUp(request, 200 + 2 * camera.tracks.length) },
  },
  'a header block of more than 2048 bytes': {
    script: { OPTIONS: (request) => answer(request, 200, { Public: `PLAY, ${'X'.repeat(4000)}` }) },
  },
  'an interleaved packet of more than 8192 bytes': {
    script: {},
    goesOn: async (camera, run) => {
      camera.sendRtp(0, { timestamp: 3600, marker: true, payload: nalUnit(0x41, 60_000) });
      await run.has(2, 1);
      assert.equal(run.sink.video[1]?.data.length, 60_004);
    },
  },
  'an RTP header extension': {
    script: {},
    goesOn: async (camera, run) => {
      const payload = nalUnit(0x41, 60);
      camera.sendRtp(0, { timestamp: 3600, marker: true, extensionWords: 3, payload });
      await run.has(2, 1);
      assert.equal(run.sink.video[1]?.data.length, 64);
    },
  },
  'no sender report, ever: media goes on at once': { script: {} },
  'a back channel and ONVIF metadata beside the medias': {
    script: describes(
      (sdp) =>
        `${sdp.replaceAll('a=control:trackID', 'a=recvonly\r\na=control:trackID')}m=audio 0 RTP/AVP 0\r\na=sendonly\r\nm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\n`,
    ),
  },
  'junk between interleaved frames, much of it': {
    script: {},
    goesOn: async (camera, run) => {
      camera.sendRaw(new Uint8Array(200_000).fill(0x24));
      camera.sendRaw(hex`24 63 0004 01020304`);
      camera.sendPicture();
      await run.has(2, 1);
    },
  },
};

for (const [name, { script, options, goesOn }] of Object.entries(rows)) {
  test(name, async (context: TestContext) => {
    const camera = await open(context, script);
    const run = attempt(context, { url: camera.url, ...options });
    await run.has(1, 1);
    await goesOn?.(camera, run);
  });
}
