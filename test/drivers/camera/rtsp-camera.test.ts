import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AuthenticationError, ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { attempt, endsWith, open, plays } from '../../support/camera-attempt.ts';
import { hex } from '../../support/hex.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { answer, CAMERA_SDP, interleaved, type Script } from '../../support/scripted-camera.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { until } from '../../support/until.ts';

const CREDENTIALS = { username: 'admin', password: 'p@ss/w:rd' };
const SETUP = 'SETUP';

// The usual camera ---------------------------------------------------------------------------------

for (const transport of ['tcp', 'udp'] as const) {
  test(`pulls video and audio over ${transport}, and says goodbye`, async (context) => {
    const { camera, run } = await plays(context, {}, { transport });
    camera.sendPicture();
    camera.sendPicture();
    camera.sendAudio(1024);
    await run.has(3, 2);
    assert.deepEqual(run.sink.tracks, [VIDEO_TRACK, AUDIO_TRACK]);
    assert.deepEqual(
      run.sink.video.map(({ ptsUs, dtsUs, randomAccess }) => [ptsUs, dtsUs, randomAccess]),
      [
        [0, 0, true],
        [40_000, 40_000, false],
        [80_000, 80_000, false],
      ],
    );
    assert.deepEqual(
      run.sink.audio.map(({ ptsUs }) => ptsUs),
      [0, 21_333],
    );
    const { stats } = run.driver;
    assert.equal(stats.transport, transport);
    assert.equal(stats.receivedPackets, 5);
    assert.equal(stats.lostPackets, 0);
    assert.equal(stats.damagedUnits, 0);
    assert.ok(stats.receivedBytes > 200);
    await run.stop();
    assert.deepEqual(camera.methods, [
      ...['OPTIONS', 'DESCRIBE', SETUP, SETUP, 'PLAY', 'TEARDOWN'],
    ]);
    assert.deepEqual([run.sink.starts, run.sink.stops], [1, 1]);
  });
}

test('an abort ends with its reason, within a second, and leaves nothing open', async (context) => {
  const camera = await open(context, { TEARDOWN: () => '' });
  const before = process.getActiveResourcesInfo().length;
  const run = attempt(context, { url: camera.url });
  await run.has(1, 1);
  const startedAt = performance.now();
  await run.stop();
  assert.ok(performance.now() - startedAt < 1000);
  assert.match((await run.error()).message, /stopped by the test/);
  await until(() => camera.openConnections === 0);
  await setImmediate();
  assert.ok(process.getActiveResourcesInfo().length <= before);
});

for (const method of ['OPTIONS', 'DESCRIBE', SETUP, 'PLAY']) {
  test(`an abort while ${method} is not answered`, async (context) => {
    const camera = await open(context, { [method]: () => '' });
    const run = attempt(context, { url: camera.url });
    await until(() => camera.methods.includes(method));
    await run.stop();
    assert.match((await run.error()).message, /stopped by the test/);
    await until(() => camera.openConnections === 0);
  });
}

test('an abort before anything began', async (context) => {
  const camera = await open(context);
  const { driver, sink } = attempt(context, { url: camera.url });
  await assert.rejects(driver.run(sink, AbortSignal.abort(new Error('early'))), /early/);
});

test('a refused connection', async (context) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  server.close();
  await once(server, 'close');
  const run = attempt(context, { url: `rtsp://127.0.0.1:${address.port}/x` });
  assert.match((await run.error()).message, /ECONNREFUSED/);
});

test('a camera that hangs up', async (context) => {
  const { camera, run } = await plays(context, {});
  camera.hangUp();
  assert.match((await run.error()).message, /closed the connection/);
  assert.equal(run.sink.stops, 1);
});

test('a camera that says BYE over RTCP', async (context) => {
  for (const transport of ['tcp', 'udp'] as const) {
    const { camera, run } = await plays(context, {}, { transport });
    camera.sendRtcp(0, hex`80c90001 00000007 81cb0001 00000007`);
    const error = await run.error();
    assert.ok(error instanceof ProtocolError);
    assert.match(error.message, /BYE/);
  }
});

test('a camera that speaks no RTSP', async (context) => {
  const { error } = await endsWith(context, {
    OPTIONS: () => new Uint8Array(400_000).fill(0x42),
  });
  assert.match(error.message, /neither RTSP nor/);
});

// Login ---------------------------------------------------------------------------------------------

/** Wants a login with every request, by these challenges. */
function login(...challenges: readonly string[]): Script {
  const header = challenges.join(', ');
  const check = (request: Parameters<Script[string]>[0]) =>
    request.headers.get('authorization') === undefined
      ? answer(request, 401, { 'WWW-Authenticate': header })
      : undefined;
  return { OPTIONS: check, DESCRIBE: check, SETUP: check, PLAY: check };
}

