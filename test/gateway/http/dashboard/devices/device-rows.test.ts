import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  adoptArguments,
  readAdoptReply,
} from '../../../../../gateway/http/dashboard/devices/adopt-arguments.ts';
import { standingOf, titleOf } from '../../../../../gateway/http/dashboard/devices/device-rows.ts';
import type { FoundDevice } from '../../../../../gateway/report/status.ts';

function device(more: Partial<FoundDevice>): FoundDevice {
  return {
    id: 'uuid-1',
    via: ['ws-discovery'],
    addresses: ['10.0.0.20'],
    code: 'undecided',
    reason: 'waits',
    lastSeenAt: '2026-11-25T12:00:00.000Z',
    ...more,
  };
}

describe('found devices as they are shown', () => {
  it('wait, are adopted, are ignored, or need attention', () => {
    assert.equal(standingOf(device({})), 'waiting');
    assert.equal(standingOf(device({ code: 'auth' })), 'troubled');
    assert.equal(standingOf(device({ code: 'no-credentials' })), 'troubled');
    assert.equal(standingOf(device({ code: 'ok', adoptedAs: 'dome' })), 'adopted');
    assert.equal(standingOf(device({ code: 'ignored' })), 'ignored');
  });

  it('are called by make and model, else by their id', () => {
    assert.equal(titleOf(device({ manufacturer: 'Acme', model: 'Dome' })), 'Acme Dome');
    assert.equal(titleOf(device({ model: 'Dome' })), 'Dome');
    assert.equal(titleOf(device({ manufacturer: '' })), 'uuid-1');
  });
});

describe('adopting', () => {
  const nothing = { name: '', username: '', password: '', profile: '' };

  it('sends what was typed, and nothing else', () => {
    assert.deepEqual(adoptArguments('uuid-1', nothing), { device: 'uuid-1' });
    const all = { name: 'dome', username: 'admin', password: 'p', profile: 'sub' };
    assert.deepEqual(adoptArguments('uuid-1', all), { device: 'uuid-1', ...all });
  });

  it('says what is wrong before it asks', () => {
    assert.equal(adoptArguments('uuid-1', { ...nothing, name: 'My Dome' }), 'nameWrong');
    assert.equal(adoptArguments('uuid-1', { ...nothing, password: 'p' }), 'passwordAlone');
  });

  it('reads what became of it', () => {
    assert.deepEqual(readAdoptReply({ adoptedAs: 'dome', code: 'ok', reason: 'fine', id: 1 }), {
      adoptedAs: 'dome',
      code: 'ok',
      reason: 'fine',
    });
    for (const bad of [null, 7, {}, { adoptedAs: 7 }]) {
      assert.throws(() => readAdoptReply(bad), /name of the stream/);
    }
  });
});
