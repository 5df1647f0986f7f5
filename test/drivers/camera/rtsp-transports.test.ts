/** Which way the media comes: refused, silent and other transports than asked for; multicast; through HTTP. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { AuthenticationError, ProtocolError } from '../../../codecs/errors.ts';
import { attempt, endsWith, open, plays } from '../../support/camera-attempt.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { freeUdpPair } from '../../support/free-port.ts';
import { hex } from '../../support/hex.ts';
import {
  answer,
  CAMERA_SDP,
  type CameraRequest,
  type Script,
  type ScriptedCamera,
} from '../../support/scripted-camera.ts';
import { until } from '../../support/until.ts';

const LOOPBACK = '127.0.0.1';

function transportOf(request: CameraRequest): string {
  return request.headers.get('transport') ?? '';
}

/** 461 to these. */
function refuses(...words: readonly string[]): Script {
  return {
    SETUP: (request) =>
      words.some((word) => transportOf(request).includes(word)) ? answer(request, 461) : undefined,
  };
}

/** A camera whose UDP and multicast never arrive. */
const SILENT: Script = {
  PLAY: (request, { tracks }) =>
    tracks[0]?.clientPort === undefined ? undefined : answer(request, 200, { Session: 'abc' }),
};

/** A camera that sends both tracks to a group of its own on loopback. */
async function multicastCamera(
  context: TestContext,
  script: Script = {},
  parameters?: (port: number) => string,
): Promise<ScriptedCamera> {
  const port = await freeUdpPair();
  return await open(context, {
    SETUP: (request, camera) => {
      const at = port + camera.tracks.length * 2;
      return camera.setUpMulticast(request, '239.255.77.1', at, parameters?.(at));
    },
    ...script,
  });
}

// Refused, silent, other ---------------------------------------------------------------------------

test('461 to TCP: goes over to UDP on the same connection, and says so', async (context) => {
  const { camera, run } = await plays(context, refuses('TCP'), { transport: 'auto' });
  assert.equal(run.driver.stats.transport, 'udp');
  assert.equal(camera.connections, 1);
  assert.deepEqual(run.driver.notes, ['The camera refuses TCP.']);
});

test('461 to TCP where only TCP is allowed', async (context) => {
  const { error } = await endsWith(context, refuses('TCP'), { transport: 'tcp' });
  assert.ok(error instanceof ProtocolError && error.status === 461);
});

test('461 to everything: an error, not a circle', async (context) => {
  const { camera, error } = await endsWith(context, refuses('RTP'), { transport: 'auto' });
  assert.ok(error instanceof ProtocolError && error.status === 461);
  assert.equal(camera.methods.filter((method) => method === 'SETUP').length, 3);
});

test('UDP that never comes: on to the next after three seconds; remembered', async (context) => {
  let hasRefused = false;
  const camera = await open(context, {
    ...SILENT,
    SETUP: (request, scripted) => {
      const asked = transportOf(request);
      if (asked.includes('multicast')) return answer(request, 461);
      if (hasRefused || !asked.includes('TCP')) return scripted.usualAnswer(request);
      hasRefused = true;
      return answer(request, 461);
    },
  });
  const run = attempt(context, { url: camera.url, transport: 'auto' });
  await run.has(1, 1);
  assert.equal(run.driver.stats.transport, 'tcp');
  assert.match(run.driver.notes.join(' '), /Changed from UDP: no UDP packet within 3 s/);
  assert.equal(camera.connections, 2);
});

test('UDP that never comes where only UDP is allowed: what to do about it', async (context) => {
  const { error } = await endsWith(context, SILENT, { transport: 'udp' });
  assert.match(error.message, /no UDP packet within 3 s.*set transport: tcp/);
});

test('TCP in answer to the request for UDP is taken', async (context) => {
  const camera = await open(context, {
    SETUP: (request, scripted) =>
      transportOf(request).includes('TCP') && scripted.tracks.length === 0
        ? answer(request, 461)
        : scripted.setUp(request, scripted.tracks.length * 2),
  });
  const run = attempt(context, { url: camera.url, transport: 'auto' });
  await run.has(1, 1);
  assert.equal(run.driver.stats.transport, 'tcp');
  assert.match(run.driver.notes.join(' '), /answers TCP to the request for UDP/);
});

test('UDP in answer to the request for TCP: asked for UDP', async (context) => {
  const { run } = await plays(
    context,
    {
      SETUP: (request, camera) =>
        transportOf(request).includes('TCP')
          ? answer(request, 200, {
              Session: 'abc',
              Transport: 'RTP/AVP;unicast;client_port=5000-5001;server_port=6000-6001',
            })
          : camera.setUp(request),
    },
    { transport: 'auto' },
  );
  assert.equal(run.driver.stats.transport, 'udp');
});

