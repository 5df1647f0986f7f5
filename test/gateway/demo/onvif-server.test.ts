import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { pino } from 'pino';
import { EventService } from '../../../gateway/demo/onvif-event-service.ts';
import { ProbeResponder } from '../../../gateway/demo/probe-responder.ts';
import { VirtualCamera } from '../../../gateway/demo/virtual-camera.ts';
import { passwordDigest, usernameTokenHeader } from '../../../protocols/soap/username-token.ts';
import {
  descendants,
  escapeXml,
  readXml,
  textAt,
  type XmlElement,
} from '../../../protocols/soap/xml.ts';
import {
  parseWsDiscoveryMessage,
  serializeProbe,
} from '../../../protocols/ws-discovery/message.ts';

const LOGIN = { username: 'admin', password: 'a & "b" <c>' };
const PTZ = 'ptz_service';
const MOVE =
  '<ContinuousMove><Velocity><PanTilt x="0.5" y="0"/></Velocity><Timeout>PT5S</Timeout></ContinuousMove>';

let camera: VirtualCamera;

before(async () => {
  camera = new VirtualCamera(LOGIN, pino({ level: 'silent' }));
  await camera.start();
});

after(() => camera.stop());

describe('its login', () => {
  test('is not asked for what ONVIF gives everybody', async () => {
    for (const name of ['GetSystemDateAndTime', 'GetServices', 'GetCapabilities']) {
      const { status, body } = await post('device_service', `<${name}/>`);
      assert.equal(status, 200, body);
    }
  });

  const now = () => Date.now();
  for (const [name, header] of [
    ['none', () => ''],
    ['another password', () => usernameTokenHeader('admin', 'wrong', now())],
    ['another user', () => usernameTokenHeader('root', LOGIN.password, now())],
    ['an old token', () => usernameTokenHeader('admin', LOGIN.password, now() - 120_000)],
    [
      'a token from the future',
      () => usernameTokenHeader('admin', LOGIN.password, now() + 120_000),
    ],
    [
      'a digest without a nonce and a time',
      () => plainToken(passwordDigest(Buffer.alloc(0), '', LOGIN.password)),
    ],
    ['a password as it is', () => plainToken(LOGIN.password)],
  ] as const) {
    test(`refused: ${name}`, async () => {
      const { status, body } = await post('device_service', '<GetDeviceInformation/>', header());
      assert.equal(status, 400);
      assert.match(body, /ter:NotAuthorized/);
    });
  }

  test('a token is good for once', async () => {
    const header = usernameTokenHeader(LOGIN.username, LOGIN.password, Date.now());
    const first = await post('device_service', '<GetDeviceInformation/>', header);
    assert.equal(first.status, 200);
    const second = await post('device_service', '<GetDeviceInformation/>', header);
    assert.match(second.body, /ter:NotAuthorized/);
  });
});

describe('what it does not understand', () => {
  test('no XML, no operation, one it does not have, one that objects have', async () => {
    assert.equal((await send('device_service', 'x')).status, 400);
    assert.equal((await send('device_service', '<Envelope><Body/></Envelope>')).status, 400);
    for (const name of ['SystemReboot', 'constructor', 'toString']) {
      const { status, body } = await ask('device_service', `<${name}/>`);
      assert.equal(status, 400);
      assert.match(body, /ter:ActionNotSupported/);
    }
  });

  test('a long request, another path, another method', async () => {
    const { status } = await send('device_service', 'x'.repeat(70_000)).catch(() => ({
      status: 413,
    }));
    assert.equal(status, 413);
    assert.equal((await send('other_service', 'x')).status, 404);
    assert.equal((await fetch(camera.onvifUrl)).status, 404);
  });

  test('a profile or a preset that it does not have', async () => {
    const uri = '<GetStreamUri><ProfileToken>sub</ProfileToken></GetStreamUri>';
    assert.match((await ask('media_service', uri)).body, /ter:NoProfile/);
    for (const name of ['GotoPreset', 'RemovePreset', 'SetPreset']) {
      const request = `<${name}><PresetToken>99</PresetToken></${name}>`;
      assert.match((await ask(PTZ, request)).body, /ter:NoToken/);
    }
  });

  test('speeds and times out of bounds', async () => {
    for (const request of [
      MOVE.replace('0.5', '1.5'),
      MOVE.replace('0.5', ''),
      MOVE.replace('0.5', 'fast'),
      MOVE.replace('PT5S', 'PT'),
      MOVE.replace('PT5S', '5'),
    ]) {
      assert.match((await ask(PTZ, request)).body, /ter:InvalidArgVal/, request);
    }
  });
});

