import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { recallEvents } from '../../../../gateway/http/dashboard/recall-events.ts';

const EVENT = { at: '2026-11-25T12:00:00.000Z', type: 'down', message: 'It is gone.' };

async function recalled(answer: () => Promise<Response>): Promise<string[]> {
  const fetched = mock.method(globalThis, 'fetch', answer);
  const heard: string[] = [];
  try {
    await recallEvents((payload) => heard.push(new TextDecoder().decode(payload)));
  } finally {
    fetched.mock.restore();
  }
  assert.equal(Array.from<unknown>(fetched.mock.calls[0]?.arguments ?? [])[0], './api/v1/events');
  return heard;
}

describe('the last events', () => {
  it('cannot be had: nothing is missed', async () => {
    const answers = [
      async () => Promise.reject(new TypeError('Failed to fetch')),
      async () => Response.json({ error: { code: 'login-needed' } }, { status: 401 }),
      async () => new Response('<html>a proxy</html>'),
      async () => Response.json(null),
    ];
    for (const answer of answers) assert.deepEqual(await recalled(answer), []);
  });

  it('are taken as if they had been told, the oldest first', async () => {
    const later = { ...EVENT, at: '2026-11-25T12:00:01.000Z' };
    const heard = await recalled(async () => Response.json([EVENT, later]));
    assert.deepEqual(heard, [JSON.stringify(EVENT), JSON.stringify(later)]);
  });
});
