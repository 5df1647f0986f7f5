import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import {
  AuthenticationError,
  ParseError,
  ProtocolError,
  UnsupportedError,
} from '../../../codecs/errors.ts';
import type { Credentials } from '../../../drivers/driver.ts';
import { OnvifClient } from '../../../drivers/onvif/onvif-client.ts';
import type { OnvifSessionOptions } from '../../../drivers/onvif/onvif-session.ts';
import { VirtualOnvif, type VirtualOnvifOptions } from '../../support/virtual-onvif.ts';

const RIGHT = { username: 'admin', password: 'secret' };
const WRONG = { username: 'admin', password: 'wrong' };
const HOUR_MS = 3_600_000;

async function startCamera(t: TestContext, options: Partial<VirtualOnvifOptions> = {}) {
  const camera = await VirtualOnvif.start({
    rtspUrl: 'rtsp://127.0.0.1:8554/main?x=1&y=2',
    ...options,
  });
  t.after(() => camera.close());
  return camera;
}

function client(
  port: number,
  credentials?: Credentials,
  options: Partial<OnvifSessionOptions> = {},
) {
  return new OnvifClient(
    { host: '127.0.0.1', port, path: '/onvif/device_service', secure: false },
    credentials,
    { signal: new AbortController().signal, now: Date.now, timeoutMs: 2000, ...options },
  );
}

test('a login, profiles and stream URL, whatever the camera demands', async (t) => {
  const cases: Partial<VirtualOnvifOptions>[] = [
    { auth: 'none' },
    { auth: 'token' },
    { auth: 'digest' },
    { auth: 'digest', digestAlgorithm: 'SHA-256' },
    { auth: 'both' },
    { auth: 'token', clockOffsetMs: -3 * HOUR_MS },
    { auth: 'both', clockOffsetMs: 20 * 365 * 24 * HOUR_MS },
    { auth: 'token', media2: true },
    { auth: 'token', hasNoGetServices: true },
    { auth: 'digest', advertisedHost: '192.168.1.108' },
    { auth: 'token', username: 'öperator <&>', password: 'пароль&"' },
  ];
  for (const options of cases) {
    const name = JSON.stringify(options);
    const camera = await startCamera(t, { mac: '4c:bd:8f:00:00:01', serial: '6.0', ...options });
    const { username = 'admin', password = 'secret' } = options;
    const onvif = client(camera.port, { username, password });
    assert.deepEqual(
      await onvif.describeDevice(),
      {
        manufacturer: 'Virtual',
        model: 'VC-1',
        firmware: '1.0',
        serial: '6.0',
        mac: '4cbd8f000001',
      },
      name,
    );
    const profiles = await onvif.profiles();
    assert.deepEqual(
      profiles[0],
      {
        token: 'Profile_1',
        name: 'mainStream',
        codec: 'h264',
        width: 1920,
        height: 1080,
        fps: 25,
        kbps: 4096,
        gopFrames: 50,
        sourceToken: 'VideoSource_1',
        encoderToken: 'enc-Profile_1',
        ptz: undefined,
      },
      name,
    );
    assert.equal(profiles.length, 2, name);
    const { url, original } = await onvif.streamUri('Profile_1');
    assert.equal(url, 'rtsp://127.0.0.1:8554/main?x=1&y=2', name);
    assert.equal(new URL(original).hostname, options.advertisedHost ?? '127.0.0.1', name);
    assert.match(
      (await onvif.snapshotUri('Profile_2')).url,
      /^http:\/\/127\.0\.0\.1:\d+\/snapshot\.jpg$/,
    );
    assert.equal(camera.refusals, 0, name);
  }
});

test('a wrong password costs the camera one refusal', async (t) => {
  for (const auth of ['token', 'digest', 'both'] as const) {
    const camera = await startCamera(t, { auth });
    let counted = 0;
    const onvif = client(camera.port, WRONG, {
      onRefused: () => {
        counted += 1;
        return true;
      },
    });
    await assert.rejects(onvif.describeDevice(), (error) => {
      assert.ok(error instanceof AuthenticationError, auth);
      assert.equal(error.credentialsSent, true);
      assert.ok(!error.message.includes(WRONG.password));
      return true;
    });
    assert.equal(camera.refusals, 1, auth);
    assert.equal(counted, 1, auth);
  }
});

