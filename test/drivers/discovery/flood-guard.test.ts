import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FloodGuard } from '../../../drivers/discovery/flood-guard.ts';

function setUp() {
  const clock = { nowMs: 0, workedMs: 0 };
  const guard = new FloodGuard(
    () => clock.nowMs,
    () => clock.workedMs,
  );
  const admitted = (count: number, sender: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => guard.admit(sender(i))).filter(Boolean).length;
  return { clock, guard, admitted };
}

test('one sender cannot have all: 64 a second, and others are looked at', () => {
  const { clock, admitted } = setUp();
  assert.equal(
    admitted(3000, () => '10.0.0.66'),
    64,
  );
  assert.equal(
    admitted(3, () => '10.0.0.1'),
    3,
  );
  clock.nowMs += 1000;
  assert.equal(
    admitted(3000, () => '10.0.0.66'),
    64,
  );
});

test('from however many senders: 1000 a second', () => {
  const { clock, admitted } = setUp();
  assert.equal(
    admitted(3000, (i) => `10.0.${i % 250}.${Math.floor(i / 250)}`),
    1000,
  );
  clock.nowMs += 1000;
  assert.equal(
    admitted(500, (i) => `10.0.0.${i % 250}`),
    500,
  );
});

test('more than 4000 in a second are a flood', () => {
  const { clock, guard, admitted } = setUp();
  admitted(4000, () => '10.0.0.66');
  assert.equal(guard.isFlood, false);
  guard.admit('10.0.0.66');
  assert.equal(guard.isFlood, true);
  clock.nowMs += 1000;
  guard.admit('10.0.0.66');
  assert.equal(guard.isFlood, false);
});

/** Found by attack: few packets, each of which takes long. */
test('who takes long is not heard again in this second; others are', () => {
  const { clock, guard } = setUp();
  const heard = (sender: string, tookMs: number) =>
    guard.hear(sender, () => {
      clock.workedMs += tookMs;
    });
  assert.equal(heard('10.0.0.66', 99), true);
  assert.equal(heard('10.0.0.66', 1), true);
  assert.equal(heard('10.0.0.66', 0), false);
  assert.equal(heard('10.0.0.20', 0), true);
  for (let i = 0; i < 150; i += 1) assert.equal(heard(`10.1.0.${i}`, 1), true);
  assert.equal(heard('10.0.0.21', 0), false);
  clock.nowMs = 1000;
  assert.equal(heard('10.0.0.66', 0), true);
});

test('what other programs take meanwhile is nobody’s', () => {
  const { clock, guard } = setUp();
  const meanwhile = () => {
    clock.nowMs += 300;
  };
  assert.equal(guard.hear('10.0.0.66', meanwhile), true);
  assert.equal(guard.hear('10.0.0.66', meanwhile), true);
});

test('what throws has taken its time, too', () => {
  const { clock, guard } = setUp();
  assert.throws(() =>
    guard.hear('10.0.0.66', () => {
      clock.workedMs += 100;
      throw new Error('junk');
    }),
  );
  assert.equal(guard.admit('10.0.0.66'), false);
});

test('what is passed over counts as a flood, and takes nobody’s place', () => {
  const { guard } = setUp();
  for (let i = 0; i < 4000; i += 1) guard.pass();
  assert.equal(guard.admit('10.0.0.1'), true);
  assert.equal(guard.isFlood, true);
});
