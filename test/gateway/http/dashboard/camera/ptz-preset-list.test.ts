import assert from 'node:assert/strict';
import { test } from 'node:test';
import { presetsIn } from '../../../../../gateway/http/dashboard/camera/ptz-preset-list.ts';

test('presets of a reply; what is none is left out', () => {
  const presets = [{ token: '1', name: 'gate' }, { token: '2' }, { name: 'x' }, null, 7];
  assert.deepEqual(presetsIn({ presets }), [
    { token: '1', name: 'gate' },
    { token: '2', name: '2' },
  ]);
  for (const reply of [undefined, null, 7, {}, { presets: 'x' }]) {
    assert.deepEqual(presetsIn(reply), []);
  }
});