test('credentials in the URL, with every character as typed', async (context) => {
  const camera = await open(context, login('Basic realm="cam"'));
  const url = camera.url.replace('rtsp://', 'rtsp://admin:p@ss#w:rd!@');
  const run = attempt(context, { url });
  await run.has(1, 1);
  const sent = camera.requests.at(-1)?.headers.get('authorization');
  assert.equal(sent, `Basic ${Buffer.from('admin:p@ss#w:rd!').toString('base64')}`);
  assert.ok(!run.log.join().includes('p@ss'));
  for (const { url: requested } of camera.requests) assert.ok(!requested.includes('@'));
});

test('an algorithm without quotes', async (context) => {
  await plays(context, login('Digest realm="cam", nonce="n", algorithm=MD5'), {
    credentials: CREDENTIALS,
  });
});

test('several challenges: SHA-256 is answered', async (context) => {
  const { camera } = await plays(
    context,
    login(
      'Basic realm="cam"',
      'Digest realm="cam", nonce="m", algorithm="MD5"',
      'Digest realm="cam", nonce="s", algorithm=SHA-256, qop="auth"',
    ),
    { credentials: CREDENTIALS },
  );
  assert.match(camera.requests.at(-1)?.headers.get('authorization') ?? '', /nonce="s".*qop=auth/);
});

test('a nonce that is stale in the middle of the dialogue', async (context) => {
  let staled = false;
  const { camera } = await plays(
    context,
    {
      ...login('Digest realm="cam", nonce="n1"'),
      PLAY: (request) => {
        if (staled) return undefined;
        staled = true;
        const challenge = 'Digest realm="cam", nonce="n2", stale=TRUE';
        return answer(request, 401, { 'WWW-Authenticate': challenge });
      },
    },
    { credentials: CREDENTIALS },
  );
  assert.match(camera.requests.at(-1)?.headers.get('authorization') ?? '', /nonce="n2"/);
});

test('a new nonce with every answer (Dahua)', async (context) => {
  let count = 0;
  const known = new Set<string>();
  const oneUse: Script[string] = (request) => {
    const nonce = /nonce="(\w+)"/.exec(request.headers.get('authorization') ?? '')?.[1];
    if (nonce !== undefined && known.delete(nonce)) return undefined;
    count += 1;
    known.add(`n${count}`);
    return answer(request, 401, { 'WWW-Authenticate': `Digest realm="cam", nonce="n${count}"` });
  };
  await plays(
    context,
    { OPTIONS: oneUse, DESCRIBE: oneUse, SETUP: oneUse, PLAY: oneUse },
    { credentials: CREDENTIALS },
  );
});

test('a wrong password: refused after one try', async (context) => {
  const refuse: Script[string] = (request) =>
    answer(request, 401, { 'WWW-Authenticate': 'Digest realm="cam", nonce="n"' });
  const { camera, error } = await endsWith(
    context,
    { OPTIONS: refuse, DESCRIBE: refuse },
    { credentials: CREDENTIALS },
  );
  assert.ok(error instanceof AuthenticationError && error.credentialsSent);
  assert.equal(camera.requests.length, 2);
});

test('no credentials where they are wanted', async (context) => {
  const { camera, error } = await endsWith(context, login('Basic realm="cam"'));
  assert.ok(error instanceof AuthenticationError && !error.credentialsSent);
  assert.equal(camera.requests.length, 1);
});

/** Found by attack: whoever announced _rtsp._tcp got discovery's first password by asking for it. */
test('a login that is tried on strangers is never sent as it is', async (context) => {
  for (const transport of ['tcp', 'http'] as const) {
    const { camera, error } = await endsWith(context, login('Basic realm="cam"'), {
      credentials: { ...CREDENTIALS, isSecretive: true },
      transport,
    });
    assert.ok(error instanceof ProtocolError, error.message);
    assert.equal(error.code, 'CLEAR_TEXT_LOGIN');
    for (const { headers } of camera.requests)
      assert.equal(headers.get('authorization'), undefined);
  }
});

// Redirections ----------------------------------------------------------------------------------------

test('302: follows, and logs in there only when it is the same host', async (context) => {
  const target = await open(context, login('Basic realm="cam"'));
  const { camera } = await plays(
    context,
    { DESCRIBE: (request) => answer(request, 302, { Location: `${target.url}/moved` }) },
    { credentials: CREDENTIALS },
  );
  assert.ok(camera.methods.includes('DESCRIBE'));
  assert.ok(target.requests.some((request) => request.url.endsWith('/cam/moved')));
  assert.equal(camera.openConnections, 0, 'the first connection is closed');
});

