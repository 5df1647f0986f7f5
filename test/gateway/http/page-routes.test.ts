import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { ConfiguredAdmin } from '../../../gateway/http/admin-account.ts';
import { HttpServer } from '../../../gateway/http/http-server.ts';
import { pageRoute } from '../../../gateway/http/page-routes.ts';
import { collectingLog } from '../../support/reporting.ts';

const SCRIPT = 'main-AB12CD34.js';
const CONFIG = { view: 'local', mqttUrl: '/mqtt', baseTopic: 'sluice', gateway: 'box' } as const;
const ADMIN = new ConfiguredAdmin('admin', 'secret-1');

describe('the web page', () => {
  let folder = '';
  let server: HttpServer;
  const { log, lines } = collectingLog();

  before(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'sluice-page-')), 'dashboard');
    await fill('<title>one</title>');
    const routes = [pageRoute(CONFIG, folder)];
    const limits = { viewers: 1, viewersPerAddress: 1 };
    server = new HttpServer({
      ...{ listen: '127.0.0.1:0', limits, admin: ADMIN, play: undefined, cors: [], routes, log },
    });
    await server.start();
  });
  after(async () => {
    await server.stop();
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  async function fill(index: string): Promise<void> {
    const temporary = `${folder}.new`;
    await mkdir(temporary, { recursive: true });
    await writeFile(join(temporary, 'secret.key'), 'not for anybody');
    await writeFile(join(folder, '..', 'outside.js'), 'outside');
    for (const [name, text] of [
      ['index.html', index],
      [SCRIPT, 'console.log(1);'.repeat(100)],
    ] as const) {
      await writeFile(join(temporary, name), text);
      await writeFile(join(temporary, `${name}.br`), brotliCompressSync(text));
      await writeFile(join(temporary, `${name}.gz`), gzipSync(text));
    }
    await writeFile(join(temporary, 'logo.svg'), '<svg/>');
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  }

  async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
    const request = httpGet({
      port: server.port!,
      host: '127.0.0.1',
      path,
      headers,
      method,
      agent: false,
    });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
  }

  const outside = [
    ['/outside.js', 404],
    ['/secret.key', 404],
    [`/${SCRIPT}.br`, 404],
    ['/__proto__.js', 404],
    ['/../outside.js', 401],
    ['/..%2foutside.js', 401],
    ['/%2e%2e/outside.js', 401],
    ['/x/../../outside.js', 401],
    ['//index.html', 401],
    ['/..', 401],
    ['/index.html%00.js', 401],
    ['/.', 401],
  ] as const;
  for (const [path, status] of outside) {
    it(`${path} is no file of it`, async () => {
      assert.equal((await ask(path)).status, status);
    });
  }

  it('needs no login: it asks for one itself', async () => {
    for (const path of ['/', '/index.html', '/?lang=zh']) {
      const { status, headers, body } = await ask(path);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/html; charset=utf-8');
      assert.equal(String(body), '<title>one</title>');
      assert.equal(headers['cache-control'], 'no-cache');
    }
    assert.equal((await ask('/', {}, 'POST')).status, 405);
  });

  it('lets nothing in from elsewhere, and itself nowhere in', async () => {
    const { headers } = await ask('/', { host: 'box.local:8080' });
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.match(policy, /connect-src 'self' ws:\/\/box.local:8080 wss:\/\/box.local:8080;/);
    assert.match(policy, /frame-ancestors 'none'; base-uri 'none'; form-action 'none'$/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    const forged = await ask('/', { host: "x; script-src 'unsafe-inline'" });
    assert.doesNotMatch(String(forged.headers['content-security-policy']), /unsafe/);
  });

  const forms = [
    ['br, gzip', 'br'],
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['GZIP;Q=0.5', 'gzip'],
    ['br;q=0, gzip;q=0.1', 'gzip'],
    ['br;q=0, *', 'gzip'],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['br; q=0.000, gzip; q=0', undefined],
    ['identity', undefined],
    ['', undefined],
    ['br;q=x', undefined],
  ] as const;
  for (const [accepted, coding] of forms) {
    it(`Accept-Encoding: "${accepted}" is answered with ${coding ?? 'the plain file'}`, async () => {
      const { headers, body } = await ask(`/${SCRIPT}`, { 'accept-encoding': accepted });
      assert.equal(headers['content-encoding'], coding);
      assert.equal(Number(headers['content-length']), body.length);
      assert.equal(headers.vary, 'accept-encoding');
      const decode = { br: brotliDecompressSync, gzip: gunzipSync, plain: (b: Buffer) => b };
      assert.match(String(decode[coding ?? 'plain'](body)), /^console\.log/);
    });
  }

  it('HEAD: the same head, nothing else', async () => {
    const asked = { 'accept-encoding': 'br' };
    const [got, head] = [await ask(`/${SCRIPT}`, asked), await ask(`/${SCRIPT}`, asked, 'HEAD')];
    assert.equal(head.body.length, 0);
    assert.equal(head.headers['content-length'], got.headers['content-length']);
    assert.equal(head.headers.etag, got.headers.etag);
  });

  it('a name with a digest is kept for ever; others are asked for again', async () => {
    const script = await ask(`/${SCRIPT}`);
    assert.match(script.headers['cache-control'] ?? '', /max-age=31536000, immutable/);
    const index = await ask('/', { 'accept-encoding': 'gzip' });
    const etag = String(index.headers.etag);
    const known = { 'accept-encoding': 'gzip', 'if-none-match': `"other", ${etag}` };
    const again = await ask('/', known);
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
    assert.match(String(again.headers['content-security-policy']), /default-src 'none'/);
    const otherForm = await ask('/', { 'if-none-match': etag });
    assert.equal(otherForm.status, 200);
    // Same size and, in an image of a container, same time: it is another all the same.
    await fill('<title>two</title>');
    const updated = await ask('/', known);
    assert.equal(updated.status, 200);
    assert.match(String(gunzipSync(updated.body)), /two/);
  });

  it('config.json says whose page it is', async () => {
    const { status, body, headers } = await ask('/config.json');
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(String(body)), CONFIG);
    assert.equal(headers['cache-control'], 'no-store');
  });

  it('a folder that could not be read whole once is read again', async () => {
    const leftOver = join(folder, 'gone.js');
    await symlink('/nowhere', leftOver);
    assert.equal((await ask('/')).status, 500);
    lines.length = 0;
    await rm(leftOver);
    assert.equal((await ask('/')).status, 200);
  });

  it('where it was not built it says what to do', async () => {
    await rm(folder, { recursive: true });
    const { status, body } = await ask('/');
    assert.equal(status, 404);
    assert.match(String(body), /"no-page".*npm run build/);
    assert.equal((await ask('/config.json')).status, 200);
    await fill('<title>one</title>');
    assert.equal((await ask('/')).status, 200);
    assert.deepEqual(
      lines.filter(({ msg }) => msg === 'HTTP request failed'),
      [],
    );
  });
});