test('without credentials: says that a login is wanted, and sends none', async (t) => {
  for (const auth of ['token', 'digest'] as const) {
    const camera = await startCamera(t, { auth });
    await assert.rejects(client(camera.port).describeDevice(), (error) => {
      assert.ok(error instanceof AuthenticationError);
      assert.equal(error.credentialsSent, false);
      return true;
    });
    assert.equal(camera.refusals, 0);
  }
});

/** agsh#249; HA#121952, #91587, #90794; onvif-rs#121 (20 s are enough); majestic-webui#292 (local time as UTC). */
test('a camera that sets its clock between measuring and login is measured again', async (t) => {
  const camera = await startCamera(t, { auth: 'token', clockOffsetMs: -3 * HOUR_MS });
  const onvif = client(camera.port, RIGHT, {
    now: () => {
      // The first login is stamped with a clock that moved meanwhile.
      if (camera.requests.includes('GetDeviceInformation')) camera.clockOffsetMs = 0;
      return Date.now();
    },
  });
  assert.equal((await onvif.describeDevice()).model, 'VC-1');
  assert.equal(camera.refusals, 1);
});

test('a camera that gives local time as UTC but checks true UTC', async (t) => {
  const camera = await startCamera(t, { auth: 'token', claimedClockOffsetMs: 5.5 * HOUR_MS });
  assert.equal((await client(camera.port, RIGHT).describeDevice()).model, 'VC-1');
  assert.equal(camera.refusals, 1);
});

test('no second try when the count of refusals forbids it', async (t) => {
  const camera = await startCamera(t, { auth: 'token', claimedClockOffsetMs: 5.5 * HOUR_MS });
  const onvif = client(camera.port, RIGHT, { onRefused: () => false });
  await assert.rejects(onvif.describeDevice(), AuthenticationError);
  assert.equal(camera.refusals, 1);
});

test('a camera that fails at Media 2 is asked by Media 1', async (t) => {
  const camera = await startCamera(t, {
    media2: true,
    mangle: (xml) =>
      xml.includes('ver20/media/wsdl" xmlns:tt')
        ? '<s:Envelope xmlns:s="x"><s:Body/></s:Envelope>'
        : xml,
  });
  const onvif = client(camera.port, RIGHT);
  await onvif.describeDevice();
  assert.equal((await onvif.profiles()).length, 2);
});

test('a camera whose Media 2 has no profiles, or no URLs, is asked by Media 1', async (t) => {
  const broken = {
    GetProfiles: (xml: string) => xml.replace(/<tr2:Profiles.*<\/tr2:Profiles>/, ''),
    GetStreamUri: () => '<html></html>',
    GetSnapshotUri: (xml: string) => xml.replace(/<tr2:Uri>.*<\/tr2:Uri>/, ''),
  };
  for (const [operation, damage] of Object.entries(broken)) {
    const camera = await startCamera(t, {
      media2: true,
      mangle: (xml, name) => (name === operation && xml.includes('xmlns:tr2') ? damage(xml) : xml),
    });
    const onvif = client(camera.port, RIGHT);
    await onvif.describeDevice();
    assert.equal((await onvif.profiles()).length, 2, operation);
    assert.match((await onvif.streamUri('Profile_1')).url, /^rtsp:/, operation);
    assert.match((await onvif.snapshotUri('Profile_1')).url, /snapshot/, operation);
  }
});

test('H.265 and the length of its GOP by Media 2, and whether the profile moves the camera', async (t) => {
  const profile = { token: 'p', name: 'p', width: 3840, height: 2160, fps: 20, kbps: 6000 };
  const camera = await startCamera(t, {
    media2: true,
    ptz: {},
    profiles: [
      { ...profile, encoding: 'H265', gopFrames: 40 },
      { ...profile, token: 'q', encoding: 'JPEG' },
    ],
  });
  const onvif = client(camera.port, RIGHT);
  await onvif.describeDevice();
  const [h265, jpeg] = await onvif.profiles();
  assert.deepEqual([h265?.codec, h265?.gopFrames], ['h265', 40]);
  assert.deepEqual([jpeg?.codec, jpeg?.gopFrames], ['jpeg', undefined]);
  assert.equal(h265?.ptz?.nodeToken, 'node-1');
});