test('302 to another host: the password stays here', async (context) => {
  const target = await open(context, login('Basic realm="cam"'));
  const { error } = await endsWith(
    context,
    {
      DESCRIBE: (request) =>
        answer(request, 302, { Location: target.url.replace('127.0.0.1', 'localhost') }),
    },
    { credentials: CREDENTIALS },
  );
  assert.ok(error instanceof AuthenticationError && !error.credentialsSent);
});

test('302 in a circle ends', async (context) => {
  const { camera, error } = await endsWith(context, {
    DESCRIBE: (request, { url }) =>
      answer(request, 302, { Location: url.replace('://', '://user:hush@') }),
  });
  assert.equal(camera.connections, 6);
  assert.ok(error instanceof Error);
  assert.doesNotMatch(error.message, /hush/);
});

test('302 to what is no place is told, without the secrets in it', async (context) => {
  for (const Location of ['//[', 'ftp://user:hush@10.0.0.9/x?token=hush']) {
    const { error } = await endsWith(context, {
      DESCRIBE: (request) => answer(request, 302, { Location }),
    });
    assert.ok(error instanceof ProtocolError && error.code === 'RTSP_REDIRECT', String(error));
    assert.doesNotMatch(error.message, /hush/);
  }
});

// Transports -------------------------------------------------------------------------------------------

test('other channels than asked for', async (context) => {
  const { camera, run } = await plays(context, {
    SETUP: (request, camera) => camera.setUp(request, camera.tracks.length === 0 ? 10 : 20),
  });
  camera.sendRtcp(1, hex`80c90001 00000008 81cb0001 00000008`);
  assert.match((await run.error()).message, /BYE/, 'RTCP channels follow');
});

test('0-1 in every answer, but sends on the channels asked for', async (context) => {
  await plays(context, {
    SETUP: (request, camera) => camera.setUp(request).replace('interleaved=2-3', 'interleaved=0-1'),
  });
});

test('no Transport header in the answer', async (context) => {
  await plays(context, {
    SETUP: (request, camera) => camera.setUp(request).replace(/Transport:.*\r\n/, ''),
  });
});

test('UDP packets of others are not taken', async (context) => {
  const { createSocket } = await import('node:dgram');
  const { camera, run } = await plays(context, {}, { transport: 'udp' });
  const stranger = createSocket('udp4');
  context.after(() => stranger.close());
  stranger.bind(0, '127.0.0.2');
  await once(stranger, 'listening');
  const port = camera.tracks[0]?.clientPort ?? 0;
  for (let n = 0; n < 3; n += 1)
    stranger.send(hex`80e0fffe 00000e10 00000007 4180`, port, '127.0.0.1');
  camera.sendPicture();
  await run.has(2, 1);
  camera.sendPicture();
  await run.has(3, 1);
  assert.equal(run.driver.stats.receivedPackets, 4);
});

test('UDP packets in the wrong order', async (context) => {
  const { camera, run } = await plays(context, {}, { transport: 'udp' });
  for (const n of [3, 1, 2]) {
    const fields = { timestamp: n * 3600, marker: true, sequenceNumber: 65_530 + n };
    camera.sendRtp(0, { ...fields, payload: hex`41 9a ${n.toString().padStart(2, '0')}` });
  }
  await run.has(4, 1);
  assert.deepEqual(
    run.sink.video.map(({ ptsUs }) => ptsUs),
    [0, 40_000, 80_000, 120_000],
  );
  assert.equal(run.driver.stats.lostPackets, 0);
});

// Descriptions -------------------------------------------------------------------------------------------

/** A camera with another description. */
function describes(sdp: string, headers: Readonly<Record<string, string>> = {}): Script {
  return {
    DESCRIBE: (request) =>
      answer(request, 200, { 'Content-Type': 'application/sdp', ...headers }, sdp),
  };
}

test('no Content-Base: the URL asked for is the base', async (context) => {
  const { camera } = await plays(context, describes(CAMERA_SDP));
  const urls = camera.requests.filter(({ method }) => method === SETUP).map(({ url }) => url);
  assert.deepEqual(urls, [`${camera.url}/trackID=0`, `${camera.url}/trackID=1`]);
});

test('a charset in Content-Type', async (context) => {
  await plays(context, describes(CAMERA_SDP, { 'Content-Type': 'application/sdp;charset=utf-8' }));
});

test('audio that cannot be carried is left out, video goes on', async (context) => {
  const sdp = CAMERA_SDP.replace(
    /m=audio[\s\S]*$/,
    'm=audio 0 RTP/AVP 9\r\na=control:trackID=1\r\n',
  );
  const camera = await open(context, describes(sdp));
  const run = attempt(context, { url: camera.url });
  await run.has(1, 0);
  assert.deepEqual(run.sink.tracks, [VIDEO_TRACK]);
  assert.equal(camera.methods.filter((method) => method === SETUP).length, 1);
  assert.match(run.log.join(), /g722.*G\.722 is not carried/);
});

