/**
 * A tree of four processes, as the examples in deploy/examples/ have it: ffmpeg → edge → master → two slaves → rtmpdump.
 * Each node is killed and comes back in turn; and the master publishes back to the edge as well, which the edge refuses.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { assertSameUnits } from '../support/compare-units.ts';
import { FfmpegSender, MediaFolder } from '../support/ffmpeg-media.ts';
import { flvUnits } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RtmpViewer } from '../support/rtmp-viewer.ts';

const NODES = ['edge', 'master', 'slave-1', 'slave-2'] as const;
type Node = (typeof NODES)[number];

/** More than the test lasts. */
const MEDIA_SECONDS = 90;
/** Back-off, a busy machine, and a keyframe each second. */
const HEALS_MS = 30_000;
/** More than a second of the stream, which is no remains of before. */
const ENOUGH_BYTES = 90_000;
const VIEWERS_PER_SLAVE = 3;
const SECRETS: Readonly<Record<string, string>> = {
  ENCODER_PASSWORD: 'encoder-pw',
  MASTER_PASSWORD: 'master-pw',
  SLAVE_PASSWORD: 'slave-pw',
  VIEWER_TOKEN: 'viewer-token',
};

let folder: MediaFolder;
let media: string;
let ports: Readonly<Record<Node, number>>;
const nodes = new Map<Node, GatewayProcess>();
const viewers: RtmpViewer[] = [];
let encoder: FfmpegSender;

function node(name: Node): GatewayProcess {
  const found = nodes.get(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

/** The example with ports of ours; `gateway` and `discovery` are the helper's. */
function example(name: Node): string {
  let text = readFileSync(`deploy/examples/${name.replace(/-\d$/, '')}.yaml`, 'utf8');
  text = text.replace(/^(gateway|discovery): .*$/gm, '');
  text = text.replace('"0.0.0.0:1935"', `"127.0.0.1:${ports[name]}"`);
  for (const other of NODES)
    text = text.replace(`${other}.example:1935`, `127.0.0.1:${ports[other]}`);
  return text.replace(/\$\{(\w+)\}/g, (_, secret: string) => SECRETS[secret] ?? '');
}

async function startNode(name: Node, extra = ''): Promise<void> {
  const mqtt = `mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }`;
  nodes.set(name, await GatewayProcess.start(`${example(name)}${extra}\n${mqtt}\n`, { id: name }));
}

function startEncoder(): FfmpegSender {
  const login = `encoder:${SECRETS['ENCODER_PASSWORD']}`;
  return new FfmpegSender(media, [
    '-f',
    'flv',
    `rtmp://${login}@127.0.0.1:${ports.edge}/live/cam1`,
  ]);
}

/** Every viewer gets more from now on. */
async function everybodySees(what: string, of = viewers): Promise<void> {
  const from = of.map(({ bytes }) => bytes);
  await node('edge').until(
    `all viewers see the stream ${what}`,
    () => Promise.resolve(of.every(({ bytes }, at) => bytes - (from[at] ?? 0) > ENOUGH_BYTES)),
    HEALS_MS,
  );
}

before(async () => {
  folder = await MediaFolder.make();
  const [edge = 0, master = 0, first = 0, second = 0] = await Promise.all(
    NODES.map(() => freePort()),
  );
  ports = { edge, master, 'slave-1': first, 'slave-2': second };
  const login = `encoder:${SECRETS['ENCODER_PASSWORD']}`;
  const back = `    - targetUri: "rtmp://${login}@127.0.0.1:${edge}/live"`;
  [media] = await Promise.all([
    folder.makeFlv('cam1.flv', MEDIA_SECONDS, ['-c:a', 'aac']),
    ...NODES.map((name) => startNode(name, name === 'master' ? back : '')),
  ]);
  encoder = startEncoder();
});

after(async () => {
  await Promise.all(viewers.map((viewer) => viewer[Symbol.asyncDispose]()));
  await encoder[Symbol.asyncDispose]();
  await Promise.all([...nodes.values()].map((each) => each.stop()));
  await folder[Symbol.asyncDispose]();
});

test('a stream pushed to the edge is seen at every slave, bit for bit', async () => {
  for (const slave of ['slave-1', 'slave-2'] as const) {
    const url = `rtmp://127.0.0.1:${ports[slave]}/live/cam1?token=${SECRETS['VIEWER_TOKEN']}`;
    for (let count = 0; count < VIEWERS_PER_SLAVE; count += 1) viewers.push(new RtmpViewer(url));
  }
  await everybodySees('at first');
  const sent = flvUnits(await readFile(media));
  for (const viewer of viewers) {
    assert.equal(viewer.connections, 1, viewer.log);
    const { video, audio } = assertSameUnits(sent, flvUnits(Buffer.concat(viewer.first)));
    assert.ok(video > 20 && audio > 30, `${video} pictures, ${audio} sounds`);
  }
});

test('what comes back to where it was is refused, and told', async () => {
  const status = await node('master').until('the loop is told', async () => {
    const entry = await node('master').publish('cam1', `127-0-0-1-live-3`);
    return entry?.status.code === 'loop' ? entry.status : undefined;
  });
  assert.match(status.reason, /has had this stream before/);
  assert.match(status.reason, /edge → master → edge/);
  assert.equal(status.bytes, 0);
  assert.equal((await node('edge').stream('cam1'))?.status?.state, 'online');
});

for (const [name, victims] of [
  ['slave-1', 'its own viewers come back; those of the other slave notice nothing'],
  ['master', 'the viewers stay connected and go on'],
  ['edge', 'the encoder comes back, the viewers stay connected and go on'],
] as const) {
  test(`${name} is killed and comes back: ${victims}`, async () => {
    const unaffected = name === 'slave-1' ? viewers.slice(VIEWERS_PER_SLAVE) : viewers;
    const connections = unaffected.map((viewer) => viewer.connections);
    await node(name).kill();
    if (name === 'slave-1') await everybodySees('at the other slave', unaffected);
    if (name === 'edge') await encoder.exited;
    await node(name).startAgain();
    if (name === 'edge') encoder = startEncoder();
    await everybodySees(`after ${name} came back`);
    assert.deepEqual(
      unaffected.map((viewer) => viewer.connections),
      connections,
    );
  });
}

test('each slave counts its viewers', async () => {
  for (const slave of ['slave-1', 'slave-2'] as const) {
    await node(slave).until(`${slave} tells of its viewers`, async () => {
      return (await node(slave).stream('cam1'))?.stats?.viewers === VIEWERS_PER_SLAVE;
    });
  }
});