test('broken replies are errors of the device, whichever call they hit', async (_t) => {
  const broken: [string, string][] = [
    ['nothing', ''],
    ['HTML', '<html><body>Not found</body></html>'],
    ['an empty body', '<s:Envelope xmlns:s="x"><s:Body/></s:Envelope>'],
    [
      'an empty answer',
      '<s:Envelope xmlns:s="x"><s:Body><GetServicesResponse/></s:Body></s:Envelope>',
    ],
    ['cut off', '<s:Envelope xmlns:s="x"><s:Body><GetProfilesResponse><Profiles token="1">'],
    ['a DOCTYPE', '<!DOCTYPE x><s:Envelope xmlns:s="x"><s:Body><a/></s:Body></s:Envelope>'],
    [
      'a fault without a reason',
      '<s:Envelope xmlns:s="x"><s:Body><s:Fault/></s:Body></s:Envelope>',
    ],
    [
      'many namespaces',
      `<s:Envelope xmlns:s="x"><s:Body>${'xmlns '.repeat(100_000)}</s:Body></s:Envelope>`,
    ],
    [
      'too long',
      `<s:Envelope xmlns:s="x"><s:Body>${'x'.repeat(2 * 1024 * 1024)}</s:Body></s:Envelope>`,
    ],
  ];
  const calls = [
    'GetSystemDateAndTime',
    'GetDeviceInformation',
    'GetServices',
    'GetProfiles',
    'GetStreamUri',
  ];
  for (const [name, reply] of broken) {
    for (const call of calls) {
      const camera = await VirtualOnvif.start({
        rtspUrl: 'rtsp://127.0.0.1/x',
        mangle: (xml, operation) => (operation === call ? reply : xml),
      });
      const onvif = client(camera.port, RIGHT);
      const started = performance.now();
      try {
        await onvif.describeDevice();
        const [first] = await onvif.profiles();
        await onvif.streamUri(first?.token ?? '');
      } catch (error) {
        assert.ok(
          error instanceof ProtocolError || error instanceof ParseError,
          `${call}: ${name}: ${error}`,
        );
      }
      assert.ok(performance.now() - started < 2000, `${call}: ${name}`);
      await camera.close();
    }
  }
});

test('a clock that cannot be read is taken from the HTTP date', async (t) => {
  const camera = await startCamera(t, {
    mangle: (xml, operation) => (operation === 'GetSystemDateAndTime' ? '<x/>' : xml),
  });
  assert.equal((await client(camera.port, RIGHT).describeDevice()).model, 'VC-1');
});

test('nobody there, nobody answering, and being told to stop', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  await assert.rejects(client(port, RIGHT, { timeoutMs: 50 }).describeDevice(), {
    code: 'ETIMEDOUT',
  });
  const stop = new AbortController();
  const running = client(port, RIGHT, { signal: stop.signal }).describeDevice();
  setTimeout(() => stop.abort(new Error('stopped')), 20);
  await assert.rejects(running, /stopped/);
  await assert.rejects(client(1, RIGHT).describeDevice(), { code: 'ECONNREFUSED' });
});

test('what does not speak HTTP is a ProtocolError', async (t) => {
  const server = createServer((socket) =>
    socket.on('error', () => {}).end('RTSP/1.0 400 Bad\r\n\r\n'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await assert.rejects(client(port, RIGHT).describeDevice(), ProtocolError);
});

test('replies damaged anywhere never let an exception escape', async (t) => {
  const damage = { at: 0, by: '' };
  const camera = await startCamera(t, {
    auth: 'none',
    mangle: (xml) => {
      const at = damage.at % xml.length;
      return xml.slice(0, at) + damage.by + xml.slice(at + damage.by.length);
    },
  });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(2000),
      fc.constantFrom('<', '</', '>', '"', '&', '/><a', ']]>', 'Fault', '\0'),
      async (at, by) => {
        Object.assign(damage, { at, by });
        const onvif = client(camera.port, RIGHT);
        try {
          await onvif.describeDevice();
          const profiles = await onvif.profiles();
          await onvif.streamUri(profiles[0]?.token ?? 'none');
        } catch (error) {
          const isExpected = [
            ProtocolError,
            ParseError,
            AuthenticationError,
            UnsupportedError,
          ].some((each) => error instanceof each);
          // A service address damaged into another port: nobody listens there.
          const isElsewhere = (error as { code?: string }).code === 'ECONNREFUSED';
          assert.ok(isExpected || isElsewhere, String(error));
        }
      },
    ),
    { numRuns: 100 },
  );
});
