import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';

const MODULE = new URL('../../../gateway/cli/discover.js', import.meta.url).href;
const SCRIPT = `const { discover } = await import('${MODULE}'); process.exitCode = await discover(process.argv.slice(1));`;

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '-e', SCRIPT, '--', ...args],
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

test('wrong arguments: one line that names the option, exit 2', async () => {
  const cases = [
    { args: ['--timeout-ms', 'soon'], says: /--timeout-ms: expected a whole number/ },
    { args: ['--timeout-ms', '0'], says: /--timeout-ms/ },
    { args: ['--interface', 'nosuch0'], says: /no interface "nosuch0"/ },
    { args: ['--scan', '8.8.8.0/24'], says: /--scan: expected a private network/ },
    { args: ['--scan', '10.0.0.0/16'], says: /--scan: expected a network of \/20 or smaller/ },
    { args: ['--nonsense'], says: /--nonsense/ },
    { args: ['10.0.0.1'], says: /10\.0\.0\.1/ },
  ];
  for (const { args, says } of cases) {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, says);
    assert.equal(stderr.trim().split('\n').length, 1);
  }
});

test('--help says how', async () => {
  const { code, stdout } = await run('--help');
  assert.equal(code, 0);
  assert.match(stdout, /--interface NAME/);
});

test('--json is an array, whatever is on the network', async () => {
  const { code, stdout, stderr } = await run('--json', '--timeout-ms', '200', '--interface', 'lo');
  assert.equal(code, 0, stderr);
  assert.ok(Array.isArray(JSON.parse(stdout)));
});
