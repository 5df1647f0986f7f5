/**
 * What others push in leaves as it came: FLV and MPEG-TS by every way, and raw H.264 by the worked example of an
 * extension, published to an RTMP master. Beside it strangers, and extensions that fail in every way they can.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';
import { assertSameUnits, type CodedUnit } from '../support/compare-units.ts';
import { flvUnits, unitOf } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { MediaFolder, MpegtsSender } from '../support/mpegts-sender.ts';
import { RtmpSink, type RtmpSinkSession } from '../support/rtmp-sink.ts';

const SECONDS = 5;
/** Of 125 pictures and 235 sounds; the first second passes until the master is connected. */
const FEWEST = 200;
const FEWEST_PICTURES = 60;
const GROUP = '239.255.78.3';
const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-g', '25', '-threads', '1'];
const AAC = ['-c:a', 'aac', '-b:a', '96k', '-ac', '2'];
const TOKEN = 'a-token-1';

/** What each does in activate(), and what is told of it. */
const FAULTS: readonly (readonly [name: string, body: string, told: RegExp])[] = [
  [
    'timer',
    "setTimeout(() => { throw new Error('late') }, 200)",
    /The extension timer has failed and is ended: late/,
  ],
  [
    'promise',
    "setTimeout(async () => { throw new Error('lost') }, 200)",
    /The extension promise has failed and is ended: lost/,
  ],
  [
    'socket',
    "import('node:net').then(({ connect }) => { connect(1, '127.0.0.1') })",
    /The extension socket has failed and is ended: connect ECONNREFUSED/,
  ],
  [
    'sink',
    "host.onStream((stream) => stream.subscribe({ start() {}, write() { throw new Error('full') }, stop() {} }))",
    /The extension sink failed in write\(\) and no longer gets the stream raw: full/,
  ],
  [
    'after',
    "host.onStream((stream) => stream.subscribe({ start() {}, write() { setTimeout(() => { throw new Error('done') }) }, stop() {} }))",
    /The extension after has failed and is ended: done/,
  ],
  ['late', "throw new Error('not today')", /The extension \S+late\.mjs is left out: not today/],
];

const arrived = new Map<string, CodedUnit[]>();
let ports: { named: number; login: number; tcp: number; udp: number; group: number; raw: number };
let folder: MediaFolder;
let media: string;
let master: RtmpSink;
let gateway: GatewayProcess;

function keep({ streamName }: RtmpSinkSession, { typeId, timestampMs, payload }: RtmpMessage) {
  if (typeId !== MessageType.video && typeId !== MessageType.audio) return;
  const unit = unitOf({ type: typeId, timestampMs, body: payload.slice() });
  if (unit === undefined) return;
  const units = arrived.get(streamName) ?? [];
  arrived.set(streamName, units);
  units.push(unit);
}

before(async () => {
  folder = await MediaFolder.make();
  media = await folder.encode('h264.mkv', { video: H264, audio: AAC, seconds: SECONDS });
  master = await RtmpSink.listen({ onMessage: keep });
  const [named = 0, login = 0, tcp = 0, udp = 0, group = 0, raw = 0, mqtt = 0] = await Promise.all(
    Array.from({ length: 7 }, () => freePort()),
  );
  ports = { named, login, tcp, udp, group, raw };
  const faults = FAULTS.map(([name, body]) => {
    const module = folder.path(`${name}.mjs`);
    writeFileSync(
      module,
      `export const extension = { apiVersion: 1, name: '${name}', activate(host) { ${body} } };`,
    );
    return `  - { module: "${module}" }`;
  });
  gateway = await GatewayProcess.start(`
extensions:
  - { module: "${resolve('deploy/examples/raw-h264.mjs')}", options: { listen: "127.0.0.1:${raw}", streamName: raw, fps: 25 } }
${faults.join('\n')}
streams: { theirs: { source: "x-nothing://here" } }
acceptors:
  - { protocol: liveflv, listen: "127.0.0.1:${named}", localStreamName: live-flv }
  - { protocol: liveflv, listen: "127.0.0.1:${login}", publish: { token: ${TOKEN} } }
  - { protocol: mpegts-tcp, listen: "127.0.0.1:${tcp}", localStreamName: ts-tcp, publish: { addresses: [127.0.0.1] } }
  - { protocol: mpegts-udp, listen: "127.0.0.1:${udp}", localStreamName: ts-udp }
  - { protocol: mpegts-udp, listen: "${GROUP}:${group}", interface: lo, localStreamName: ts-group }
proxypublish: { targets: [{ targetUri: "${master.url()}" }] }
mqtt: { embedded: { listen: "127.0.0.1:${mqtt}" } }
`);
});

after(async () => {
  await gateway.stop();
  await master.close();
  await folder[Symbol.asyncDispose]();
});

