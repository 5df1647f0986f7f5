import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type HeadPosition, VirtualHead } from '../../../gateway/demo/virtual-head.ts';

describe('the virtual head', () => {
  test('moves at a speed until it is told to stop', () => {
    const head = new VirtualHead();
    head.move({ pan: 1, tilt: -0.5, zoom: 0 }, 10_000);
    pass(head, 1000);
    assertAt(head, { pan: 0.25, tilt: -0.25, zoom: 0 });
    assert.equal(head.isMoving, true);
    head.stop();
    pass(head, 1000);
    assertAt(head, { pan: 0.25, tilt: -0.25, zoom: 0 });
    assert.equal(head.isMoving, false);
  });

  test('stops by itself when its time is up', () => {
    const head = new VirtualHead();
    head.move({ pan: 1, tilt: 0, zoom: 0 }, 400);
    pass(head, 2000);
    assertAt(head, { pan: 0.1, tilt: 0, zoom: 0 });
    assert.equal(head.isMoving, false);
  });

  test('ends at the ends of its range', () => {
    const head = new VirtualHead();
    head.move({ pan: -1, tilt: 1, zoom: -1 }, 60_000);
    pass(head, 20_000);
    assertAt(head, { pan: -1, tilt: 1, zoom: 0 });
    head.goTo({ pan: 5, tilt: -5, zoom: 5 });
    pass(head, 20_000);
    assertAt(head, { pan: 1, tilt: -1, zoom: 1 });
  });

  test('goes to a position, not past it, and by a way', () => {
    const head = new VirtualHead();
    head.goTo({ pan: 0.123 });
    pass(head, 5000);
    assert.deepEqual(head.position, { pan: 0.123, tilt: 0, zoom: 0 });
    head.goBy({ pan: -0.023, tilt: 0.5, zoom: 0.25 });
    pass(head, 5000);
    assertAt(head, { pan: 0.1, tilt: 0.5, zoom: 0.25 });
    assert.equal(head.isMoving, false);
  });

  test('goes home, wherever that was set', () => {
    const head = new VirtualHead();
    head.goTo({ pan: 0.5 });
    pass(head, 5000);
    head.goHome();
    pass(head, 5000);
    assertAt(head, { pan: 0, tilt: 0, zoom: 0 });
    head.goTo({ tilt: 0.5 });
    pass(head, 5000);
    head.setHome();
    head.goTo({ tilt: 0 });
    pass(head, 5000);
    head.goHome();
    pass(head, 5000);
    assertAt(head, { pan: 0, tilt: 0.5, zoom: 0 });
  });

  test('keeps presets: new ones, changed ones, none that are gone', () => {
    const head = new VirtualHead();
    head.goTo({ pan: 0.25 });
    pass(head, 5000);
    const token = head.setPreset({ name: 'here' });
    assert.equal(token, '4');
    head.goHome();
    pass(head, 5000);
    assert.equal(head.goToPreset('4'), true);
    pass(head, 5000);
    assertAt(head, { pan: 0.25, tilt: 0, zoom: 0 });
    assert.equal(head.setPreset({ token: '4' }), '4');
    assert.equal([...head.presets].find((preset) => preset.token === '4')?.name, 'here');
    assert.equal(head.removePreset('4'), true);
    assert.equal(head.removePreset('4'), false);
    assert.equal(head.goToPreset('4'), false);
    assert.equal(head.setPreset({ token: '4' }), undefined);
  });

  test('has room for 32 of them', () => {
    const head = new VirtualHead();
    const tokens = Array.from({ length: 40 }, () => head.setPreset({}));
    assert.equal(tokens.filter((token) => token !== undefined).length, 29);
    assert.equal([...head.presets].length, 32);
  });
});

/** 25 steps a second, the clock beginning at 0. */
function pass(head: VirtualHead, ms: number): void {
  for (let at = 40; at <= ms; at += 40) head.step(40, at);
}

function assertAt(head: VirtualHead, wanted: HeadPosition): void {
  for (const axis of ['pan', 'tilt', 'zoom'] as const) {
    const difference = Math.abs(head.position[axis] - wanted[axis]);
    assert.ok(difference < 0.001, `${axis} is ${head.position[axis]}, not ${wanted[axis]}`);
  }
}
