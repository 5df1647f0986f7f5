import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apartWords } from '../../../gateway/adoption/apart.ts';

test('a camera on another network (python-onvif#7, tiscamera#38): heard, not reached, with what to do', () => {
  // No machine has these (RFC 1112 §4: reserved).
  assert.match(apartWords(['240.0.0.64']) ?? '', /^240\.0\.0\.64 is on none .* give the camera/);
  assert.match(apartWords(['240.0.0.64', '240.0.1.1']) ?? '', /^240\.0\.0\.64/);
});

test('one that can be reached, or whose address is not known', () => {
  assert.equal(apartWords(['240.0.0.64', '127.0.0.1']), undefined);
  assert.equal(apartWords(['240.0.0.64', 'fe80::1']), undefined);
  assert.equal(apartWords([]), undefined);
});

test('one behind a router, that answered what was sent to it alone', () => {
  assert.equal(apartWords(['240.0.0.64'], true), undefined);
});
