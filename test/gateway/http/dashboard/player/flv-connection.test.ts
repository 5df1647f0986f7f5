import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { flvFileHeader } from '../../../../../codecs/flv/tag.ts';
import { readFlv } from '../../../../../gateway/http/dashboard/player/flv-connection.ts';
import { PlayFailure } from '../../../../../gateway/http/dashboard/player/play-failure.ts';

const NEVER = new AbortController().signal;
const URL = 'http://box/live/cam.flv';
/** Script data with one byte. */
const TAG = Uint8Array.of(18, 0, 0, 1, 0, 0, 40, 0, 0, 0, 0, 5, 0, 0, 0, 12);

function answering(response: Response | Error): typeof fetch {
  return () => (response instanceof Error ? Promise.reject(response) : Promise.resolve(response));
}

async function outcome(answer: Response | Error, drained = () => Promise.resolve()) {
  const tags: number[] = [];
  const onTag = (_: number, timestampMs: number) => {
    tags.push(timestampMs);
    return false;
  };
  const error: unknown = await readFlv(URL, onTag, NEVER, {
    fetch: answering(answer),
    drained,
  }).catch((reason: unknown) => reason);
  return { tags, error };
}

function stream(...chunks: Uint8Array[]): Response {
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    }),
  );
}

function refused(status: number, body: string): Response {
  return new Response(body, { status });
}

describe('pictures by HTTP', () => {
  test('tags, and the end', async () => {
    const { tags, error } = await outcome(stream(flvFileHeader(true, true), TAG, TAG));
    assert.deepEqual(tags, [40, 40]);
    assert.ok(error instanceof PlayFailure);
    assert.equal(error.code, 'ended');
  });

  const failures: [string, Response | Error, string, string][] = [
    ['nobody answers', new TypeError('Failed to fetch'), 'unreachable', 'Failed to fetch'],
    ['no login', refused(401, '{}'), 'login', ''],
    ['a login that may not', refused(403, ''), 'login', ''],
    [
      'no such stream',
      refused(404, '{"error":{"message":"there is no stream of that name"}}'),
      'gone',
      'there is no stream of that name',
    ],
    ['words of ours', refused(503, '{"error":{"message":"no source"}}'), 'refused', 'no source'],
    ['words of a proxy', refused(502, '<html>'), 'refused', 'HTTP 502'],
    ['JSON of somebody else', refused(500, 'null'), 'refused', 'HTTP 500'],
  ];
  for (const [name, answer, code, detail] of failures) {
    test(`${name}: ${code}`, async () => {
      const { error } = await outcome(answer);
      assert.ok(error instanceof PlayFailure, String(error));
      assert.deepEqual([error.code, error.message], [code, detail]);
    });
  }

  test('what is no FLV is an error', async () => {
    const { error } = await outcome(stream(new Uint8Array(64)));
    assert.match(String(error), /a FLV stream begins with "FLV"/);
  });

  test('it reads no faster than what it read is used', async () => {
    let allowed = 0;
    const waits: (() => void)[] = [];
    const drained = () => {
      allowed += 1;
      return new Promise<void>((resolve) => waits.push(resolve));
    };
    const done = outcome(stream(flvFileHeader(true, true), TAG, TAG), drained);
    for (let chunk = 1; chunk <= 3; chunk += 1) {
      while (waits.length === 0) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(allowed, chunk);
      waits.shift()?.();
    }
    assert.deepEqual((await done).tags, [40, 40]);
  });

  test('silence ends it', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const silent: typeof fetch = (_, init) =>
      new Promise((__, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const reading = readFlv(URL, () => false, NEVER, { fetch: silent, drained: async () => {} });
    context.mock.timers.tick(10_000);
    await assert.rejects(reading, { code: 'silent' });
  });

  test('whoever leaves ends it, with their reason', async () => {
    const controller = new AbortController();
    const endless = new Response(new ReadableStream());
    const reading = readFlv(URL, () => false, controller.signal, {
      fetch: (_, init) => {
        init?.signal?.addEventListener('abort', () => void endless.body?.cancel().catch(() => {}));
        return Promise.resolve(endless);
      },
      drained: async () => {},
    });
    controller.abort(new Error('gone elsewhere'));
    await assert.rejects(reading, /gone elsewhere/);
  });
});
