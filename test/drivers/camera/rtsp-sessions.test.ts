/** What is learned of a camera from session to session: logins, sessions that end, keepalives. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { AuthenticationError, ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { RtspCamera } from '../../../drivers/camera/rtsp-camera.ts';
import { CredentialChooser } from '../../../drivers/onvif/credential-chooser.ts';
import { endsWith, open, plays } from '../../support/camera-attempt.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { answer, type Script, type ScriptedCamera } from '../../support/scripted-camera.ts';
import { until } from '../../support/until.ts';

const CREDENTIALS = { username: 'admin', password: 'secret' };
const TEN_MINUTES_MS = 600_000;

/** A driver with a clock of its own, attempt after attempt. */
class Pulling {
  readonly driver: RtspCamera;
  nowMs = 1_000_000;

  constructor(camera: ScriptedCamera, logins?: CredentialChooser) {
    const login = logins === undefined ? { credentials: CREDENTIALS } : { logins };
    this.driver = new RtspCamera(
      { url: camera.url, transport: 'tcp', ...login },
      { log: pino({ level: 'silent' }), now: () => this.nowMs },
    );
  }

  /** The error of an attempt that is not stopped by the test. */
  async fails(): Promise<unknown> {
    return await this.driver.run(new RecordingSink(), new AbortController().signal).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  /** Plays, and stops. */
  async plays(): Promise<void> {
    const sink = new RecordingSink();
    const abort = new AbortController();
    const ended = this.driver.run(sink, abort.signal).catch((error: unknown) => error);
    await Promise.race([sink.has(1, 1), ended.then((error) => Promise.reject(error))]);
    abort.abort(new Error('stopped by the test'));
    await ended;
  }
}

/** Refuses every login while `isRefusing()`. */
function guarded(isRefusing: () => boolean): Script {
  const check: Script[string] = (request) =>
    isRefusing() || request.headers.get('authorization') === undefined
      ? answer(request, 401, { 'WWW-Authenticate': 'Digest realm="cam", nonce="n"' })
      : undefined;
  return { DESCRIBE: check };
}

/** Skinah/IpCamera#11, bluecherry-apps#588, motion#966: locked until the camera restarts. */
test('three refused logins, then the camera is left alone for ten minutes, then one try each (Hikvision, CamioCam/rtsp#34)', async (context) => {
  const camera = await open(
    context,
    guarded(() => true),
  );
  const pulling = new Pulling(camera);
  for (let n = 0; n < 3; n += 1) assert.ok((await pulling.fails()) instanceof AuthenticationError);
  const { connections } = camera;
  const held = await pulling.fails();
  assert.ok(held instanceof AuthenticationError);
  assert.match(
    held.message,
    /refused 3 times; not trying again before .* or until the credentials/,
  );
  pulling.nowMs += TEN_MINUTES_MS - 1;
  await pulling.fails();
  assert.equal(camera.connections, connections, 'it is not even connected to');
  pulling.nowMs += 1;
  await pulling.fails();
  await pulling.fails();
  assert.equal(camera.connections, connections + 1);
});

test('a login that works is forgiven what was refused before', async (context) => {
  let isRefusing = true;
  const pulling = new Pulling(
    await open(
      context,
      guarded(() => isRefusing),
    ),
  );
  for (let round = 0; round < 2; round += 1) {
    isRefusing = true;
    await pulling.fails();
    await pulling.fails();
    isRefusing = false;
    await pulling.plays();
  }
});

test('401 after it has played: out of sessions, not a wrong password; and no storm of logins (Dahua, HA#174441)', async (context) => {
  let isRefusing = false;
  const camera = await open(
    context,
    guarded(() => isRefusing),
  );
  const pulling = new Pulling(camera);
  await pulling.plays();
  isRefusing = true;
  for (let n = 0; n < 5; n += 1) {
    const error = await pulling.fails();
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.code, 'RTSP_OUT_OF_SESSIONS');
  }
  assert.equal(camera.connections, 1 + 3, 'three tries, then the hold');
  isRefusing = false;
  pulling.nowMs += TEN_MINUTES_MS;
  await pulling.plays();
});

/** Takes the login of this user only. */
function guardedFor(username: string): Script {
  const { DESCRIBE } = guarded(() => false);
  const check: Script[string] = (request, camera) => {
    const said = request.headers.get('authorization');
    if (said === undefined || said.includes(`username="${username}"`)) {
      return DESCRIBE?.(request, camera);
    }
    return answer(request, 401, { 'WWW-Authenticate': 'Digest realm="cam", nonce="n"' });
  };
  return { DESCRIBE: check };
}

const user = (username: string) => ({ username, password: 'secret' });

