import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { pino } from 'pino';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { Publications } from '../../../gateway/acceptors/publications.ts';
import { Extensions } from '../../../gateway/extensions/extensions.ts';
import { Hub } from '../../../gateway/hub/hub.ts';
import { Board } from '../../../gateway/report/board.ts';
import { freePort } from '../../support/free-port.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { VIDEO_TRACK, videoUnit } from '../../support/units.ts';
import { until } from '../../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-extensions-'));
after(() => rmSync(folder, { recursive: true }));
let modules = 0;

/** `body`: what stands in activate(host, options). */
function write(body: string, rest = ''): string {
  return writeModule(
    `export const extension = { apiVersion: 1, name: 'test', async activate(host, options) { ${body} }, ${rest} };`,
  );
}

function writeModule(source: string): string {
  modules += 1;
  const module = join(folder, `${modules}.mjs`);
  writeFileSync(module, source);
  return module;
}

async function start(context: TestContext, module: string, options: Record<string, unknown> = {}) {
  const said: string[] = [];
  const log = pino(
    { level: 'info' },
    { write: (line: string) => void said.push((JSON.parse(line) as { msg: string }).msg) },
  );
  const hub = new Hub(0, () => performance.now());
  const now = () => performance.now();
  const publications = new Publications({
    ...{ hub, board: new Board(), log: pino({ level: 'silent' }), now },
    ...{ gatewayId: 'here', stallMs: 8_000, isReserved: () => false },
  });
  const extensions = new Extensions([{ module, options }], {
    ...{ hub, publications, log, now, gatewayId: 'here' },
  });
  await extensions.start();
  context.after(() => extensions.stop());
  return { hub, publications, extensions, said };
}

const SAY = (words: string) => `host.log.info(${words});`;

describe('an extension', () => {
  it('is given its options, its host, and the end', async (context) => {
    const module = write(
      SAY("[host.apiVersion, host.gatewayId, options.a].join(' ')"),
      'deactivate() { globalThis.wasDeactivated = true; }',
    );
    const { extensions, said } = await start(context, module, { a: 5 });
    assert.deepEqual(said, ['1 here 5', 'extension is active']);
    await extensions.stop();
    assert.equal(Reflect.get(globalThis, 'wasDeactivated'), true);
  });

  const bad: readonly (readonly [string, string, RegExp])[] = [
    ['is not there', join(folder, 'gone.mjs'), /Cannot find module/],
    ['is no JavaScript', writeModule('export const = 1'), /Unexpected token/],
    ['exports nothing', writeModule('export const a = 1'), /it exports no `extension`/],
    [
      'is for another version',
      writeModule("export const extension = { apiVersion: 2, name: 'a', activate() {} }"),
      /it is for version 2 of the interface, and this is 1/,
    ],
    [
      'has no name',
      writeModule('export const extension = { apiVersion: 1, activate() {} }'),
      /has a name and activate/,
    ],
    ['throws at once', writeModule("throw new Error('no luck')"), /no luck/],
    ['throws in activate()', write("throw new Error('no luck')"), /no luck/],
    [
      'wants to listen nowhere',
      write("host.listen({ protocol: 'x', listen: 'here', accept() {} })"),
      /acceptors\[0\].listen: expected an address and a port/,
    ],
    ['wants a scheme of ours', write("host.addSource('rtsp', () => {})"), /a scheme is x-NAME/],
  ];
  for (const [name, module, words] of bad) {
    it(`that ${name} is told and done without`, async (context) => {
      const { said } = await start(context, module);
      assert.equal(said.length, 1);
      assert.match(said[0] ?? '', /^The extension .*\.mjs is left out: /);
      assert.match(said[0] ?? '', words);
    });
  }
});

