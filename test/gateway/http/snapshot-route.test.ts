import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { AuthenticationError, ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import { HttpServer } from '../../../gateway/http/http-server.ts';
import { snapshotRoute } from '../../../gateway/http/snapshot-route.ts';
import { collectingLog } from '../../support/reporting.ts';

const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 1, 2);

describe('snapshots over HTTP', () => {
  let take: (name: string) => Promise<Uint8Array> | undefined = () => undefined;
  const server = new HttpServer({
    listen: '127.0.0.1:0',
    limits: { viewers: 10, viewersPerAddress: 10 },
    admin: undefined,
    play: undefined,
    cors: [],
    routes: [snapshotRoute((name) => take(name))],
    log: collectingLog().log,
  });
  before(() => server.start());
  after(() => server.stop());

  async function ask(path: string, method = 'GET') {
    const request = get({ port: server.port!, host: '127.0.0.1', path, method });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { response, body: Buffer.concat(chunks) };
  }

  it('is the camera’s, not to be kept', async () => {
    const names: string[] = [];
    take = async (name) => {
      names.push(name);
      return JPEG;
    };
    const { response, body } = await ask('/live/Front%20Door.jpg');
    assert.equal(response.headers['content-type'], 'image/jpeg');
    assert.equal(response.headers['cache-control'], 'no-store');
    assert.deepEqual(new Uint8Array(body), JPEG);
    const head = await ask('/live/cam.jpg', 'HEAD');
    assert.equal(head.response.headers['content-length'], '5');
    assert.equal(head.body.length, 0);
    assert.deepEqual(names, ['front-door', 'cam']);
  });

  const failures = [
    ['no snapshot configured', undefined, 404, /streams\.<name>\.snapshot is not set/],
    ['a camera that has none', new UnsupportedError('none'), 404, /"no-snapshot"/],
    [
      'a URL that leads nowhere',
      new ProtocolError('HTTP_STATUS', '404', 404),
      404,
      /"no-snapshot"/,
    ],
    [
      'a refused login',
      new AuthenticationError('wrong', true),
      502,
      /"auth".*The camera cam refused/,
    ],
    [
      'a camera that is off',
      Object.assign(new Error('x'), { code: 'EHOSTUNREACH' }),
      502,
      /"network"/,
    ],
  ] as const;
  for (const [name, error, status, words] of failures) {
    it(`${name}: ${status}, in words`, async () => {
      take = () => (error === undefined ? undefined : Promise.reject(error));
      const { response, body } = await ask('/live/cam.jpg');
      assert.equal(response.statusCode, status);
      assert.match(body.toString(), words);
    });
  }
});