describe('its head', () => {
  test('moves and is stopped', async () => {
    assert.equal((await ask(PTZ, MOVE)).status, 200);
    assert.equal(await moveStatus(), 'MOVING');
    await ask(PTZ, '<Stop/>');
    assert.equal(await moveStatus(), 'IDLE');
  });

  test('goes to a position, home, and to presets', async () => {
    const to =
      '<AbsoluteMove><Position><PanTilt x="0.02" y="0.03"/><Zoom x="0.04"/></Position></AbsoluteMove>';
    await ask(PTZ, to);
    await stands();
    assert.deepEqual(await position(), ['0.0200', '0.0300', '0.0400']);
    await ask(
      PTZ,
      '<RelativeMove><Translation><PanTilt x="0.01" y="-0.01"/></Translation></RelativeMove>',
    );
    await stands();
    assert.deepEqual(await position(), ['0.0300', '0.0200', '0.0400']);
    const set = await ask(PTZ, '<SetPreset><PresetName>a &lt; b</PresetName></SetPreset>');
    const token = textAt(readXml(set.body), 'Body', 'SetPresetResponse', 'PresetToken');
    const presets = readXml((await ask(PTZ, '<GetPresets/>')).body);
    const names = [...descendants(presets, 'Preset')].map((preset) => textAt(preset, 'Name'));
    assert.deepEqual(names, ['bars', 'steps', 'close', 'a < b']);
    await ask(PTZ, '<GotoHomePosition/>');
    await stands();
    assert.deepEqual(await position(), ['0.0000', '0.0000', '0.0000']);
    await ask(PTZ, `<GotoPreset><PresetToken>${token}</PresetToken></GotoPreset>`);
    await stands();
    assert.deepEqual(await position(), ['0.0300', '0.0200', '0.0400']);
    await ask(PTZ, `<RemovePreset><PresetToken>${token}</PresetToken></RemovePreset>`);
    await ask(PTZ, '<GotoHomePosition/>');
  });
});

