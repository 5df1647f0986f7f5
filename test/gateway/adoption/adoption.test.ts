import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { CommandError } from '../../../gateway/report/commands.ts';
import { until } from '../../support/until.ts';
import { AdoptionBench, LOGIN, openCamera, PASSWORD, startCamera } from './adoption-bench.ts';

const NAME = 'dome-4-ac0042';
const SINK = { start() {}, write() {}, stop() {} };
const wrong = (...passwords: string[]) =>
  passwords.map((password) => `{ username: admin, password: ${password} }`).join(', ');

test('found, logged into with the second of two passwords, named from model and serial', async (t) => {
  const camera = await startCamera(t);
  const bench = AdoptionBench.start(t, `credentials: [ ${wrong('w1')}, ${LOGIN} ]`);
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
  assert.deepEqual(bench.names, [NAME]);
  const [found] = bench.found;
  assert.equal(found?.adoptedAs, NAME);
  assert.equal(found?.code, 'ok');
  assert.equal(found?.manufacturer, 'Acme');
  assert.equal(found?.serial, 'AC0042');
  assert.equal(camera.refusals, 1);
});

test('a wrong password: listed with what to do, and never more than three refusals, restarts included', async (t) => {
  const camera = await startCamera(t);
  const bench = AdoptionBench.start(t, `credentials: [ ${wrong('w1', 'w2', 'w3', 'w4')} ]`);
  bench.see(camera.xaddr);
  await until(() => bench.found[0]?.needsPassword === true);
  bench.see(camera.xaddr);
  assert.equal(bench.streams.size, 0);
  assert.equal(camera.refusals, 3);
  const [found] = bench.found;
  assert.equal(found?.code, 'auth');
  assert.match(found?.reason ?? '', /refused the login.*discovery\.credentials/);
  assert.ok(!/w1|w4/.test(JSON.stringify(found) + (await bench.file())));
  const asked = camera.requests.length;
  await bench.restart(`credentials: [ ${wrong('w1', 'w2', 'w3', 'w4')} ]`);
  bench.see(camera.xaddr);
  await until(() => bench.found[0]?.needsPassword === true);
  assert.match(bench.found[0]?.reason ?? '', /not trying again before .* or until the credentials/);
  assert.equal(camera.requests.length, asked, 'nothing was sent');
  await bench.restart(`credentials: [ ${LOGIN} ]`);
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
});

test('on another network than this box: heard, not reached, with what to do', async (t) => {
  const bench = AdoptionBench.start(t);
  // Whoever connects there connects to himself, and no network is that.
  bench.see('http://0.0.0.0:9/onvif/device_service', { addresses: ['0.0.0.0'] });
  await until(() => bench.found[0]?.code === 'other-network');
  assert.match(
    bench.found[0]?.reason ?? '',
    /nothing listens there.* is on none of this machine's networks/,
  );
});

test('no password configured: asks for one', async (t) => {
  const camera = await startCamera(t);
  const bench = AdoptionBench.start(t);
  bench.see(camera.xaddr);
  await until(() => bench.found[0]?.needsPassword === true);
  assert.equal(bench.found[0]?.code, 'no-credentials');
  assert.match(
    bench.found[0]?.reason ?? '',
    /none is configured. Set discovery\.credentials, or send the command adopt/,
  );
});

test('a camera that is configured already is not adopted a second time', (t) => {
  const bench = AdoptionBench.start(t, '', { front: '127.0.0.1' });
  bench.see('http://127.0.0.1:9/');
  assert.equal(bench.found[0]?.adoptedAs, 'front');
  assert.equal(bench.streams.size, 0);
});

