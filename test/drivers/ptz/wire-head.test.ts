import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import pino from 'pino';
import { ProtocolError, UnsupportedError } from '../../../codecs/errors.ts';
import type { HeadJob } from '../../../drivers/ptz/head-link.ts';
import { WireHead } from '../../../drivers/ptz/wire-head.ts';
import { pelcoD } from '../../../protocols/pelco/pelco-d.ts';
import { toHex } from '../../support/hex.ts';

const NEVER = new AbortController().signal;
const RIGHT = { pan: 1, tilt: 0, zoom: 0 };
const SENT_RIGHT = 'motion ff010002 3f0042';
const SENT_STOP = 'stop ff010000 000001';

function openHead(test: TestContext) {
  test.mock.timers.enable({ apis: ['setTimeout'] });
  const sent: string[] = [];
  const failures: Error[] = [];
  let held: AbortSignal | undefined;
  const link = {
    send: async ({ kind, packets, onSend }: HeadJob) => {
      if (kind === 'motion' && held?.aborted === false) await once(held, 'abort');
      if (kind === 'motion') held?.throwIfAborted();
      onSend?.();
      await turn();
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      const first = packets[0] === undefined ? '' : toHex(packets[0]);
      sent.push(`${kind} ${first.slice(0, 8)} ${first.slice(8)}`);
    },
    ask: () => Promise.reject(new Error('not asked')),
  };
  const log = pino({ level: 'silent' });
  const head = new WireHead({ name: 'mast/yard', language: pelcoD(1), link, log });
  const passes = async (ms: number) => {
    test.mock.timers.tick(ms);
    for (let i = 0; i < 4; i += 1) await turn();
  };
  /** Motions wait until it aborts. */
  const hold = (signal: AbortSignal) => {
    held = signal;
  };
  return { head, sent, failures, passes, hold };
}

describe('a head that is told everything', () => {
  it('is stopped by us when the time is over', async (test) => {
    const { head, sent, passes } = openHead(test);
    await head.move(RIGHT, 500, NEVER);
    await passes(499);
    assert.deepEqual(sent, [SENT_RIGHT]);
    await passes(1);
    assert.deepEqual(sent, [SENT_RIGHT, SENT_STOP]);
    await passes(60_000);
    assert.equal(sent.length, 2);
  });

  it('is stopped although its caller has given up', async (test) => {
    const { head, sent, passes } = openHead(test);
    const controller = new AbortController();
    const moving = head.move(RIGHT, 500, controller.signal);
    controller.abort();
    await moving.catch(() => undefined);
    await passes(500);
    assert.equal(sent.at(-1), SENT_STOP);
  });

  it('is not stopped in front of a newer move that waits, but when that is given up', async (test) => {
    const { head, sent, passes, hold } = openHead(test);
    await head.move(RIGHT, 500, NEVER);
    const controller = new AbortController();
    hold(controller.signal);
    const waiting = assert.rejects(head.move(RIGHT, 500, controller.signal), /given up/);
    await passes(3_000);
    assert.deepEqual(sent, [SENT_RIGHT]);
    controller.abort(new Error('given up'));
    await waiting;
    await passes(50);
    assert.deepEqual(sent, [SENT_RIGHT, SENT_STOP]);
  });

  it('moves on as long as moves renew its time', async (test) => {
    const { head, sent, passes } = openHead(test);
    for (let i = 0; i < 5; i += 1) {
      await head.move(RIGHT, 500, NEVER);
      await passes(400);
    }
    assert.ok(!sent.includes(SENT_STOP));
    await passes(100);
    assert.equal(sent.at(-1), SENT_STOP);
  });

  it('takes speed 0, and what is no number, for a stop', async (test) => {
    const { head, sent } = openHead(test);
    await head.move({ pan: 0, tilt: Number.NaN, zoom: 0 }, 500, NEVER);
    assert.deepEqual(sent, [SENT_STOP]);
  });

  it('is told again to stop when that did not get through', async (test) => {
    const { head, sent, failures, passes } = openHead(test);
    await head.move(RIGHT, 500, NEVER);
    failures.push(...Array.from({ length: 3 }, () => new Error('lost')));
    await passes(500);
    await passes(1_000);
    await passes(2_000);
    await passes(3_999);
    assert.equal(sent.length, 1);
    await passes(1);
    assert.equal(sent.at(-1), SENT_STOP);
    await passes(60_000);
    assert.equal(sent.length, 2);
  });

  it('is left alone after an hour, and stopped when its line is there again', async (test) => {
    const { head, sent, failures, passes } = openHead(test);
    await head.move(RIGHT, 500, NEVER);
    failures.push(...Array.from({ length: 120 }, () => new Error('line down')));
    await passes(500);
    for (let i = 0; i < 200; i += 1) await passes(30_000);
    assert.equal(failures.length, 0);
    assert.equal(sent.length, 1);
    head.comeBack(false);
    await passes(0);
    assert.deepEqual(sent, [SENT_RIGHT, SENT_STOP]);
    head.comeBack(false);
    await passes(0);
    assert.equal(sent.length, 2);
  });

  it('keeps its timer when a move is sent before the stop before it is heard of', async (test) => {
    const { head, sent, passes } = openHead(test);
    await head.move(RIGHT, 500, NEVER);
    const stopping = head.stop(NEVER);
    const moving = head.move(RIGHT, 700, NEVER);
    await Promise.all([stopping, moving]);
    await passes(700);
    assert.deepEqual(sent, [SENT_RIGHT, SENT_STOP, SENT_RIGHT, SENT_STOP]);
  });

  it('is stopped before it is sent to a place, and not on its way', async (test) => {
    const { head, sent, passes } = openHead(test);
    await head.move(RIGHT, 500, NEVER);
    await head.goToPreset('3', NEVER);
    await passes(1_000);
    assert.deepEqual(sent, [SENT_RIGHT, SENT_STOP, 'motion ff010007 00030b']);
  });

  it('sends one stop for several that ask at once', async (test) => {
    const { head, sent } = openHead(test);
    await Promise.all([head.stop(NEVER), head.stop(NEVER), head.stop(NEVER)]);
    assert.deepEqual(sent, [SENT_STOP]);
  });

  it('is stopped at the end, if it moves', async (test) => {
    const { head, sent, passes } = openHead(test);
    await head.close();
    assert.deepEqual(sent, []);
    await head.move(RIGHT, 500, NEVER);
    await head.close();
    await passes(1_000);
    assert.deepEqual(sent, [SENT_RIGHT, SENT_STOP]);
  });

  it('keeps presets by number', async (test) => {
    const { head, sent } = openHead(test);
    assert.equal(await head.setPreset({ token: '7' }, NEVER), '7');
    await head.removePreset('7', NEVER);
    assert.deepEqual(sent, ['other ff010003 00070b', 'other ff010005 00070d']);
    for (const token of ['0', '256', 'door', '', '1.5', '-1', '1e2', '١']) {
      await assert.rejects(head.goToPreset(token, NEVER), ProtocolError, token);
    }
    await assert.rejects(head.setPreset({ name: 'door' }, NEVER), UnsupportedError);
    await assert.rejects(head.presets(), UnsupportedError);
  });

  it('goes to positions, which are kept within bounds', async (test) => {
    const { head, sent } = openHead(test);
    await head.moveTo({ pan: -9 }, NEVER);
    await head.home(NEVER);
    assert.deepEqual(sent, ['motion ff01004b 4650e2', 'motion ff010007 00222a']);
    assert.deepEqual(await head.abilities(), {
      protocol: 'pelco-d',
      absolute: true,
      home: true,
      listsPresets: false,
    });
  });
});