describe('events', () => {
  test('the service is told of, once, and not its pull points', async () => {
    const { body } = await post('device_service', '<GetServices/>');
    const paths = Array.from(
      descendants(readXml(body), 'XAddr'),
      ({ text }) => new URL(text).pathname,
    );
    const names = ['device', 'media', 'ptz', 'event'];
    assert.deepEqual(
      paths,
      names.map((name) => `/onvif/${name}_service`),
    );
  });

  const EVENTS = 'event_service';
  const SUBSCRIBE =
    '<CreatePullPointSubscription><InitialTerminationTime>PT60S</InitialTerminationTime></CreatePullPointSubscription>';
  const pull = (wait: string) => `<PullMessages><Timeout>${wait}</Timeout></PullMessages>`;

  test('a pull point tells first how it is, then what changes, as soon as it does', async () => {
    const events = new EventService(() => 'http://camera');
    const call = async (name: string, xml: string, query = '') => {
      const services = [events.service, ...events.pullPoints];
      const service = services.find(({ operations }) => name in operations);
      return `<a>${await service!.operations[name]!(readXml(xml), query)}</a>`;
    };
    events.tellMotion(true);
    const answer = await call('CreatePullPointSubscription', SUBSCRIBE);
    const [, id = ''] = pointOf(answer).split('?');
    assert.deepEqual(states(await call('PullMessages', pull('PT0S'), id)), ['Initialized true']);
    const waiting = call('PullMessages', pull('PT1M'), id);
    events.tellMotion(false);
    assert.deepEqual(states(await waiting), ['Changed false']);
    events.tellMotion(true);
    events.tellMotion(false);
    const two = ['Changed true', 'Changed false'];
    assert.deepEqual(states(await call('PullMessages', pull('PT1M'), id)), two);
    for (let told = 0; told < 100; told += 1) events.tellMotion(told % 2 === 0);
    assert.equal(states(await call('PullMessages', pull('PT0S'), id)).length, 32);
    events.stop();
  });

  test('a pull ends when its time is up, and when nobody wants it any more', async () => {
    const point = await subscribe();
    await ask(point, pull('PT0S'));
    assert.deepEqual(states((await ask(point, pull('PT0.1S'))).body), []);
    const waiting = ask(point, pull('PT1M'));
    // Its request is there when another is answered that came behind it.
    await ask(point, '<Renew/>');
    assert.equal((await ask(point, '<Unsubscribe/>')).status, 200);
    assert.equal((await waiting).status, 200);
    assert.match((await ask(point, pull('PT0S'))).body, /ter:NoEntity/);
  });

  test('renewed it lives, else it does not', async () => {
    const request = SUBSCRIBE.replace('PT60S', 'PT0.3S');
    const [kept, left] = [await subscribe(request), await subscribe(request)];
    assert.match(
      (await ask(kept, '<Renew><TerminationTime>PT60S</TerminationTime></Renew>')).body,
      /wsnt:RenewResponse/,
    );
    while ((await ask(left, pull('PT0S'))).status === 200);
    assert.equal((await ask(kept, pull('PT0S'))).status, 200);
    const odd = '<Renew><TerminationTime>tomorrow</TerminationTime></Renew>';
    assert.equal((await ask(kept, odd)).status, 400);
    await ask(kept, '<Unsubscribe/>');
  });

  test('there are eight at most', async () => {
    const points: string[] = [];
    try {
      for (;;) {
        const { status, body } = await ask(EVENTS, SUBSCRIBE);
        if (status !== 200) {
          assert.match(body, /ter:MaxPullPoints/);
          break;
        }
        points.push(pointOf(body));
      }
      assert.ok(points.length <= 8);
    } finally {
      for (const point of points) await ask(point, '<Unsubscribe/>');
    }
  });

  async function subscribe(request = SUBSCRIBE): Promise<string> {
    return pointOf((await ask(EVENTS, request)).body);
  }

  /** As `ask` takes it. */
  function pointOf(body: string): string {
    const [address] = descendants(readXml(body), 'Address');
    return address?.text.replace(/^.*\/onvif\//, '') ?? '';
  }

  function states(body: string): string[] {
    return Array.from(descendants(readXml(body), 'NotificationMessage'), (message) => {
      const [inner] = [...descendants(message, 'Message')].slice(-1);
      const data = [...descendants(message, 'SimpleItem')].at(-1);
      return `${inner?.attributes.get('PropertyOperation')} ${data?.attributes.get('Value')}`;
    });
  }
});

describe('WS-Discovery', () => {
  test('where its port cannot be had, it says so, and leaves nothing open', async () => {
    const endpoint = { endpointReference: 'urn:uuid:x', scopes: [], xaddr: camera.onvifUrl };
    const responder = new ProbeResponder(endpoint);
    // Of a documentation network: no interface here has it.
    await assert.rejects(responder.start('192.0.2.1'), /UDP port 3702 .* cannot be had/);
    responder.stop();
  });

  test('answers probes for cameras and for everything, not those for others, nor junk', async () => {
    const socket = createSocket('udp4');
    try {
      const related: string[] = [];
      socket.on('message', (bytes) => {
        const message = parseWsDiscoveryMessage(bytes);
        assert.ok(message.kind === 'matches');
        assert.equal(message.endpoints[0]?.xaddrs[0], camera.onvifUrl);
        related.push(message.relatesTo ?? '');
      });
      const printer = new TextDecoder()
        .decode(serializeProbe('printer', 'Device'))
        .replace('dn:Device', 'dn:PrintDeviceType');
      const ids = [randomUUID(), randomUUID(), randomUUID()];
      for (const datagram of [
        'junk',
        printer,
        serializeProbe(ids[0]!, 'NetworkVideoTransmitter'),
        serializeProbe(ids[1]!, 'Device'),
        serializeProbe(ids[2]!, undefined),
      ]) {
        socket.send(datagram, 3702, camera.address);
      }
      while (related.length < 3) await once(socket, 'message');
      assert.deepEqual(
        related,
        ids.map((id) => `urn:uuid:${id}`),
      );
    } finally {
      socket.close();
    }
  });
});

async function moveStatus(): Promise<string | undefined> {
  return textAt(await status(), 'MoveStatus', 'PanTilt');
}

async function stands(): Promise<void> {
  while ((await moveStatus()) !== 'IDLE');
}

async function position(): Promise<(string | undefined)[]> {
  const [panTilt] = descendants(await status(), 'PanTilt');
  const [zoom] = descendants(await status(), 'Zoom');
  return [panTilt?.attributes.get('x'), panTilt?.attributes.get('y'), zoom?.attributes.get('x')];
}

async function status(): Promise<XmlElement> {
  const { body } = await ask(PTZ, '<GetStatus/>');
  const [found] = descendants(readXml(body), 'PTZStatus');
  assert.ok(found, body);
  return found;
}

/** With the login. */
function ask(service: string, operation: string) {
  return post(service, operation, usernameTokenHeader(LOGIN.username, LOGIN.password, Date.now()));
}

function post(service: string, operation: string, security = '') {
  return send(
    service,
    `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header>${security}</s:Header><s:Body>${operation}</s:Body></s:Envelope>`,
  );
}

async function send(service: string, body: string): Promise<{ status: number; body: string }> {
  const url = camera.onvifUrl.replace('device_service', service);
  const response = await fetch(url, { method: 'POST', body });
  return { status: response.status, body: await response.text() };
}

/** Without a nonce and a time. */
function plainToken(password: string): string {
  return `<Security><UsernameToken><Username>admin</Username><Password>${escapeXml(password)}</Password></UsernameToken></Security>`;
}