test('ask: listed; adopted by command with a password that is kept, shown nowhere, and works after a restart', async (t) => {
  const camera = await startCamera(t);
  const bench = AdoptionBench.start(t, 'adopt: ask');
  bench.see(camera.xaddr);
  const id = bench.found[0]?.id ?? '';
  assert.equal(bench.found[0]?.code, 'undecided');
  assert.match(bench.found[0]?.reason ?? '', /discovery\.adopt is ask.*command adopt/);
  assert.deepEqual(camera.requests, []);
  const refusal = async (args: object) => {
    const error = await bench.command(args).catch((error: unknown) => error);
    assert.ok(error instanceof CommandError, String(error));
    return error;
  };
  assert.equal((await refusal({ device: 'nobody' })).code, 'not-found');
  assert.equal((await refusal({ device: id })).code, 'needs-password');
  const wrongOne = await refusal({ device: id, username: 'admin', password: 'wr0ng-one' });
  assert.equal(wrongOne.code, 'needs-password');
  assert.match(wrongOne.message, /refused the login/);
  assert.equal(camera.refusals, 1);
  assert.doesNotMatch(await bench.file(), /wr0ng-one/);
  setTimeout(() => bench.board.emit('event', { at: '', type: '', message: '' }), 10);
  const reply = await bench.command({
    ...{ device: id, name: 'gate', username: 'admin', password: PASSWORD, profile: 'sub' },
  });
  assert.deepEqual(reply, { device: id, decision: 'adopted', adoptedAs: 'gate' });
  assert.equal(bench.found[0]?.adoptedAs, 'gate');
  assert.match(await bench.file(), new RegExp(PASSWORD));
  assert.equal(statSync(join(bench.folder, 'adopted.json')).mode & 0o777, 0o600);
  await bench.restart('adopt: ask');
  assert.deepEqual(bench.names, ['gate'], 'before discovery answers');
  assert.deepEqual(bench.remembered, ['127.0.0.1']);
  const { refusals } = camera;
  await assert.rejects(bench.streams.get('gate')?.driver.run(SINK, bench.signal) ?? assert.fail(), {
    code: 'ECONNREFUSED',
  });
  assert.equal(camera.refusals, refusals);
  assert.equal(camera.requests.at(-1), 'GetStreamUri', 'where it was, with what was given');
  assert.ok(!`${bench.log}${JSON.stringify(bench.found)}`.includes(PASSWORD));
});

test('adopted under another name by command; a name that is taken is refused; no and forget', async (t) => {
  const camera = await startCamera(t);
  const list = `credentials: [ ${LOGIN} ]`;
  const bench = AdoptionBench.start(t, list, { yard: '10.0.0.1' });
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
  const id = bench.found[0]?.id ?? '';
  await assert.rejects(bench.command({ device: id, name: 'yard' }), { code: 'name-taken' });
  assert.deepEqual(bench.names, [NAME]);
  await bench.command({ device: NAME, name: 'gate' });
  assert.deepEqual(bench.names, ['gate']);
  assert.deepEqual(await bench.command({ device: 'gate', decision: 'ignore' }), {
    device: 'gate',
    decision: 'ignored',
  });
  assert.equal(bench.streams.size, 0);
  assert.equal(bench.found[0]?.code, 'ignored');
  await bench.restart(list, { yard: '10.0.0.1' });
  bench.see(camera.xaddr);
  assert.equal(bench.streams.size, 0);
  assert.equal(bench.found[0]?.code, 'ignored');
  await bench.command({ device: bench.found[0]?.id });
  assert.deepEqual(bench.names, ['gate'], 'the name that it had');
  await bench.command({ device: 'gate', decision: 'forget' });
  await until(() => bench.names[0] === NAME);
  assert.doesNotMatch(await bench.file(), /gate/);
});

test('adopt: off, and discovery that is off', async (t) => {
  const bench = AdoptionBench.start(t, 'adopt: off');
  bench.see('http://127.0.0.1:9/');
  assert.match(bench.found[0]?.reason ?? '', /discovery\.adopt is off/);
  await assert.rejects(bench.command({ device: bench.found[0]?.id }), { code: 'disabled' });
});

test('the name stays: identity learned later, another address, another reference; and yields to the configuration', async (t) => {
  const camera = await startCamera(t, { mac: '4c:bd:8f:00:00:01' });
  const list = `credentials: [ ${LOGIN} ]`;
  const bench = AdoptionBench.start(t, list);
  bench.see(camera.xaddr, { key: 'urn:uuid:a' });
  await until(() => bench.streams.size > 0);
  await bench.restart(`${list}, name: "other-{mac}"`);
  // After a factory reset, from another address.
  bench.see(camera.xaddr.replace('127.0.0.1', '127.0.0.2'), {
    key: 'urn:uuid:b',
    addresses: ['127.0.0.2'],
    mac: '4cbd8f000001',
  });
  assert.equal(bench.found[0]?.adoptedAs, NAME);
  assert.match(bench.streams.get(NAME)?.sourceUrl ?? '', /127\.0\.0\.2/);
  await bench.restart(list, { [NAME]: '10.9.9.9' });
  assert.deepEqual(bench.names, [`${NAME}-2`]);
  assert.match(bench.log, /taken by another stream/);
  await bench.restart(list);
  assert.deepEqual(bench.names, [`${NAME}-2`], 'for ever');
});

