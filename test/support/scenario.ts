/** A program in namespaces of its own, with a network of its own: what it starts ends with it, and what it prints last is its result. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Scenario {
  /** A compiled file, and what it is called with. */
  readonly program: string;
  readonly args?: readonly string[];
  /** Shell commands that come first, such as those that make interfaces. */
  readonly setUp: readonly string[];
  /** Of `unshare`, beside those of network and processes. */
  readonly namespaces?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly limitMs: number;
}

export async function runScenario<Result>(scenario: Scenario): Promise<Result> {
  const { program, args = [], setUp, namespaces = [], env = process.env, limitMs } = scenario;
  const script = ['set -e', ...setUp, 'exec "$0" --enable-source-maps "$@"'].join('\n');
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const own = [...asRoot, '--net', '--pid', '--fork', '--kill-child', ...namespaces];
  const command = ['sh', '-c', script, process.execPath, program, ...args];
  const child = spawn('unshare', [...own, ...command], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const [code] = await once(child, 'close');
  clearTimeout(limit);
  assert.equal(code, 0, `${stdout.slice(-4000)}\n${stderr.slice(-8000)}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Result;
}

/** A cable that ends in nothing, with these addresses at our end. */
export function cableWith(...addresses: readonly string[]): string[] {
  return [
    'ip link set lo up',
    'ip link add cam0 type veth peer name far0',
    'ip link set far0 up',
    ...addresses.map((address) => `ip addr add ${address} dev cam0`),
    'ip link set cam0 up multicast on',
  ];
}