describe('a stream handler', () => {
  const HANDLER = write(`
    host.onStream((stream) => {
      host.log.info('come ' + stream.name);
      stream.subscribe({
        start: (tracks) => host.log.info('start ' + tracks[0].codec + ' ' + stream.isOnline),
        write: ({ data }) => host.log.info('write ' + data.length),
        stop: () => host.log.info('stop'),
      });
      return () => host.log.info('gone ' + stream.name);
    });`);

  it('sees streams come, and what is in them, and go; then it has nothing of them any more', async (context) => {
    const { hub, said } = await start(context, HANDLER);
    const stream = hub.open('cam');
    stream.start([VIDEO_TRACK]);
    stream.write(videoUnit({ byteLength: 7 }));
    hub.remove('cam');
    stream.start([VIDEO_TRACK]);
    assert.deepEqual(said.slice(1), ['come cam', 'start h264 true', 'write 7', 'stop', 'gone cam']);
  });

  it('hears nothing any more after the end', async (context) => {
    const { hub, said, extensions } = await start(context, HANDLER);
    const stream = hub.open('cam');
    await extensions.stop();
    stream.start([VIDEO_TRACK]);
    hub.open('other');
    assert.deepEqual(said.slice(1), ['come cam']);
  });

  for (const method of ['start', 'write', 'stop']) {
    it(`whose ${method}() throws loses the stream; others notice nothing`, async (context) => {
      const module = write(`
        host.onStream((stream) => stream.subscribe({
          start() {}, write() {}, stop() {}, ${method}() { throw new Error('oh') },
        }));`);
      const { hub, said } = await start(context, module);
      const stream = hub.open('cam');
      const sink = new RecordingSink();
      stream.subscribe(sink);
      for (let count = 0; count < 2; count += 1) {
        stream.start([VIDEO_TRACK]);
        stream.write(videoUnit());
        stream.stop();
      }
      assert.deepEqual(said.slice(1), [
        `The extension test failed in ${method}() and no longer gets the stream cam: oh`,
      ]);
      assert.deepEqual([sink.starts, sink.units.length, sink.stops], [2, 2, 2]);
    });
  }

  it('that subscribes to what is online and fails at once', async (context) => {
    const module = write(`
      host.onStream((stream) => { stream.subscribe({ start() { throw new Error('oh') } }); throw new Error('and oh') });`);
    const { hub, said } = await start(context, write(''));
    hub.open('cam').start([VIDEO_TRACK]);
    assert.deepEqual(said.length, 1);
    const second = await start(context, module);
    second.hub.open('cam').start([VIDEO_TRACK]);
    assert.deepEqual(second.said.slice(1), [
      'The extension test failed in onStream(): and oh',
      'The extension test failed in start() and no longer gets the stream cam: oh',
    ]);
  });
});

const TRACK = `{ kind: 'video', codec: 'h264', sps: Buffer.from('${Buffer.from(VIDEO_TRACK.sps).toString('hex')}', 'hex'), pps: Buffer.from('68cb83cb20', 'hex') }`;
const UNIT = 'ptsUs: 0, dtsUs: 0, randomAccess: true, data: Buffer.of(0, 0, 0, 2, 0x65, 0x88)';

