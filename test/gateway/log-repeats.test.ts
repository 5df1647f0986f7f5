import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { LogRepeats } from '../../gateway/log-repeats.ts';
import { collectingLog } from '../support/reporting.ts';

describe('LogRepeats', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('says the first at once, then once a minute how often and the last', () => {
    const { log, lines } = collectingLog();
    const repeats = new LogRepeats(log);
    for (let n = 1; n <= 5; n += 1) repeats.report('a', 'warn', { stream: 'x' }, `fault ${n}`);
    repeats.report('b', 'error', {}, 'another');
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['fault 1', 'another'],
    );
    mock.timers.tick(60_000);
    assert.equal(lines.length, 3);
    assert.equal(lines[2]?.['msg'], '4 times, last: fault 5');
    assert.equal(lines[2]?.['stream'], 'x');
    assert.equal(lines[2]?.['times'], 4);
    mock.timers.tick(60_000);
    assert.equal(lines.length, 3);
  });

  it('after a quiet minute it is news again', () => {
    const { log, lines } = collectingLog();
    const repeats = new LogRepeats(log);
    repeats.report('a', 'warn', {}, 'one');
    mock.timers.tick(60_000);
    repeats.report('a', 'warn', {}, 'two');
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['one', 'two'],
    );
  });

  it('forgets the oldest of very many, and says what was unsaid when it closes', () => {
    const { log, lines } = collectingLog();
    const repeats = new LogRepeats(log);
    repeats.report('a', 'warn', {}, 'one');
    repeats.report('a', 'warn', {}, 'two');
    for (let n = 0; n < 512; n += 1) repeats.report(`k${n}`, 'debug', {}, 'x');
    assert.equal(lines.filter(({ msg }) => msg === '1 time, last: two').length, 1);
    repeats.report('k511', 'debug', {}, 'y');
    repeats.close();
    assert.equal(lines.at(-1)?.['msg'], '1 time, last: y');
  });
});
