import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runConfigCommand } from '../../../gateway/cli/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
after(() => rmSync(folder, { recursive: true }));
const lua = join(folder, 'crtmpserver.lua');
const good = join(folder, 'good.yaml');
const bad = join(folder, 'bad.yaml');
writeFileSync(
  lua,
  'configuration = { applications = { { acceptors = { { ip="0.0.0.0", port=1, protocol="inboundRtmp" } } } } }',
);
writeFileSync(good, 'gateway: { id: shop-12 }\n');
writeFileSync(bad, 'gateway: { idd: shop-12 }\n');

async function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runConfigCommand(args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out, err };
}

describe('sluice config', () => {
  it('check: valid', async () => {
    assert.deepEqual(await run('check', good), { code: 0, out: [`${good}: valid`], err: [] });
  });

  it('check: one line on stderr and 2', async () => {
    const line = `${bad}: gateway.idd: no such key, did you mean id?`;
    assert.deepEqual(await run('check', bad), { code: 2, out: [], err: [line] });
  });

  it('schema: JSON', async () => {
    const { code, out } = await run('schema');
    assert.equal(code, 0);
    assert.equal(JSON.parse(out.join('\n')).additionalProperties, false);
  });

  it('import: a configuration on stdout, words on stderr', async () => {
    const { code, out, err } = await run('import', lua);
    assert.equal(code, 0);
    assert.match(out.join('\n'), /^# Made from crtmpserver\.lua by sluice /);
    assert.match(out.join('\n'), /listen: 0\.0\.0\.0:1$/m);
    assert.match(err.join('\n'), /: 1 acceptors, streams and targets taken over, 0 left out;/);
  });

  it('import: one line on stderr and 2', async () => {
    const gone = join(folder, 'gone.lua');
    for (const [file, words] of [
      [good, 'line 1: not Lua: '],
      [gone, 'cannot read the file: '],
    ] as const) {
      const { code, out, err } = await run('import', file);
      assert.deepEqual([code, out, err.length], [2, [], 1]);
      assert.ok(err[0]?.startsWith(`${file}: ${words}`), err[0]);
    }
  });

  for (const args of [
    [],
    ['check'],
    ['check', good, bad],
    ['schema', 'x'],
    ['import'],
    ['import', lua, lua],
  ]) {
    it(`usage: config ${args.length}`, async () => {
      const { code, err } = await run(...args);
      assert.equal(code, 2);
      assert.match(err[0] ?? '', /^usage: /);
    });
  }
});