test('another transport than asked for, where only that one is allowed', async (context) => {
  const camera = await multicastCamera(context);
  const run = attempt(context, { url: camera.url, transport: 'udp' });
  assert.match((await run.error()).message, /answered the request for UDP with multicast/);
});

test('rtsps never goes over to UDP by itself: that would be readable', async (context) => {
  const tls = await makeCertificate('IP:127.0.0.1');
  const camera = await open(context, refuses('TCP'), tls);
  const run = attempt(context, { url: camera.url, transport: 'auto', tls: { ca: tls.ca } });
  const error = await run.error();
  assert.ok(error instanceof ProtocolError && error.status === 461);
});

test('rtsps that redirects to rtsp is not followed', async (context) => {
  const tls = await makeCertificate('IP:127.0.0.1');
  const plain = await open(context);
  const camera = await open(
    context,
    { DESCRIBE: (request) => answer(request, 302, { Location: plain.url }) },
    tls,
  );
  const run = attempt(context, { url: camera.url, tls: { ca: tls.ca } });
  assert.match((await run.error()).message, /redirected to a place that is not followed/);
  assert.equal(plain.connections, 0);
});

// Multicast ------------------------------------------------------------------------------------------

test('multicast: joins the group that SETUP names, on the given interface', async (context) => {
  const camera = await multicastCamera(context);
  const run = attempt(context, { url: camera.url, transport: 'multicast', interface: LOOPBACK });
  await run.has(1, 1);
  camera.sendPicture();
  await run.has(2, 1);
  assert.equal(run.driver.stats.transport, 'multicast');
  assert.match(transportOf(camera.requests[2] as CameraRequest), /^RTP\/AVP;multicast$/);
});

test('multicast where SETUP names no group: that of the description', async (context) => {
  const port = await freeUdpPair();
  const group = '239.255.77.2';
  const sdp = CAMERA_SDP.replace('m=video 0 RTP/AVP 96', `m=video ${port} RTP/AVP 96`)
    .replace('m=audio 0 RTP/AVP 97', `m=audio ${port + 2} RTP/AVP 97`)
    .replace('a=control:*', `c=IN IP4 ${group}/1\r\na=control:*`);
  const camera = await multicastCamera(context, {
    DESCRIBE: (request) => answer(request, 200, { 'Content-Type': 'application/sdp' }, sdp),
    SETUP: (request, scripted) =>
      scripted.setUpMulticast(request, group, port + scripted.tracks.length * 2, ''),
  });
  const run = attempt(context, { url: camera.url, transport: 'multicast', interface: LOOPBACK });
  await run.has(1, 1);
});

test('multicast in answer to any request (cameras set to multicast) is taken', async (context) => {
  const camera = await multicastCamera(context);
  const run = attempt(context, { url: camera.url, transport: 'auto', interface: LOOPBACK });
  await run.has(1, 1);
  assert.equal(run.driver.stats.transport, 'multicast');
  assert.match(run.driver.notes.join(' '), /answers multicast to the request for TCP/);
});

test('multicast with a source that is no address: anybody of the group is heard', async (context) => {
  for (const source of ['camera.local', '0.0.0.0']) {
    const stated = (port: number) =>
      `;destination=239.255.77.1;port=${port}-${port + 1};source=${source}`;
    const camera = await multicastCamera(context, {}, stated);
    const run = attempt(context, { url: camera.url, transport: 'multicast', interface: LOOPBACK });
    await run.has(1, 1);
    await run.stop();
  }
});

test('multicast without a group anywhere', async (context) => {
  const camera = await multicastCamera(context, {}, () => '');
  const run = attempt(context, { url: camera.url, transport: 'multicast' });
  assert.match((await run.error()).message, /names no group/);
});

test('multicast on an interface that there is not', async (context) => {
  const camera = await multicastCamera(context);
  const run = attempt(context, { url: camera.url, transport: 'multicast', interface: 'nope0' });
  assert.match((await run.error()).message, /no interface nope0/);
});

test('multicast of one source: others in the group are not heard', async (context) => {
  const camera = await multicastCamera(
    context,
    {},
    (port) => `;destination=239.255.77.1;source=127.0.0.1;port=${port}-${port + 1}`,
  );
  const run = attempt(context, { url: camera.url, transport: 'multicast', interface: LOOPBACK });
  await run.has(1, 1);
  const stranger = createSocket('udp4');
  context.after(() => stranger.close());
  stranger.bind(0, '127.0.0.2');
  await once(stranger, 'listening');
  stranger.setMulticastInterface(LOOPBACK);
  const port = camera.tracks[0]?.clientPort ?? 0;
  stranger.send(hex`80e0fffe 00000e10 00000007 4180`, port, '239.255.77.1');
  camera.sendPicture();
  await run.has(2, 1);
  assert.equal(run.driver.stats.receivedPackets, 3);
});