test('two equal cameras without serials have two names, and each keeps its own', async (t) => {
  const one = await startCamera(t, { serial: '0000', address: '127.0.0.1' });
  const two = await startCamera(t, { serial: '0000', address: '127.0.0.2' });
  const list = `credentials: [ ${LOGIN} ], name: "{model}"`;
  const bench = AdoptionBench.start(t, list);
  const seeOne = () => bench.see(one.xaddr, { key: 'urn:uuid:one' });
  const seeTwo = () => bench.see(two.xaddr, { key: 'urn:uuid:two', addresses: ['127.0.0.2'] });
  seeOne();
  await until(() => bench.streams.size === 1);
  seeTwo();
  await until(() => bench.streams.size === 2);
  const adopted = () =>
    Object.fromEntries(bench.found.map(({ addresses, adoptedAs }) => [addresses[0], adoptedAs]));
  const names = { '127.0.0.1': 'dome-4', '127.0.0.2': 'dome-4-2' };
  assert.deepEqual(adopted(), names);
  await bench.restart(list);
  seeTwo();
  seeOne();
  assert.deepEqual(adopted(), names);
});

test('another camera answers at the kept address: left alone until discovery tells where ours is', async (t) => {
  const camera = await openCamera();
  const list = `credentials: [ ${LOGIN}, ${wrong('w1', 'w2')} ]`;
  const bench = AdoptionBench.start(t, list);
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
  const { port } = camera;
  await camera.close();
  for (const [password, code] of [
    [PASSWORD, 'ONVIF_OTHER_DEVICE'],
    ['of its own', undefined],
  ] as const) {
    const stranger = await openCamera({ serial: 'OTHER', httpPort: port, password });
    await bench.restart(list);
    const stream = bench.streams.get(NAME);
    const run = () => stream?.driver.run(SINK, bench.signal) ?? assert.fail();
    const error = await run().catch((error: unknown) => error);
    if (code !== undefined) assert.equal((error as { code?: string }).code, code);
    // As the stream's supervision does.
    stream?.amend({ code: code ? 'other-device' : 'auth', reason: '', patience: 'normal' });
    assert.ok(stranger.refusals <= 1, String(stranger.refusals));
    const asked = stranger.requests.length;
    await assert.rejects(run(), { code: 'ONVIF_NO_ADDRESS' });
    assert.equal(stranger.requests.length, asked);
    const told = stream?.amend({ code: 'no-address', reason: '', patience: 'normal' });
    assert.equal(told?.code, 'other-device');
    const moved = await openCamera({ address: '127.0.0.3' });
    bench.see(moved.xaddr, { addresses: ['127.0.0.3'] });
    await assert.rejects(run(), { code: 'ECONNREFUSED' });
    assert.ok(moved.requests.includes('GetStreamUri'));
    assert.equal(stream?.describe().profile, 'mainStream (Profile_1)');
    assert.ok(bench.searchedFor.length > 0, 'it may have moved again');
    await stranger.close();
    await moved.close();
    await bench.restart(list);
    bench.see(`http://127.0.0.1:${port}/onvif/device_service`);
  }
});

test('found elsewhere while connected: restarted when its address is gone, or when it is silent', async (t) => {
  const camera = await startCamera(t);
  const bench = AdoptionBench.start(t, `credentials: [ ${LOGIN} ]`);
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
  await bench.streams
    .get(NAME)
    ?.driver.run(SINK, bench.signal)
    .catch(() => undefined);
  bench.see(camera.xaddr, { addresses: ['127.0.0.1'], name: 'changed' });
  assert.deepEqual(bench.restarted, []);
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    bench.see(camera.xaddr, { addresses: ['127.0.0.4'] });
    assert.deepEqual(bench.restarted, [], 'pictures still come');
    bench.silent = true;
    mock.timers.tick(5_000);
    assert.deepEqual(bench.restarted, [NAME]);
    bench.see(camera.xaddr, { addresses: ['127.0.0.5'] });
    assert.deepEqual(bench.restarted, [NAME, NAME]);
  } finally {
    mock.timers.reset();
  }
});

