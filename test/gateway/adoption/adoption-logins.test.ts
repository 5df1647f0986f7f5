import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { AdoptionLogins } from '../../../gateway/adoption/adoption-logins.ts';
import { AdoptionState } from '../../../gateway/adoption/adoption-state.ts';

const login = (password: string) => ({ username: 'admin', password });
const A = login('pw-of-a');
const B = login('pw-of-b');
const C = login('pw-of-c');
const DEVICE = { id: 'cam', addresses: [], serial: 'AC0042' };
const NOW = Date.parse('2026-05-01T12:00:00Z');

function setUp(t: TestContext) {
  const dataDir = mkdtempSync(join(tmpdir(), 'sluice-logins-'));
  t.after(() => rmSync(dataDir, { recursive: true }));
  /** A life of the gateway, with this list. */
  return async (list: readonly ReturnType<typeof login>[], own?: typeof A) => {
    const log = pino({ level: 'silent' });
    const state = new AdoptionState({ dataDir, log, now: () => NOW });
    const record = state.find(DEVICE) ?? state.add(DEVICE);
    const logins = new AdoptionLogins([...list], state, () => NOW);
    const chooser = logins.open(record, { own, record: () => record });
    const file = async () => {
      await state.written();
      return readFileSync(join(dataDir, 'adopted.json'), 'utf8');
    };
    return { chooser, file };
  };
}

test('refusals count on over restarts, each against its own; no password is in the file', async (t) => {
  const life = setUp(t);
  const first = await life([A, B, C]);
  const [a, b] = first.chooser.candidates;
  first.chooser.refused(a);
  first.chooser.refused(b, 'rtsp');
  const text = await first.file();
  for (const { password } of [A, B, C]) assert.ok(!text.includes(password));
  const second = await life([A, B, C]);
  assert.equal(second.chooser.next()?.password, B.password);
  assert.equal(second.chooser.next('rtsp')?.password, A.password);
  assert.equal(second.chooser.refused(second.chooser.next()), false, 'the third');
  await second.file();
  const third = await life([A, B, C]);
  assert.throws(
    () => third.chooser.next(),
    /refused 3 times; not trying again before 2026-05-01T12:10/,
  );
  await third.file();
  const fourth = await life([A, C]);
  assert.equal(fourth.chooser.next()?.password, A.password, 'another list: all of them anew');
  assert.equal((await life([A, B, C], C)).chooser.next(), C);
});

test('what worked is tried first in the next life', async (t) => {
  const life = setUp(t);
  const first = await life([A, B, C]);
  first.chooser.worked(first.chooser.candidates[2]);
  await first.file();
  const { chooser } = await life([A, B, C]);
  assert.equal(chooser.next(), chooser.candidates[2]);
  assert.equal(chooser.next('rtsp'), chooser.candidates[2]);
});

test('what is tried on every device is secretive; what was given for one is sent as it asks', async (t) => {
  const { chooser } = await setUp(t)([A], B);
  const [own, tried] = chooser.candidates;
  assert.deepEqual([own?.password, own?.isSecretive], [B.password, undefined]);
  assert.deepEqual([tried?.password, tried?.isSecretive], [A.password, true]);
});