test('several logins are tried in one attempt, as long as the count of refusals allows', async (context) => {
  const list = ['a', 'b', 'viewer'].map(user);
  const third = new Pulling(
    await open(context, guardedFor('viewer')),
    new CredentialChooser(list, () => 0),
  );
  await third.plays();
  const camera = await open(context, guardedFor('viewer'));
  const fourth = new Pulling(camera, new CredentialChooser([user('c'), ...list], () => 0));
  assert.ok((await fourth.fails()) instanceof AuthenticationError);
  assert.equal(camera.connections, 3);
});

test('a login that ONVIF takes and RTSP refuses: told as that; then the others are tried', async (context) => {
  const chooser = new CredentialChooser([user('onvif'), user('viewer')], () => 0);
  chooser.worked(chooser.candidates[0]);
  const camera = await open(context, guardedFor('viewer'));
  const pulling = new Pulling(camera, chooser);
  for (let n = 0; n < 2; n += 1) {
    const error = await pulling.fails();
    assert.ok(error instanceof ProtocolError);
    assert.equal(error.code, 'RTSP_ONVIF_LOGIN_REFUSED');
    assert.equal(camera.connections, n + 1);
  }
  await pulling.plays();
  assert.ok(chooser.hasWorked('rtsp'));
});

test('454 in the middle: a new session at once, told; twice in a row is left to the supervisor', async (context) => {
  let forgets = true;
  const { camera, run } = await playsFast(context, {
    GET_PARAMETER: (request) => (forgets ? answer(request, 454) : undefined),
  });
  await until(() => camera.methods.filter((method) => method === 'PLAY').length === 2);
  await until(() => run.sink.starts === 2);
  assert.match(run.driver.notes.join(' '), /forgot the session \(454\)/);
  const error = await run.error();
  assert.ok(error instanceof ProtocolError && error.status === 454);
  forgets = false;
});

test('a camera that hangs up on GET_PARAMETER is asked for OPTIONS next time (SharpRTSP#63)', async (context) => {
  const { camera, run } = await playsFast(context, {
    GET_PARAMETER: (_, scripted) => {
      scripted.hangUp();
      return '';
    },
  });
  await run.error();
  assert.match(run.driver.notes.join(' '), /in spite of GET_PARAMETER; OPTIONS keeps it alive/);
  const sink = new RecordingSink();
  const abort = new AbortController();
  const ended = run.driver.run(sink, abort.signal).catch(() => {});
  await sink.has(1, 1);
  const before = camera.requests.length;
  await until(() => camera.requests.length > before);
  assert.equal(camera.methods.at(-1), 'OPTIONS');
  abort.abort();
  await ended;
});

test('a camera that names the session with PLAY only', async (context) => {
  const { camera, run } = await playsFast(context, {
    SETUP: (request, scripted) => scripted.setUp(request).replace(/Session:.*\r\n/, ''),
    PLAY: (request, scripted) => {
      scripted.sendPicture();
      scripted.sendAudio(0);
      return scripted.usualAnswer(request).replace('Session: abc', 'Session: late;timeout=4');
    },
  });
  await run.stop();
  assert.equal(camera.requests.at(-1)?.headers.get('session'), 'late');
});

// What is no RTSP ----------------------------------------------------------------------------------------

test('a web server at that port is named as one', async (context) => {
  const { error } = await endsWith(context, {
    OPTIONS: () => 'HTTP/1.1 400 Bad Request\r\nServer: lighttpd\r\nContent-Length: 0\r\n\r\n',
  });
  assert.ok(error instanceof ProtocolError);
  assert.equal(error.code, 'RTSP_WEB_SERVER');
  assert.match(error.message, /answers as a web server \(HTTP 400\), not RTSP/);
});

test('noise is not silence: it does not end as a timeout', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write('220 ftp.example ready\r\n');
  }).listen(0, '127.0.0.1');
  context.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const driver = new RtspCamera(
    { url: `rtsp://127.0.0.1:${address.port}/x`, transport: 'tcp' },
    { log: pino({ level: 'silent' }), now: Date.now },
  );
  const ended = driver
    .run(new RecordingSink(), new AbortController().signal)
    .catch((error: unknown) => error);
  const ticking = setInterval(() => context.mock.timers.tick(1000), 20);
  const error = await ended;
  clearInterval(ticking);
  assert.ok(error instanceof ParseError, String(error));
  assert.match(error.message, /no answer to OPTIONS within 10 s, but \d+ bytes that are no RTSP/);
});

/** Plays with a session that wants a keepalive every second. */
async function playsFast(context: TestContext, script: Script) {
  return await plays(context, {
    SETUP: (request, camera) => camera.setUp(request).replace('timeout=60', 'timeout=4'),
    ...script,
  });
}