test('multicast: reports go to the group; BYE of another receiver ends nothing, that of the camera does', async (context) => {
  // Time goes faster, but goes on: the native receiver reads sound by an interval.
  const { setInterval: every, clearInterval: end } = globalThis;
  context.mock.timers.enable({ apis: ['setInterval'] });
  const ticking = every(() => context.mock.timers.tick(100), 10);
  context.after(() => end(ticking));
  const camera = await multicastCamera(context);
  const listener = createSocket({ type: 'udp4', reuseAddr: true });
  context.after(() => listener.close());
  const run = attempt(context, { url: camera.url, transport: 'multicast', interface: LOOPBACK });
  await run.has(1, 1);
  const port = (camera.tracks[0]?.clientPort ?? 0) + 1;
  listener.bind(port, '239.255.77.1');
  await once(listener, 'listening');
  listener.addMembership('239.255.77.1', LOOPBACK);
  const heard = once(listener, 'message');
  const [report] = (await heard) as [Uint8Array];
  assert.equal(report[1], 201, 'a receiver report');
  camera.sendRtcp(0, hex`80c90001 0000dead 81cb0001 0000dead`);
  camera.sendPicture();
  await run.has(2, 1);
  camera.sendRtcp(0, hex`80c90001 00000007 81cb0001 00000007`);
  assert.match((await run.error()).message, /BYE/);
});

// Through HTTP ---------------------------------------------------------------------------------------

test('through HTTP: a GET that brings, a POST that takes, tied by a cookie', async (context) => {
  const { camera, run } = await plays(context, {}, { transport: 'http' });
  camera.sendPicture();
  await run.has(2, 1);
  assert.equal(run.driver.stats.transport, 'http');
  const [get, post] = camera.requests;
  assert.deepEqual([get?.method, get?.url, post?.method], ['GET', '/cam', 'POST']);
  const cookies = [get, post].map((request) => request?.headers.get('x-sessioncookie'));
  assert.ok(cookies[0] !== undefined && cookies[0] === cookies[1]);
  assert.equal(get?.headers.get('accept'), 'application/x-rtsp-tunnelled');
  assert.match(transportOf(camera.requests[4] as CameraRequest), /interleaved=0-1/);
  await run.stop();
  assert.equal(camera.methods.at(-1), 'TEARDOWN');
  await until(() => camera.openConnections === 0);
});

test('through HTTP and TLS', async (context) => {
  const tls = await makeCertificate('IP:127.0.0.1');
  const camera = await open(context, {}, tls);
  const run = attempt(context, { url: camera.url, transport: 'http', tls: { ca: tls.ca } });
  await run.has(1, 1);
});

test('through HTTP, where that wants a login of its own', async (context) => {
  const login: Script[string] = (request) =>
    request.headers.get('authorization') === undefined
      ? 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="cam", nonce="n"\r\n\r\n'
      : undefined;
  const script = { GET: login, POST: login };
  const credentials = { username: 'admin', password: 'secret' };
  await plays(context, script, { transport: 'http', credentials });
  const { error } = await endsWith(context, script, { transport: 'http' });
  assert.ok(error instanceof AuthenticationError && !error.credentialsSent);
});

test('through HTTP, a wrong password: refused after one try', async (context) => {
  const refuse: Script[string] = () =>
    'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="cam", nonce="n"\r\n\r\n';
  const credentials = { username: 'admin', password: 'secret' };
  const { camera, error } = await endsWith(
    context,
    { GET: refuse },
    { transport: 'http', credentials },
  );
  assert.ok(error instanceof AuthenticationError && error.credentialsSent);
  assert.equal(camera.requests.length, 2);
});

test('through HTTP where it is not offered', async (context) => {
  for (const [get, words] of [
    ['HTTP/1.1 404 Not Found\r\n\r\n', /404.*may not be offered/],
    ['SSH-2.0-dropbear\r\n', /no web server/],
  ] as const) {
    const { error } = await endsWith(context, { GET: () => get }, { transport: 'http' });
    assert.match(error.message, words);
  }
});

test('through HTTP: a POST that is refused', async (context) => {
  const { error } = await endsWith(
    context,
    { POST: () => 'HTTP/1.1 405 Method Not Allowed\r\n\r\n' },
    { transport: 'http' },
  );
  assert.match(error.message, /POST.*405/);
});

test('through HTTP: a POST that a proxy ends is begun anew', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] });
  const { camera } = await plays(context, {}, { transport: 'http' });
  camera.endPosts();
  await until(() => camera.openConnections === 1);
  context.mock.timers.tick(5000);
  await until(() => camera.received.length >= 2);
  assert.equal(camera.methods.filter((method) => method === 'POST').length, 2);
});
