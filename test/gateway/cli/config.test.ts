import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runConfigCommand } from '../../../gateway/cli/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
after(() => rmSync(folder, { recursive: true }));
const good = join(folder, 'good.yaml');
const bad = join(folder, 'bad.yaml');
writeFileSync(good, 'gateway: { id: shop-12 }\n');
writeFileSync(bad, 'gateway: { idd: shop-12 }\n');

function run(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = runConfigCommand(args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
  return { code, out, err };
}

describe('sluice config', () => {
  it('check: valid', () => {
    assert.deepEqual(run('check', good), { code: 0, out: [`${good}: valid`], err: [] });
  });

  it('check: one line on stderr and 2', () => {
    const line = `${bad}: gateway.idd: no such key, did you mean id?`;
    assert.deepEqual(run('check', bad), { code: 2, out: [], err: [line] });
  });

  it('schema: JSON', () => {
    const { code, out } = run('schema');
    assert.equal(code, 0);
    assert.equal(JSON.parse(out.join('\n')).additionalProperties, false);
  });

  for (const args of [[], ['check'], ['check', good, bad], ['schema', 'x'], ['import']]) {
    it(`usage: config ${args.length}`, () => {
      const { code, err } = run(...args);
      assert.equal(code, 2);
      assert.match(err[0] ?? '', /^usage: /);
    });
  }
});
