/** The command line as users meet it: the bundle in a network of its own where no camera answers. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const MAIN = 'dist/gateway/main.js';
const LIMIT_MS = 40_000;

test('with no configuration and no camera it says so, and where to look; SIGTERM ends it with 0', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-start-'));
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const script = `
    ip link set lo up
    ip link add cam0 type veth peer name far0
    ip link set far0 up
    ip addr add 10.77.0.1/24 dev cam0
    ip link set cam0 up multicast on
    exec "${process.execPath}" ${MAIN} --data-dir ${folder}`;
  const child = spawn('unshare', [...asRoot, '--net', 'sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  let log = '';
  const exited = once(child, 'exit');
  for await (const chunk of child.stdout) {
    log += chunk;
    if (!log.includes('No camera has answered')) continue;
    child.kill('SIGTERM');
    break;
  }
  const [code] = await exited;
  clearTimeout(limit);
  assert.match(
    log,
    /No camera has answered on this network yet.*same subnet.*ONVIF.*sluice discover/,
  );
  assert.match(log, /embedded MQTT broker listens/);
  assert.match(log, /HTTP listens/);
  assert.equal(code, 0);
  rmSync(folder, { recursive: true });
});

const refused: readonly [string, string, RegExp][] = [
  ['an unknown key', 'proxypublish: { target: [] }', /proxypublish\.target: /],
  ['a wrong type', 'discovery: { intervalMs: soon }', /discovery\.intervalMs: .*soon/],
  [
    'a missing variable',
    `streams: { a: { source: "rtsp://h/x", username: u, password: "\${NOT_SET_HERE}" } }`,
    /NOT_SET_HERE/,
  ],
  [
    'SRT, with what to do instead',
    'streams: { a: { source: "srt://h" } }',
    /streams\.a\.source: .* srt:\/\/, which this version does not take: .* udp:\/\/@:port/,
  ],
];
for (const [name, yaml, words] of refused) {
  test(`bad configuration, ${name}: one line with file and key, exit 2`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-start-'));
    const file = join(folder, 'sluice.yaml');
    writeFileSync(file, yaml);
    for (const command of [
      ['run', '--config', file],
      ['config', 'check', file],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...command], {
        encoding: 'utf8',
      });
      assert.equal(status, 2, stderr);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
      assert.match(stderr, words);
      assert.ok(stderr.includes(file), stderr);
    }
    rmSync(folder, { recursive: true });
  });
}

test('wrong arguments: one line, exit 2', () => {
  for (const args of [
    ['fly'],
    ['run', '--fast'],
    ['relay', 'rtsp://h/x', 'http://h/x/y'],
    ['config'],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`);
  }
});

test('relay and probe name the argument that is wrong, and no password', () => {
  for (const [args, words] of [
    [
      ['relay', 'srt://u:s3cret@h:9000', 'rtmp://h/a/b'],
      /^sluice relay: SOURCE: .* srt:\/\/, which/,
    ],
    [['relay', 'rtsp://h/x', 'srt://u:s3/cret@h/a/b'], /^sluice relay: TARGET: /],
    [['probe', 'srt://u:s3cret@h:9000'], /^sluice probe: SOURCE: .* srt:\/\/, which/],
    [['probe', 'rtsp://h/x', '--transport', 'pigeon'], /^sluice probe: --transport: .*pigeon/],
  ] as const) {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    assert.equal(status, 2, stderr);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
    assert.match(stderr, words);
    assert.doesNotMatch(stderr, /s3cret|s3\/cret|cret@/);
  }
});

test('--help teaches, config schema prints JSON', () => {
  const help = spawnSync(process.execPath, [MAIN, '--help'], { encoding: 'utf8' });
  assert.equal(help.status, 0);
  assert.match(help.stdout, /sluice relay SOURCE TARGET/);
  const schema = spawnSync(process.execPath, [MAIN, 'config', 'schema'], { encoding: 'utf8' });
  assert.equal(schema.status, 0);
  assert.equal(typeof JSON.parse(schema.stdout), 'object');
});