describe('a protocol', () => {
  const PROTOCOL = write(`
    host.listen({ protocol: 'words', listen: options.listen, accept: (client) => {
      const sink = client.sink(() => 'spoken');
      return {
        push: (chunk) => {
          const word = String(chunk);
          if (word === 'login') client.admit();
          if (word === 'begin') { const track = ${TRACK}; sink.start([track]); sink.write({ track, ${UNIT} }); }
          if (word === 'bad') sink.write({});
          if (word === 'bye') client.refuse('it said bye');
        },
        flush: () => host.log.info('flushed'),
      };
    } });`);

  async function dial(context: TestContext) {
    const port = await freePort();
    const started = await start(context, PROTOCOL, { listen: `127.0.0.1:${port}` });
    await until(() => started.said.includes('listening'));
    const socket = connect(port, '127.0.0.1');
    context.after(() => socket.destroy());
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return { ...started, socket: socket.resume() };
  }

  it('publishes what its clients send', async (context) => {
    const { hub, socket, said } = await dial(context);
    const sink = new RecordingSink();
    hub.follow('spoken', sink);
    socket.write('begin');
    await sink.has(1, 0);
    socket.end();
    await until(() => sink.stops === 1);
    assert.ok(said.includes('flushed'));
  });

  it('sends clients away', async (context) => {
    const { socket, said } = await dial(context);
    socket.write('bye');
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal(said.at(-1), 'The words client at 127.0.0.1 was sent away: it said bye');
  });

  it('that throws costs the client', async (context) => {
    const { socket, said } = await dial(context);
    socket.write('bad');
    await new Promise((resolve) => socket.once('close', resolve));
    assert.match(said.at(-1) ?? '', /a client’s bytes cost its session/);
  });

  it('is bounded as all are: bytes of those who have not been let in', async (context) => {
    const { socket, said } = await dial(context);
    socket.write(Buffer.alloc(70_000));
    await new Promise((resolve) => socket.once('close', resolve));
    assert.match(said.at(-1) ?? '', /no login came in 65536 bytes/);
  });
});

describe('a publisher', () => {
  it('has a name while the extension lives, like anybody', async (context) => {
    const module = write(`
      const publisher = { name: 'Its Own', protocol: 'x', peer: 'y', ended: (words) => host.log.info('ended: ' + words) };
      const publication = host.publish(publisher);
      const track = ${TRACK};
      publication.start([track]);
      publication.write({ track, ${UNIT} });
      try { host.publish(publisher) } catch (error) { host.log.info(publication.name + ' ' + error.code) }`);
    const { hub, publications, said, extensions } = await start(context, module);
    assert.deepEqual(said, ['its-own name-taken', 'extension is active']);
    assert.ok(hub.get('its-own')?.isOnline);
    await extensions.stop();
    assert.equal(hub.get('its-own')?.isOnline, false);
    publications.stop();
    assert.equal(said.length, 2);
  });

  it('is told when it was ended', async (context) => {
    const module = write(`
      host.publish({ name: 'a', protocol: 'x', peer: 'y', ended: (words) => host.log.info('ended: ' + words) });`);
    const { publications, said } = await start(context, module);
    publications.stop();
    assert.equal(said.at(-1), 'ended: this gateway is stopping');
  });
});

describe('a source of its own', () => {
  const SOURCE = write(`
    host.addSource('x-test', ({ url, username, password }) => ({
      run: async (sink, signal) => {
        if (url.endsWith('bad')) throw new Error('it is ' + username + ' ' + password);
        const track = ${TRACK};
        sink.start([track]);
        sink.write({ track, ${UNIT} });
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw signal.reason;
      },
    }));`);

  it('runs until it is stopped', async (context) => {
    const { extensions } = await start(context, SOURCE);
    const driver = extensions.openSource('x-test://a', undefined);
    const sink = new RecordingSink();
    const stopping = new AbortController();
    const running = driver.run(sink, stopping.signal);
    await sink.has(1, 0);
    assert.equal(driver.stats.receivedBytes, 6);
    stopping.abort(new Error('stop'));
    await assert.rejects(running, { message: 'stop' });
    assert.equal(sink.stops, 1);
  });

  it('fails with its own words, and may be tried again', async (context) => {
    const { extensions } = await start(context, SOURCE);
    const driver = extensions.openSource('x-test://bad', { username: 'u', password: 'p' });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(driver.run(new RecordingSink(), new AbortController().signal), {
        message: 'it is u p',
      });
    }
  });

  it('that nobody serves is told', async (context) => {
    const { extensions } = await start(context, SOURCE);
    const driver = extensions.openSource('x-other://a', undefined);
    await assert.rejects(
      driver.run(new RecordingSink(), new AbortController().signal),
      (error) =>
        error instanceof UnsupportedError && /no extension serves x-other:/.test(error.message),
    );
  });
});
