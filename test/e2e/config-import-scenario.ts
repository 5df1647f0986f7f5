/**
 * The ancestor's configuration, imported and run as it stands, with its own ports and addresses: a program for a
 * network of its own (config-import.test.ts starts it there). ffmpeg publishes `proxytest` to port 6665; the master
 * is at 192.168.1.115. Prints what it saw as one JSON line.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Comparison, compareUnits } from '../support/compare-units.ts';
import { FfmpegSender, MediaFolder } from '../support/ffmpeg-media.ts';
import { flvUnits } from '../support/flv-units.ts';
import { KeepingMaster } from '../support/keeping-master.ts';
import { until } from '../support/until.ts';

const SLUICE = 'dist/gateway/main.js';
const SECONDS = 5;
/** A second or two pass before the master is connected. */
const PICTURES = 60;

const CRTMPSERVER = `configuration = { applications = { rootDirectory = "applications", {
  name = "proxypublish", description = "Application for forwarding streams to another RTMP server",
  protocol = "dynamiclinklibrary",
  acceptors = { { ip = "0.0.0.0", port = 6665, protocol = "inboundRtmp" } },
  abortOnConnectError = true,
  targetServers = { { targetUri = "rtmp://192.168.1.115/live", targetStreamType = "live", localStreamName = "proxytest", keepAlive = true } },
} } }
`;

const run = promisify(execFile);

export interface ConfigImportResult {
  readonly checked: string;
  readonly publishedAs: string;
  readonly comparison: Comparison | string;
  readonly exitCode: number | null;
  readonly log: string;
}

async function main(): Promise<ConfigImportResult> {
  await using folder = await MediaFolder.make();
  const media = await folder.makeFlv('media.flv', SECONDS, ['-c:a', 'aac']);
  const lua = `${folder.path}/crtmpserver.lua`;
  const yaml = `${folder.path}/sluice.yaml`;
  await writeFile(lua, CRTMPSERVER);
  const { stdout } = await run(process.execPath, [SLUICE, 'config', 'import', lua]);
  await writeFile(yaml, stdout);
  const checked = await run(process.execPath, [SLUICE, 'config', 'check', yaml]);
  await using master = await KeepingMaster.listen({ host: '192.168.1.115', port: 1935 });
  const gateway = spawn(process.execPath, [SLUICE, 'run', '--config', yaml], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const output of [gateway.stdout, gateway.stderr]) output.on('data', (text) => (log += text));
  try {
    await until(() => log.includes('sluice is running'), 20_000);
    const target = 'rtmp://127.0.0.1:6665/proxypublish/proxytest';
    await using _sender = new FfmpegSender(media, ['-f', 'flv', target]);
    await until(() => master.pictures >= PICTURES, 20_000);
  } catch (error) {
    process.stderr.write(`${log}\n`);
    throw error;
  } finally {
    gateway.kill('SIGTERM');
  }
  const [exitCode] = (await once(gateway, 'exit')) as [number | null];
  const [session] = master.sink.history;
  return {
    checked: checked.stdout.trim(),
    publishedAs: `${session?.app}/${session?.streamName} ${session?.publishType}`,
    comparison: compareUnits(flvUnits(await readFile(media)), master.units, { fewest: PICTURES }),
    exitCode,
    log,
  };
}

process.stdout.write(`${JSON.stringify(await main())}\n`);
