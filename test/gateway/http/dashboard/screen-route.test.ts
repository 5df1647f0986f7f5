import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseScreenRoute } from '../../../../gateway/http/dashboard/screen-route.ts';

const routes: [string, object | undefined][] = [
  ['', undefined],
  ['#/fleet', { screen: 'fleet' }],
  ['#/wall', { screen: 'wall', gateway: undefined }],
  ['#/wall/box', { screen: 'wall', gateway: 'box' }],
  ['#/wall/<b>', { screen: 'wall', gateway: undefined }],
  ['#/camera/box/front-door', { screen: 'camera', gateway: 'box', stream: 'front-door' }],
  ['#/camera/box', undefined],
  ['#/camera/box/..%2f', undefined],
  ['#/constructor/box', undefined],
];
for (const [hash, want] of routes) {
  it(`the address ${hash}`, () => assert.deepEqual(parseScreenRoute(hash), want));
}
