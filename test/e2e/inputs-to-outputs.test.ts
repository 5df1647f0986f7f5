/**
 * Every acceptor feeds every output: one file is pushed in by each protocol, its picture or its sound alone by RTMP, too; and
 * ffmpeg plays each of them by each way there is, from a slave as well. What it decodes is what the file has.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { FfmpegSender, MediaFolder } from '../support/ffmpeg-media.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';

const run = promisify(execFile);

type Kind = 'video' | 'audio';

/** As long as the last of the players needs on a busy machine. */
const SECONDS = 60;
const UNITS = 30;
const PLAYER_MS = 60_000;
/** All of them at a time keep two cores busy for longer than a client has from connecting to playing. */
const PLAYERS_AT_ONCE = 14;
const BOTH: readonly Kind[] = ['video', 'audio'];

const ports = { rtmp: 0, rtsp: 0, flv: 0, tcp: 0, udp: 0, slave: 0 };
const at = (key: keyof typeof ports) => `127.0.0.1:${ports[key]}`;

const INPUTS: readonly (readonly [name: string, kinds: readonly Kind[], output: () => string[]])[] =
  [
    ['rtmp', BOTH, () => ['-f', 'flv', `rtmp://${at('rtmp')}/live/rtmp`]],
    ['live-flv', BOTH, () => ['-f', 'flv', `tcp://${at('flv')}`]],
    ['ts-tcp', BOTH, () => ['-f', 'mpegts', `tcp://${at('tcp')}`]],
    ['ts-udp', BOTH, () => ['-f', 'mpegts', `udp://${at('udp')}?pkt_size=1316`]],
    ['rtsp', BOTH, () => ['-f', 'rtsp', '-rtsp_transport', 'tcp', `rtsp://${at('rtsp')}/rtsp`]],
    ['picture', ['video'], () => ['-an', '-f', 'flv', `rtmp://${at('rtmp')}/live/picture`]],
    ['sound', ['audio'], () => ['-vn', '-f', 'flv', `rtmp://${at('rtmp')}/live/sound`]],
  ];

const OUTPUTS: readonly (readonly [name: string, input: (name: string) => string[]])[] = [
  ['RTMP', (name) => ['-i', `rtmp://${at('rtmp')}/live/${name}`]],
  ['RTSP', (name) => ['-rtsp_transport', 'tcp', '-i', `rtsp://${at('rtsp')}/${name}`]],
  ['HTTP-FLV', (name) => ['-i', `${gateway.url}/live/${name}.flv`]],
  ['HTTP-TS', (name) => ['-i', `${gateway.url}/live/${name}.ts`]],
  ['HLS', (name) => ['-i', `${gateway.url}/live/${name}/index.m3u8`]],
  ['RTMP of a slave', (name) => ['-i', `rtmp://${at('slave')}/live/${name}`]],
];

let folder: MediaFolder;
let gateway: GatewayProcess;
let slave: GatewayProcess;
/** Of the file, in the order in which they are shown. */
let sent: Record<Kind, string[]>;
const senders: FfmpegSender[] = [];

before(async () => {
  for (const key of Object.keys(ports) as (keyof typeof ports)[]) ports[key] = await freePort();
  folder = await MediaFolder.make();
  const mqtt = async () => `mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }`;
  slave = await GatewayProcess.start(
    `acceptors: [{ protocol: rtmp, listen: "${at('slave')}" }]\n${await mqtt()}`,
    { id: 'slave' },
  );
  gateway = await GatewayProcess.start(`acceptors:
  - { protocol: rtmp, listen: "${at('rtmp')}" }
  - { protocol: rtsp, listen: "${at('rtsp')}" }
  - { protocol: liveflv, listen: "${at('flv')}", localStreamName: live-flv }
  - { protocol: mpegts-tcp, listen: "${at('tcp')}", localStreamName: ts-tcp }
  - { protocol: mpegts-udp, listen: "${at('udp')}", localStreamName: ts-udp }
proxypublish: { targets: [{ targetUri: "rtmp://${at('slave')}/live" }] }
${await mqtt()}`);
  const file = await folder.makeFlv('media.flv', SECONDS, ['-c:a', 'aac', '-b:a', '64k']);
  sent = await hashes(['-i', file], BOTH);
  for (const [, , output] of INPUTS) senders.push(new FfmpegSender(file, output()));
});

after(async () => {
  for (const sender of senders) await sender[Symbol.asyncDispose]();
  await gateway?.stop();
  await slave?.stop();
  await folder?.[Symbol.asyncDispose]();
});

/** Of decoded pictures, which have no packaging any more, and of bare AAC frames. */
async function hashes(
  input: readonly string[],
  kinds: readonly Kind[],
  ...most: readonly string[]
): Promise<Record<Kind, string[]>> {
  const streams = kinds.flatMap((kind) => ['-map', `0:${kind[0]}`]);
  const forms = ['-c:v', 'rawvideo', '-c:a', 'copy', '-bsf:a', 'aac_adtstoasc'];
  const { stdout } = await run(
    'ffmpeg',
    [
      ...['-v', 'error', '-threads', '1', ...input, ...streams, ...most],
      ...['-fps_mode', 'passthrough', ...forms, '-f', 'framemd5', '-'],
    ],
    { timeout: PLAYER_MS, maxBuffer: 16 * 1024 * 1024 },
  );
  const found: Record<Kind, string[]> = { video: [], audio: [] };
  for (const line of stdout.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const columns = line.split(',').map((column) => column.trim());
    const kind = kinds[Number(columns[0])];
    if (kind !== undefined) found[kind].push(columns[5] ?? '');
  }
  return found;
}

/** What both boxes say of it, for a failed test. */
async function stateOf(name: string): Promise<string> {
  const told = [gateway, slave].map(async (box) =>
    JSON.stringify(await box.stream(name).catch(String)),
  );
  return `${(await Promise.all(told)).join('\n')}\n${gateway.log.slice(-3000)}`;
}

describe('every acceptor feeds every output', { concurrency: PLAYERS_AT_ONCE }, () => {
  for (const [name, kinds] of INPUTS) {
    for (const [way, input] of OUTPUTS) {
      it(`${name} by ${way}`, async () => {
        await gateway.until(`${name} is online, and at the slave`, async () => {
          const boxes = [gateway, slave];
          const streams = await Promise.all(boxes.map((box) => box.stream(name)));
          return streams.every((stream) => stream?.status.state === 'online');
        });
        const most = kinds.flatMap((kind) => [`-frames:${kind[0]}`, `${UNITS}`]);
        const seen = await hashes(input(name), kinds, ...most);
        for (const kind of kinds) {
          const from = sent[kind].indexOf(seen[kind][0] ?? '');
          const wanted = sent[kind].slice(from, from + UNITS);
          const other = wanted.findIndex((hash, index) => hash !== seen[kind][index]);
          const isSame = seen[kind].length === UNITS && from !== -1 && other === -1;
          const where = `${kind}: ${seen[kind].length} from ${from} on, another at ${other}`;
          assert.ok(isSame, `${where}\n${await stateOf(name)}`);
        }
      });
    }
  }
});
