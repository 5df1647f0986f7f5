/** All of the page, as a browser fetches it. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const MAX_BYTES = 200_000;

interface Builder {
  bundleDashboard(outputFolder: string): Promise<{ compressedBytes: number }>;
}

describe('the web page, built', () => {
  let folder: string;
  let compressedBytes: number;
  let texts: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-page-'));
    const output = join(folder, 'dashboard');
    const path = join(process.cwd(), 'deploy/build-dashboard.mjs');
    const { bundleDashboard } = (await import(path)) as Builder;
    ({ compressedBytes } = await bundleDashboard(output));
    const names = (await readdir(output)).filter((name) => /\.(js|css|html)$/.test(name));
    const files = await Promise.all(names.map((name) => readFile(join(output, name), 'utf8')));
    texts = files.join('\n');
  });

  after(() => rm(folder, { recursive: true, force: true }));

  it(`is smaller than ${MAX_BYTES} bytes`, () => {
    assert.ok(compressedBytes > 50_000, `${compressedBytes}: is all of it there?`);
    assert.ok(compressedBytes < MAX_BYTES, `it has ${compressedBytes}`);
  });

  it('needs nothing that its policy refuses: no eval, no style or script in its HTML, nothing of elsewhere', () => {
    assert.doesNotMatch(texts, /\bnew Function\(|[^.\w]eval\(/);
    assert.doesNotMatch(texts, /<script>|<[a-z]+ style=/);
    assert.doesNotMatch(texts, /@import|url\(["']?https?:|(src|href)=["']https?:/);
  });

  it('asks for nothing that Node alone has: the stand-ins for that have shorter names', () => {
    const asked = texts.matchAll(/(?<![\w$.'"-]|calling )(Buffer|process|global|__dirname)[.(]/g);
    assert.deepEqual(
      [...asked].map(([text]) => text),
      [],
    );
  });
});
