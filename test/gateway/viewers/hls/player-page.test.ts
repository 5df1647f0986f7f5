import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Script } from 'node:vm';
import { HttpServer } from '../../../../gateway/http/http-server.ts';
import { playerPageRoute } from '../../../../gateway/viewers/hls/player-page.ts';
import { PLAYER_SCRIPT } from '../../../../gateway/viewers/hls/player-script.ts';
import { collectingLog } from '../../../support/reporting.ts';

const server = new HttpServer({
  listen: '127.0.0.1:0',
  limits: { viewers: 100, viewersPerAddress: 100 },
  admin: undefined,
  play: undefined,
  cors: [],
  routes: [playerPageRoute],
  log: collectingLog().log,
});

before(() => server.start());
after(() => server.stop());

const page = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);

test('the script is one that can be read', () => {
  new Script(PLAYER_SCRIPT);
  assert.doesNotMatch(PLAYER_SCRIPT, /<\/script/i);
});

test('the page runs its own script and style and nothing else', async () => {
  const response = await page('/live/cam');
  const text = await response.text();
  const policy = response.headers.get('content-security-policy') ?? '';
  for (const [tag, directive] of [
    ['script', 'script-src'],
    ['style', 'style-src'],
  ] as const) {
    const [, content = ''] = new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(text) ?? [];
    const hash = createHash('sha256').update(content).digest('base64');
    assert.ok(policy.includes(`${directive} 'sha256-${hash}'`));
  }
  assert.match(policy, /^default-src 'none';/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.doesNotMatch(text, /(?:src|href)=/);
});

test('other paths below /live are not the page', async () => {
  for (const path of ['/live/', '/live/cam.flv', '/live/cam/x', '/live/cam/index.m3u8']) {
    assert.equal((await page(path)).status, 404, path);
  }
  assert.equal((await page('/live/Front%20Door/')).status, 200);
});