test('mDNS alone: waits a moment for ONVIF, then takes the stream that it names; moves with it', async (t) => {
  const bench = AdoptionBench.start(t, `credentials: [ ${LOGIN} ]`);
  const see = (address: string) =>
    bench.registry.see({
      ...{ via: 'mdns', key: 'Yard', hostname: 'yard.local', name: 'Yard' },
      addresses: [address],
      rtspUrls: [`rtsp://${address}:8554/main`],
    });
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    see('127.0.0.1');
    assert.equal(bench.found[0]?.code, 'starting');
    mock.timers.tick(5_000);
  } finally {
    mock.timers.reset();
  }
  await until(() => bench.streams.size > 0);
  assert.deepEqual(bench.names, ['yard']);
  see('127.0.0.6');
  assert.equal(bench.streams.get('yard')?.sourceUrl, 'rtsp://127.0.0.6:8554/main');
  await bench.restart();
  assert.equal(bench.streams.get('yard')?.sourceUrl, 'rtsp://127.0.0.6:8554/main');
});

test('mDNS first and ONVIF a moment later: one stream, by ONVIF', async (t) => {
  const camera = await startCamera(t);
  const bench = AdoptionBench.start(t, `credentials: [ ${LOGIN} ]`);
  const mdns = { via: 'mdns', key: 'Dome', addresses: ['127.0.0.1'] } as const;
  bench.registry.see({ ...mdns, rtspUrls: ['rtsp://127.0.0.1:8554/main'] });
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
  assert.deepEqual(bench.names, [NAME]);
  assert.match(bench.streams.get(NAME)?.sourceUrl ?? '', /^onvif:/);
});

test('an encoder that announces MPEG-TS is adopted, multicast too', async (t) => {
  for (const url of ['udp://@239.1.2.3:5000', 'tcp://127.0.0.1:5000']) {
    const bench = AdoptionBench.start(t);
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      bench.registry.see({
        ...{ via: 'mdns', key: 'Enc', name: 'Encoder 3', addresses: ['127.0.0.1'] },
        sourceUrls: [url],
      });
      mock.timers.tick(5_000);
    } finally {
      mock.timers.reset();
    }
    await until(() => bench.streams.size > 0);
    assert.equal(bench.streams.get('encoder-3')?.sourceUrl, url.replace('@', ''));
    assert.match(bench.streams.get('encoder-3')?.who ?? '', /^The encoder encoder-3 at 127/);
    await bench.restart();
    assert.deepEqual(bench.names, ['encoder-3']);
  }
});

test('two that were listed turn out to be one: the stream that was first stays, the other ends', async (t) => {
  const one = await startCamera(t, { serial: '0000', mac: '4c:bd:8f:00:00:07' });
  const bench = AdoptionBench.start(t, `credentials: [ ${LOGIN} ], name: "{model}"`);
  bench.see(one.xaddr, { key: 'urn:uuid:cable' });
  await until(() => bench.streams.size === 1);
  bench.nowMs += 1000;
  bench.see(one.xaddr.replace('127.0.0.1', '127.0.0.8'), {
    key: 'urn:uuid:wifi',
    addresses: ['127.0.0.8'],
    mac: '4cbd8f000007',
  });
  await until(() => bench.board.found.size === 1);
  assert.deepEqual(bench.names, ['dome-4']);
  assert.equal(bench.found[0]?.adoptedAs, 'dome-4');
  assert.match(await bench.file(), /"dome-4"/);
});

test('ignored or forgotten while its stream takes its time to end: what is found meanwhile does not bring it back', async (t) => {
  for (const decision of ['ignore', 'forget'] as const) {
    const camera = await startCamera(t);
    const bench = AdoptionBench.start(t, `credentials: [ ${LOGIN} ]`);
    bench.see(camera.xaddr);
    await until(() => bench.streams.size > 0);
    const old = bench.streams.get(NAME);
    const { promise, resolve } = withResolver();
    bench.letGo = promise;
    const done = bench.command({ device: NAME, decision });
    bench.see(camera.xaddr, { name: 'heard of meanwhile' });
    await bench.file();
    assert.deepEqual(bench.names, [NAME]);
    resolve();
    await done;
    if (decision === 'ignore') {
      assert.deepEqual(bench.names, []);
      assert.equal(bench.found[0]?.code, 'ignored');
      continue;
    }
    await until(() => bench.streams.size > 0 && bench.streams.get(NAME) !== old);
    assert.deepEqual(bench.names, [NAME], 'as if it had never been found');
  }
});

