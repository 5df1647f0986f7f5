import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changesBetween } from '../../../../../gateway/http/dashboard/settings/changes.ts';
import type { JsonMap } from '../../../../../gateway/http/dashboard/settings/json.ts';

function lines(from: JsonMap, to: JsonMap): string[] {
  return changesBetween(from, to).map(
    ({ path, kind, before = '', after = '', isSecret }) =>
      `${path} ${kind} [${before}] [${after}]${isSecret ? ' secret' : ''}`,
  );
}

describe('what changes', () => {
  it('is told key by key', () => {
    const from = { log: { level: 'info' }, mqtt: { url: 'mqtt://a' } };
    const to = { log: { level: 'debug' }, mqtt: {}, discovery: { onvif: false } };
    assert.deepEqual(lines(from, to), [
      'log.level changed [info] [debug]',
      'mqtt.url removed [mqtt://a] []',
      'discovery added [] [onvif: false]',
    ]);
  });

  it('never shows a secret', () => {
    const from = {
      mqtt: { password: '***a', url: 'mqtt://u:old-secret@h' },
      streams: { door: { source: 'rtsp://u:p@ss-word@h/1?password=hunter2&x=1' } },
    };
    const to = {
      mqtt: { password: 'planted-secret', url: 'mqtt://u:planted-secret@h' },
      acceptors: [{ protocol: 'rtmp', publish: { token: 'planted-secret' } }],
      discovery: { credentials: [{ username: 'a', password: 'planted-secret' }] },
      streams: { door: { source: 'rtsp://h/1' }, gate: { nested: { password: 'planted-secret' } } },
      extra: { password: 'planted-secret', token: 'planted-secret', username: 'me' },
    };
    const text = lines(from, to).join('\n');
    assert.doesNotMatch(text, /planted|old-secret|ss-word|hunter2/);
    assert.match(text, /mqtt.password changed \[\] \[\] secret/);
    assert.match(text, /extra added \[\] \[username: me\]/);
  });

  it('says which items of a list come and go', () => {
    const a = { protocol: 'rtmp', listen: ':1' };
    const b = { protocol: 'rtsp', listen: ':2' };
    const c = { protocol: 'rtmps', listen: ':3' };
    assert.deepEqual(lines({ acceptors: [a, b, c] }, { acceptors: [a, c] }), [
      'acceptors[1] removed [protocol: rtsp, listen: :2] []',
    ]);
    assert.deepEqual(lines({ acceptors: [a, c] }, { acceptors: [b, a, c] }), [
      'acceptors[0] added [] [protocol: rtsp, listen: :2]',
    ]);
    assert.deepEqual(lines({ acceptors: [a, b] }, { acceptors: [a, { ...b, listen: ':9' }] }), [
      'acceptors[1].listen changed [:2] [:9]',
    ]);
    assert.deepEqual(lines({ hosts: ['a', 'a'] }, { hosts: ['a'] }), ['hosts[1] removed [a] []']);
  });

  it('says nothing where nothing changes', () => {
    const same = { a: [1, { b: null }], constructor: {} };
    assert.deepEqual(lines(same, structuredClone(same)), []);
  });

  it('does not fill the page', () => {
    const [change] = changesBetween({}, { name: 'x'.repeat(10_000) });
    assert.equal(change?.after?.length, 80);
  });
});
