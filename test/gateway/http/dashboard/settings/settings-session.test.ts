import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CommandFailure } from '../../../../../gateway/http/dashboard/model.ts';
import { SettingsSession } from '../../../../../gateway/http/dashboard/settings/settings-session.ts';

type Reply = unknown | CommandFailure;

/** A gateway that answers in turn; what it was asked is kept. */
function gatewayWith(...replies: readonly Reply[]) {
  const asked: unknown[] = [];
  const waiting = [...replies];
  const session = new SettingsSession(async (verb, args) => {
    asked.push([verb, args]);
    const reply = waiting.shift();
    if (reply instanceof CommandFailure) throw reply;
    return reply;
  });
  return { session, asked };
}

const CONFIG = { log: { level: 'info' }, mqtt: { url: 'mqtt://a', password: '***1' } };

describe('editing the settings of a gateway', () => {
  it('sends only what changed, with the revision it was made from', async () => {
    const { session, asked } = gatewayWith(
      { config: CONFIG, revision: 'r1', restartNeeded: [] },
      { revision: 'r2', applied: ['log.level'], restartNeeded: ['http.listen'] },
      {
        config: { ...CONFIG, log: { level: 'debug' } },
        revision: 'r2',
        restartNeeded: ['http.listen'],
      },
    );
    await session.load();
    session.edit({ ...CONFIG, log: { level: 'debug' } });
    assert.equal(session.changes.length, 1);
    assert.deepEqual(await session.save(), {
      at: 'saved',
      applied: ['log.level'],
      restartNeeded: ['http.listen'],
    });
    assert.deepEqual(asked[1], [
      'config/set',
      { patch: { log: { level: 'debug' } }, revision: 'r1' },
    ]);
    assert.deepEqual(session.changes, []);
    assert.deepEqual(session.restartNeeded.value, ['http.listen']);
  });

  it('puts the changes on top of what somebody else has saved meanwhile', async () => {
    const theirs = { log: { level: 'warn' }, mqtt: { url: 'mqtt://theirs', password: '***1' } };
    const { session } = gatewayWith(
      { config: CONFIG, revision: 'r1' },
      new CommandFailure('conflict', 'the configuration is another now'),
      { config: theirs, revision: 'r2' },
    );
    await session.load();
    session.edit({ ...CONFIG, log: { level: 'debug' } });
    const epoch = session.epoch.value;
    assert.deepEqual(await session.save(), { at: 'conflict' });
    assert.deepEqual(session.draft.value, { ...theirs, log: { level: 'debug' } });
    assert.deepEqual(session.base.value, theirs);
    assert.notEqual(session.epoch.value, epoch);
  });

  it('keeps what is being edited when it is loaded once more', async () => {
    const theirs = { ...CONFIG, streams: { porch: { source: 'rtsp://10.0.0.20/1' } } };
    const { session } = gatewayWith(
      { config: CONFIG, revision: 'r1' },
      { config: theirs, revision: 'r2' },
    );
    await session.load();
    session.edit({ ...CONFIG, log: { level: 'debug' } });
    await session.load();
    assert.deepEqual(session.draft.value, { ...theirs, log: { level: 'debug' } });
    assert.deepEqual(
      session.changes.map(({ path }) => path),
      ['log.level'],
    );
  });

  it('keeps what is edited while it is being saved; a secret that was saved is no edit any more', async () => {
    const masked = { log: { level: 'info' }, mqtt: { url: 'mqtt://a', password: '***2' } };
    const { session } = gatewayWith(
      { config: CONFIG, revision: 'r1' },
      { revision: 'r2', applied: ['mqtt.password'], restartNeeded: [] },
      { config: masked, revision: 'r2' },
    );
    await session.load();
    const sent = { ...CONFIG, mqtt: { url: 'mqtt://a', password: 'typed' } };
    session.edit(sent);
    const saved = session.save();
    session.edit({ ...sent, log: { level: 'debug' } });
    await saved;
    assert.deepEqual(session.draft.value, { ...masked, log: { level: 'debug' } });
  });

  it('saved is saved, though what it is now could not be asked', async () => {
    const { session } = gatewayWith(
      { config: CONFIG, revision: 'r1' },
      { revision: 'r2', applied: [], restartNeeded: [] },
      new CommandFailure('timeout', 'no answer'),
    );
    await session.load();
    session.edit({ ...CONFIG, log: { level: 'debug' } });
    await assert.rejects(session.save(), { code: 'timeout' });
    assert.deepEqual(session.changes, []);
  });

  it('keeps the draft where the gateway does not take it, and says where', async () => {
    const message = 'streams.door.source: expected a URL, got "x"';
    const { session } = gatewayWith(
      { config: CONFIG, revision: 'r1' },
      new CommandFailure('invalid', message),
    );
    await session.load();
    const draft = { ...CONFIG, streams: { door: { source: 'x' } } };
    session.edit(draft);
    assert.deepEqual(await session.save(), { at: 'invalid', path: 'streams.door.source', message });
    assert.deepEqual(session.draft.value, draft);
  });

  it('hands on every other failure, and a reply that is none', async () => {
    const { session } = gatewayWith(
      { config: 7 },
      { config: CONFIG, revision: 'r1' },
      new CommandFailure('timeout', 'no answer'),
    );
    await assert.rejects(session.load(), /expected a configuration/);
    await session.load();
    session.edit({});
    await assert.rejects(session.save(), { code: 'timeout' });
    assert.deepEqual(session.draft.value, {});
    session.discard();
    assert.deepEqual(session.draft.value, CONFIG);
  });
});
