import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WrongLogins } from '../../gateway/wrong-logins.ts';

function setUp() {
  const clock = { ms: 0 };
  return { clock, wrong: new WrongLogins(() => clock.ms) };
}

describe('wrong logins', () => {
  it('ten of one address: it waits for the end of the minute', () => {
    const { clock, wrong } = setUp();
    for (let count = 0; count < 10; count += 1) {
      assert.equal(wrong.blockedForMs('10.0.0.1'), 0);
      assert.equal(wrong.failed('10.0.0.1'), count === 0);
    }
    clock.ms = 20_000;
    assert.equal(wrong.blockedForMs('10.0.0.1'), 40_000);
    assert.equal(wrong.blockedForMs('10.0.0.2'), 0);
    clock.ms = 60_000;
    assert.equal(wrong.blockedForMs('10.0.0.1'), 0);
    assert.equal(wrong.failed('10.0.0.1'), true);
  });

  it('120 of all: strangers wait; who was right before does not, unless he guesses himself', () => {
    const { clock, wrong } = setUp();
    wrong.succeeded('10.0.0.9');
    for (let n = 0; n < 120; n += 1) wrong.failed(`10.1.0.${n}`);
    assert.equal(wrong.blockedForMs('10.0.0.8'), 60_000);
    assert.equal(wrong.blockedForMs('10.0.0.9'), 0);
    for (let n = 0; n < 10; n += 1) wrong.failed('10.0.0.9');
    assert.equal(wrong.blockedForMs('10.0.0.9'), 60_000);
    clock.ms = 60_000;
    assert.equal(wrong.blockedForMs('10.0.0.8'), 0);
  });

  it('an address that went out of memory begins anew; memory is bounded', () => {
    const { wrong } = setUp();
    for (let n = 0; n < 10; n += 1) wrong.failed('10.0.0.1');
    for (let n = 0; n < 5_000; n += 1) wrong.failed(`10.1.${n >> 8}.${n & 255}`);
    wrong.succeeded('10.0.0.1');
    assert.equal(wrong.blockedForMs('10.0.0.1'), 0);
  });
});