test('adopted twice at once, while its stream takes its time to end: one stream, of the second command', async (t) => {
  const camera = await startCamera(t);
  const bench = AdoptionBench.start(t, `credentials: [ ${LOGIN} ]`);
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
  const { promise, resolve } = withResolver();
  bench.letGo = promise;
  const id = bench.found[0]?.id ?? '';
  const listed = bench.adoption.listed(id) ?? assert.fail();
  const first = bench.adoption.adoptNow(listed, { profile: 'sub' });
  // Logged in to, and ending.
  await until(() => bench.ending > 0);
  const second = bench.adoption.adoptNow(listed, { name: 'gate' });
  const asked = camera.requests.length;
  await until(() => camera.requests.length > asked);
  await new Promise((done) => setTimeout(done, 50));
  resolve();
  assert.equal((await first).at, 'failed');
  assert.deepEqual(await second, { at: 'adopted', name: 'gate' });
  assert.deepEqual(bench.names, ['gate']);
});

test('one that was ignored stays so when only the login tells that it is the same', async (t) => {
  const camera = await startCamera(t);
  const list = `credentials: [ ${LOGIN} ]`;
  const bench = AdoptionBench.start(t, list);
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
  await bench.command({ device: NAME, decision: 'ignore' });
  await bench.restart(list);
  // After a factory reset.
  bench.see(camera.xaddr, { key: 'urn:uuid:reset' });
  await until(() => ['ignored', 'ok'].includes(bench.found[0]?.code ?? ''));
  assert.equal(bench.found[0]?.code, 'ignored');
  assert.equal(bench.streams.size, 0);
});

test('refused by a camera that is adopted: the command and the stream count together', async (t) => {
  const camera = await startCamera(t);
  const bench = AdoptionBench.start(t, `credentials: [ ${LOGIN}, ${wrong('w1', 'w2')} ]`);
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
  await bench.command({ device: NAME, name: 'gate' });
  const { port } = camera;
  await camera.close();
  const changed = await openCamera({ httpPort: port, password: 'an0ther' });
  t.after(() => changed.close());
  await assert.rejects(bench.command({ device: 'gate' }), { code: 'needs-password' });
  await assert.rejects(bench.streams.get('gate')?.driver.run(SINK, bench.signal) ?? assert.fail());
  assert.equal(changed.refusals, 3);
});

test('it leaves, and another camera takes its address: one refusal there, and none of them counts when it returns', async (t) => {
  const camera = await openCamera();
  const bench = AdoptionBench.start(t, `credentials: [ ${LOGIN}, ${wrong('w1', 'w2')} ]`);
  bench.see(camera.xaddr);
  await until(() => bench.streams.size > 0);
  bench.registry.lose('ws-discovery', 'urn:uuid:1');
  const { port } = camera;
  await camera.close();
  const stranger = await openCamera({ serial: 'OTHER', httpPort: port, password: 'of its own' });
  t.after(() => stranger.close());
  const run = () => bench.streams.get(NAME)?.driver.run(SINK, bench.signal) ?? assert.fail();
  for (let attempt = 0; attempt < 3; attempt += 1) await assert.rejects(run());
  assert.equal(stranger.refusals, 1);
  const moved = await startCamera(t, { address: '127.0.0.3' });
  bench.see(moved.xaddr, { addresses: ['127.0.0.3'] });
  await assert.rejects(run(), { code: 'ECONNREFUSED' });
  assert.ok(moved.requests.includes('GetStreamUri'));
});

test('an address and a password of any length: the name is there after a restart', async (t) => {
  const password = 'p'.repeat(300);
  const camera = await startCamera(t, { password });
  const bench = AdoptionBench.start(t, 'adopt: ask');
  const xaddr = (path: string) => `http://127.0.0.1:${camera.port}/${path}`;
  bench.see(undefined, { xaddrs: [camera.xaddr, xaddr('x'.repeat(3000))] });
  const id = bench.found[0]?.id;
  await bench.command({ device: id, username: 'admin', password });
  await bench.restart('adopt: ask');
  assert.deepEqual(bench.names, [NAME]);
});

function withResolver(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