/** gortsplib#479; go2rtc#331, #1663. */
test('the back channel and metadata are never set up', async (context) => {
  const sdp =
    CAMERA_SDP.replaceAll('a=control:trackID', 'a=recvonly\r\na=control:trackID') +
    'm=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\na=sendonly\r\na=control:back\r\n' +
    'm=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=control:meta\r\n';
  const { camera } = await plays(context, describes(sdp));
  assert.equal(camera.methods.filter((method) => method === SETUP).length, 2);
});

test('MPEG-4 video only: unsupported, with the codec in the message', async (context) => {
  const { error } = await endsWith(
    context,
    describes(CAMERA_SDP.replace('H264', 'MP4V-ES').replace(/m=audio[\s\S]*$/, '')),
  );
  assert.ok(error instanceof UnsupportedError);
  assert.match(error.message, /mp4v-es/);
});

test('404: says that the path may be wrong', async (context) => {
  const { error } = await endsWith(context, { DESCRIBE: (request) => answer(request, 404) });
  assert.ok(error instanceof ProtocolError && error.status === 404);
});

test('an audio SETUP that is refused costs the audio, not the video', async (context) => {
  const camera = await open(context, {
    SETUP: (request) => (request.url.endsWith('1') ? answer(request, 500) : undefined),
  });
  const run = attempt(context, { url: camera.url });
  await run.has(1, 0);
  assert.deepEqual(run.sink.tracks, [VIDEO_TRACK]);
});

// The stream ------------------------------------------------------------------------------------------------

test('garbage between frames', async (context) => {
  const { camera, run } = await plays(context, {});
  camera.sendRaw(hex`00 11 22 33 44`);
  camera.sendPicture();
  camera.sendRaw('\r\n\r\n');
  camera.sendPicture();
  await run.has(3, 1);
  assert.equal(run.driver.stats.damagedUnits, 0);
});

test('frames of channels that nobody set up', async (context) => {
  const { camera, run } = await plays(context, {});
  camera.sendRaw(interleaved(9, hex`80 60 0001 00000000 00000001 65`));
  camera.sendPicture();
  await run.has(2, 1);
});

test('an answer in the middle of the media', async (context) => {
  const { camera, run } = await plays(context, {});
  camera.sendPicture();
  camera.sendRaw('OPTIONS rtsp://127.0.0.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n');
  camera.sendPicture();
  await run.has(3, 1);
});

test('media before the answer to PLAY', async (context) => {
  const { run } = await plays(context, {
    PLAY: (request, camera) => {
      camera.sendPicture();
      camera.sendAudio(0);
      return camera.usualAnswer(request);
    },
  });
  assert.equal(run.sink.starts, 1);
});

test('silence after PLAY: the attempt goes on, the watchdog is above', async (context) => {
  const camera = await open(context, {
    PLAY: (request) => answer(request, 200, { Session: 'abc' }),
  });
  const run = attempt(context, { url: camera.url });
  await until(() => camera.methods.includes('PLAY'));
  await run.stop();
  assert.equal(run.sink.starts, 0);
});

test('a lost packet: damage up to the next random access point, and counted', async (context) => {
  const { camera, run } = await plays(context, {});
  const [track] = camera.tracks;
  assert.ok(track);
  track.sequenceNumber += 1;
  camera.sendPicture();
  camera.sendPicture();
  camera.sendPicture({ idr: true });
  await run.has(2, 1);
  assert.equal(run.sink.video[1]?.ptsUs, 120_000);
  assert.equal(run.driver.stats.lostPackets, 1);
  assert.equal(run.driver.stats.damagedUnits, 2);
});

for (const transport of ['tcp', 'udp'] as const) {
  test(`receiver reports go out every five seconds over ${transport}`, async (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] });
    const { camera } = await plays(context, {}, { transport });
    const isReport = (bytes: Uint8Array) => {
      const at = transport === 'tcp' ? 4 : 0;
      return bytes[at + 1] === 201 && bytes.length > at + 8;
    };
    context.mock.timers.tick(4999);
    await setImmediate();
    assert.equal(camera.received.filter(isReport).length, 0);
    context.mock.timers.tick(1);
    await until(() => camera.received.filter(isReport).length === 2);
    const [video, audio] = camera.received.filter(isReport);
    if (transport === 'tcp')
      assert.deepEqual([video?.[1], audio?.[1]], [1, 3], 'the RTCP channels');
  });
}

test('each attempt of a driver begins anew', async (context) => {
  const { run } = await plays(context, {});
  await run.stop();
  const sink = new RecordingSink();
  const abort = new AbortController();
  const ended = run.driver.run(sink, abort.signal).catch(() => {});
  await sink.has(1, 1);
  abort.abort();
  await ended;
  assert.equal(sink.video[0]?.ptsUs, 0);
  assert.equal(run.driver.stats.receivedPackets, 2);
});
