/**
 * The worked example of an extension in the bundle: ffmpeg pushes raw H.264, and an RTMP master gets it bit for bit.
 * Beside it, extensions that fail in every way they can, which nobody else notices.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { assertSameUnits } from '../support/compare-units.ts';
import { flvUnits } from '../support/flv-units.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { KeepingMaster } from '../support/keeping-master.ts';
import { MediaFolder } from '../support/mpegts-sender.ts';

const EXAMPLE = resolve('deploy/examples/raw-h264.mjs');
const SECONDS = 4;
const FEWEST = 50;

const faults: readonly (readonly [name: string, body: string, told: RegExp])[] = [
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
  ['late', "throw new Error('not today')", /The extension \S+late\.mjs is left out: not today/],
];

let folder: MediaFolder;
let master: KeepingMaster;
let gateway: GatewayProcess;
let port: number;

before(async () => {
  folder = await MediaFolder.make();
  master = await KeepingMaster.listen();
  port = await freePort();
  const modules = faults.map(([name, body]) => {
    const module = folder.path(`${name}.mjs`);
    writeFileSync(
      module,
      `export const extension = { apiVersion: 1, name: '${name}', activate(host) { ${body} } };`,
    );
    return `  - { module: "${module}" }`;
  });
  gateway = await GatewayProcess.start(`
extensions:
  - { module: "${EXAMPLE}", options: { listen: "127.0.0.1:${port}", streamName: raw, fps: 25 } }
${modules.join('\n')}
streams: { theirs: { source: "x-nothing://here" } }
proxypublish: { targets: [{ targetUri: "${master.sink.url()}" }] }
mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
`);
});

after(async () => {
  await gateway.stop();
  await master[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

test('raw H.264 from ffmpeg arrives at the master, bit for bit', async () => {
  const video = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-bf',
    '0',
    '-g',
    '25',
    '-threads',
    '1',
  ];
  const media = await folder.encode('raw.mkv', { video, audio: ['-an'], seconds: SECONDS });
  await folder.elementary(media, '0:v', 'h264');
  const output = ['-f', 'h264', `tcp://127.0.0.1:${port}`];
  const copy = ['-c', 'copy', '-map', '0:v'];
  const sender = spawn('ffmpeg', ['-v', 'error', '-re', '-i', media, ...copy, ...output], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(sender, 'exit');
  assert.equal(code, 0);
  await gateway.until('pictures arrive', () => Promise.resolve(master.pictures >= FEWEST));
  const sent = flvUnits(await folder.elementary(`${media}.h264`, '0', 'flv'));
  assert.ok(assertSameUnits(sent, master.units, { fewest: FEWEST }).video >= FEWEST);
});

test('its stream handler tells of each group of pictures', async () => {
  const line = /raw: a group of 25 pictures, \d+ bytes, 1000 ms/;
  await gateway.until('a line', () => Promise.resolve(line.test(gateway.log)));
});

test('what others throw is told, and costs nobody else anything', async () => {
  for (const [name, , told] of faults) {
    await gateway.until(name, () => Promise.resolve(told.test(gateway.log)));
  }
  const status = (await gateway.stream('theirs'))?.status;
  assert.match(status?.reason ?? '', /no extension serves x-nothing:/);
  const { code } = await gateway.stop();
  assert.equal(code, 0);
});