/** Enough arrived, and it is what was sent. */
async function assertArrived(
  name: string,
  sent: readonly CodedUnit[],
  fewest = FEWEST,
): Promise<void> {
  await gateway.until(`the master has ${fewest} units of ${name}`, () =>
    Promise.resolve((arrived.get(name)?.length ?? 0) >= fewest),
  );
  const { video } = assertSameUnits(sent, arrived.get(name) ?? [], { fewest });
  assert.ok(video >= FEWEST_PICTURES, `${name}: ${video} pictures`);
}

async function exitOf(process: ChildProcess): Promise<void> {
  const [code] = (await once(process, 'exit')) as [number | null];
  assert.equal(code, 0);
}

function ffmpeg(input: string, output: readonly string[]): ChildProcess {
  const options = ['-v', 'error', '-re', '-i', input, '-map', '0', '-c', 'copy'];
  return spawn('ffmpeg', [...options, ...output], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function flvOf(input: string): Promise<CodedUnit[]> {
  return flvUnits(await folder.elementary(input, '0', 'flv'));
}

describe('bit for bit at the master', { concurrency: true }, () => {
  it('FLV from ffmpeg, under the acceptor’s name', async () => {
    await exitOf(ffmpeg(media, ['-f', 'flv', `tcp://127.0.0.1:${ports.named}`]));
    await assertArrived('live-flv', await flvOf(media));
  });

  it('FLV through socat, with a token and a name in onMetaData', async () => {
    const words = ['-metadata', 'streamName=Yard_1', '-metadata', `token=${TOKEN}`];
    const source = ffmpeg(media, [...words, '-f', 'flv', '-']);
    const socat = spawn('socat', ['-u', 'STDIN', `TCP:127.0.0.1:${ports.login}`], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    source.stdout?.pipe(socat.stdin);
    await exitOf(socat);
    await assertArrived('yard-1', await flvOf(media));
  });

  const ways: readonly [string, string, () => string][] = [
    ['TCP', 'ts-tcp', () => `tcp://127.0.0.1:${ports.tcp}`],
    ['UDP', 'ts-udp', () => `udp://127.0.0.1:${ports.udp}?pkt_size=1316`],
    [
      'a group',
      'ts-group',
      () => `udp://${GROUP}:${ports.group}?pkt_size=1316&localaddr=127.0.0.1`,
    ],
  ];
  for (const [way, name, url] of ways) {
    it(`MPEG-TS over ${way}`, async () => {
      const file = folder.path(`${name}.ts`);
      await using sender = new MpegtsSender([media], ['-f', 'mpegts', url()], file, [], 1);
      assert.equal(await sender.ended, 0, sender.errors);
      await assertArrived(name, await flvOf(file));
    });
  }

  it('raw H.264, by an extension', async () => {
    const video = [...H264, '-bf', '0'];
    const file = await folder.encode('raw.mkv', { video, audio: ['-an'], seconds: SECONDS });
    const url = `tcp://127.0.0.1:${ports.raw}`;
    await folder.elementary(file, '0:v', 'h264');
    await exitOf(ffmpeg(file, ['-f', 'h264', url]));
    await assertArrived('raw', await flvOf(`${file}.h264`), FEWEST_PICTURES);
    const line = /raw: a group of 25 pictures, \d+ bytes, 1000 ms/;
    await gateway.until('its stream handler tells', () => Promise.resolve(line.test(gateway.log)));
  });

  it('strangers at every port disturb nobody', async () => {
    const { named, login, tcp, raw } = ports;
    const sockets = [named, login, tcp, raw].flatMap((port) =>
      Array.from({ length: 10 }, (_, at) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        // Half of them say nothing at all.
        if (at % 2 === 0) socket.end(Buffer.alloc(150_000, at));
        return socket;
      }),
    );
    await gateway.until('they are told of', () =>
      Promise.resolve(/what comes is not MPEG-TS/.test(gateway.log)),
    );
    for (const socket of sockets) socket.destroy();
  });

  it('a wrong token: nobody hears of it, and nobody minds', async () => {
    const words = ['-metadata', 'streamName=intruder', '-metadata', 'token=wrong'];
    const source = ffmpeg(media, [...words, '-f', 'flv', '-']);
    const socat = spawn('socat', ['-u', 'STDIN', `TCP:127.0.0.1:${ports.login}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    socat.stdin.on('error', () => source.kill());
    source.stdout?.pipe(socat.stdin);
    await once(socat, 'exit');
    source.kill();
    assert.equal(await gateway.stream('intruder'), undefined);
    const told = () => /its login in onMetaData is wrong or missing/.test(gateway.log);
    await gateway.until('it is told', () => Promise.resolve(told()));
    assert.doesNotMatch(gateway.log, new RegExp(TOKEN));
  });
});

describe('extensions that fail', () => {
  for (const [name, , told] of FAULTS) {
    it(`are told: ${name}`, async () => {
      await gateway.until(name, () => Promise.resolve(told.test(gateway.log)));
    });
  }

  it('a source that none serves is told', async () => {
    const status = (await gateway.stream('theirs'))?.status;
    assert.match(status?.reason ?? '', /no extension serves x-nothing:/);
  });

  it('nobody else minds: it ends as it should', async () => {
    assert.equal((await gateway.stop()).code, 0);
  });
});
