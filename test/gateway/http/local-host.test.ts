import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLocalHost } from '../../../gateway/http/local-host.ts';

test('names of this machine', () => {
  for (const host of ['localhost', '127.0.0.1:80', '[::1]', '[::1]:8080', 'LOCALHOST']) {
    assert.ok(isLocalHost(host), host);
  }
  for (const host of [undefined, '', 'a.example', '127.0.0.1.a.example', '[::2]', 'localhost:x']) {
    assert.ok(!isLocalHost(host), host);
  }
});
