/** What the API answers is what OpenAPI says. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HttpServer } from '../../../gateway/http/http-server.ts';
import { Board } from '../../../gateway/report/board.ts';
import { apiOf } from '../../support/api.ts';
import { PayloadSchemas } from '../../support/payload-schemas.ts';
import { collectingLog, publishStatus, streamStatus } from '../../support/reporting.ts';

const AT = '2026-05-01T12:00:00.000Z';

describe('the API', () => {
  const board = new Board();
  const server = new HttpServer({
    ...{ listen: '127.0.0.1:0', admin: undefined, play: undefined, cors: [] },
    limits: { viewers: 1, viewersPerAddress: 1 },
    routes: apiOf(board),
    log: collectingLog().log,
  });
  let schemas: PayloadSchemas;

  before(async () => {
    schemas = await PayloadSchemas.read();
    await server.start();
    board.setStreamStatus('front', streamStatus());
    board.setStreamInfo('front', { source: 'rtsp://10.0.0.2/', tracks: [] });
    board.setStreamStatus('bare', streamStatus({ state: 'connecting', code: 'starting' }));
    board.setPublish('front', 'master', publishStatus(), 'status');
    board.setFound({
      ...{ id: 'cam-1', via: ['mdns'], addresses: ['10.0.0.2'], lastSeenAt: AT },
      ...{ code: 'undecided', reason: 'Nobody has decided.' },
    });
    const serial = { name: 'mast', path: '/dev/ttyUSB0', state: 'open', since: AT } as const;
    board.setSerial({ ...serial, code: 'ok', reason: '' });
    for (let n = 0; n < 250; n += 1) {
      board.emit('event', { at: AT, type: 'test', message: `event ${n}` });
    }
  });
  after(() => server.stop());

  /** Checked against OpenAPI, at the path that is described there. */
  async function get(path: string, described = path): Promise<{ code: number; body: unknown }> {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    const body: unknown = await response.json();
    assert.equal(schemas.httpAnswer('get', described, response.status, body), undefined, path);
    return { code: response.status, body };
  }

  const counts = {
    ...{ streams: 2, publish: 1, devices: 1, recordings: 0, serial: 1, position: 0 },
  };
  for (const [name, count] of Object.entries(counts)) {
    it(`${name}: an array`, async () => {
      const { code, body } = await get(`/api/v1/${name}`);
      assert.equal(code, 200);
      assert.equal((body as unknown[]).length, count);
    });
  }

  it('info and health: one object each', async () => {
    const info = (await get('/api/v1/info')).body as { id: string; streams: string[] };
    assert.equal(info.id, 'box');
    assert.deepEqual(info.streams, ['bare', 'front']);
    assert.equal(((await get('/api/v1/health')).body as { streamsTotal: number }).streamsTotal, 2);
  });

  it('one stream, or none of that name', async () => {
    const { body } = await get('/api/v1/streams/front', '/api/v1/streams/{name}');
    assert.equal((body as { name: string }).name, 'front');
    const none = await get('/api/v1/streams/nobody', '/api/v1/streams/{name}');
    assert.equal(none.code, 404);
  });

  it('the last events, the oldest first, and no more than are kept', async () => {
    const events = (await get('/api/v1/events')).body as { message: string }[];
    assert.equal(events.length, 100);
    assert.deepEqual([events[0]?.message, events.at(-1)?.message], ['event 150', 'event 249']);
  });

  it('its own description', async () => {
    const { body } = await get('/api/v1/openapi.json');
    assert.deepEqual(body, schemas.document);
  });

  it('the configuration, where the verb is there', async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/api/v1/config`);
    assert.ok([200, 404].includes(response.status));
  });
});
