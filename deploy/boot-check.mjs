/** Boots what users boot: the bundle, through `npm start`'s own path, and ends it as systemd would. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PlainError, ROOT } from './prepare.mjs';

const BOOT_TIMEOUT_MS = 15_000;
/** SIGTERM ends it in under two seconds: service managers and people wait no longer. */
const STOP_TIMEOUT_MS = 2_000;
const POLL_MS = 50;

export async function bootCheck() {
  await schemaIsPrinted();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-boot-'));
  try {
    await startsAndStops(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function schemaIsPrinted() {
  const { child, output, printed } = launch(['dist/gateway/main.js', 'config', 'schema']);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new PlainError(`config schema ended with ${code}:\n${output()}`);
  if (JSON.parse(printed()).type !== 'object')
    throw new PlainError('config schema printed no JSON Schema');
  console.log('config schema: printed');
}

async function startsAndStops(folder) {
  const [httpPort, mqttPort] = [await freePort(), await freePort()];
  const config = join(folder, 'sluice.yaml');
  writeFileSync(
    config,
    [
      'discovery: { onvif: false, mdns: false }',
      `http: { listen: "127.0.0.1:${httpPort}" }`,
      `mqtt: { embedded: { listen: "127.0.0.1:${mqttPort}" } }`,
    ].join('\n'),
  );
  const launched = Date.now();
  const { child, output } = launch([
    'deploy/run.mjs',
    'start',
    'run',
    '--config',
    config,
    '--data-dir',
    folder,
  ]);
  const closed = once(child, 'close');
  try {
    await healthy(httpPort, child, output);
    console.log(`run: answers /healthz after ${Date.now() - launched} ms`);
    const stopping = Date.now();
    child.kill('SIGTERM');
    const ended = await Promise.race([closed, sleep(STOP_TIMEOUT_MS, undefined, { ref: false })]);
    if (ended === undefined)
      throw new PlainError(`still running ${STOP_TIMEOUT_MS} ms after SIGTERM:\n${output()}`);
    if (ended[0] !== 0)
      throw new PlainError(`SIGTERM: ended with ${ended.join(' ')}:\n${output()}`);
    console.log(`run: SIGTERM ended it with 0 after ${Date.now() - stopping} ms`);
  } finally {
    child.kill('SIGKILL');
  }
}

function launch(commandLine) {
  const child = spawn(process.execPath, commandLine, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let standardOutput = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
    standardOutput += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  return { child, output: () => text, printed: () => standardOutput };
}

async function healthy(port, child, output) {
  const deadline = Date.now() + BOOT_TIMEOUT_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(POLL_MS);
  }
  throw new PlainError(`/healthz did not answer in ${BOOT_TIMEOUT_MS} ms:\n${output()}`);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
