import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AuthenticationError, UnsupportedError } from '../../../codecs/errors.ts';
import { startControlled } from '../../support/controlled-camera.ts';
import { until } from '../../support/until.ts';
import {
  motionMessage,
  type VirtualEventOptions,
} from '../../support/virtual-onvif/event-service.ts';
import type { VirtualOnvifOptions } from '../../support/virtual-onvif.ts';

const CELL = 'tns1:RuleEngine/CellMotionDetector/Motion';
const TIMES = { pullMs: 30_000, shortPullMs: 1000, minIntervalMs: 5 };

/** A camera that is watched; `ended` settles as `watchMotion` does. */
async function watch(
  t: TestContext,
  events: VirtualEventOptions = {},
  device: Partial<VirtualOnvifOptions> = {},
) {
  const setup = await startControlled(t, { events, ...device }, { pullPointTimes: TIMES });
  const told: boolean[] = [];
  const stop = new AbortController();
  const ended = setup.controls.watchMotion((isMoving) => told.push(isMoving), stop.signal);
  ended.catch(() => {});
  t.after(() => stop.abort());
  const count = (name: string) => setup.virtual.requests.filter((each) => each === name).length;
  return { ...setup, told, stop, ended, count, events: setup.virtual.events };
}

const moves = (isMoving: boolean, operation?: string) =>
  motionMessage(CELL, { IsMotion: String(isMoving) }, undefined, operation);

describe('a pull point', { concurrency: true }, () => {
  it('tells how things are, then of changes only, and ends with the caller', async (t) => {
    const { events, told, stop, ended, count } = await watch(t);
    await until(() => count('PullMessages') === 1);
    events.emit(moves(false, 'Initialized'));
    events.emit(moves(true));
    events.emit(moves(true));
    await until(() => told.length === 2);
    events.emit(moves(false));
    await until(() => told.length === 3);
    stop.abort(new Error('enough'));
    await assert.rejects(ended, /enough/);
    assert.deepEqual(told, [false, true, false]);
    assert.equal(events.subscriptions.size, 0, 'ours was ended');
  });

  it('sends what WS-Addressing wants, to the host that answered, by the address the camera knows', async (t) => {
    const { virtual, count } = await watch(
      t,
      {},
      { advertisedHost: '10.9.8.7', advertisedPort: 80 },
    );
    await until(() => count('PullMessages') === 1);
    assert.equal(
      virtual.lastBody('CreatePullPointSubscription'),
      '<CreatePullPointSubscription xmlns="http://www.onvif.org/ver10/events/wsdl">' +
        '<InitialTerminationTime>PT120S</InitialTerminationTime></CreatePullPointSubscription>',
    );
    assert.equal(
      virtual.lastBody('PullMessages'),
      '<PullMessages xmlns="http://www.onvif.org/ver10/events/wsdl"><Timeout>PT30S</Timeout><MessageLimit>100</MessageLimit></PullMessages>',
    );
    assert.match(
      virtual.lastHeader('PullMessages'),
      /<a:To>http:\/\/10\.9\.8\.7:80\/event\/1<\/a:To>/,
    );
    assert.match(
      virtual.lastHeader('PullMessages'),
      /<a:Action>http:\/\/www\.onvif\.org\/ver10\/events\/wsdl\/PullPointSubscription\/PullMessagesRequest<\/a:Action>/,
    );
  });

  /** onvif/specs#506: pulling need not renew. */
  it('renews at 80 % of the time granted, whatever the clock of the camera', async (t) => {
    const { events, count, told } = await watch(
      t,
      { lifetimeMs: 2500 },
      { clockOffsetMs: 3_600_000 },
    );
    const started = performance.now();
    await until(() => count('Renew') === 1, 10_000);
    const elapsedMs = performance.now() - started;
    assert.ok(elapsedMs > 1500, `${elapsedMs} ms`);
    await until(() => count('Renew') === 2, 10_000);
    events.emit(moves(true));
    await until(() => told.length === 1);
    assert.equal(events.created, 1);
  });

  it('a renewal refused: another subscription, and the old one is left to expire', async (t) => {
    const { events, count, told } = await watch(t, { lifetimeMs: 1500, refusesRenewal: true });
    await until(() => events.created === 2, 10_000);
    assert.equal(count('Unsubscribe'), 0);
    events.emit(moves(true));
    await until(() => told.length === 1);
  });

  /** HA PR#37711, PR#92627: gone with a restart. */
  it('a subscription that vanishes ends it with an error; whoever watches asks again', async (t) => {
    const { events, count, ended, told, controls } = await watch(t);
    await until(() => count('PullMessages') === 1);
    events.emit(moves(true));
    await until(() => told.length === 1);
    await until(() => count('PullMessages') === 2);
    events.forget();
    await assert.rejects(ended, { code: 'ONVIF_SUBSCRIPTION' });
    assert.deepEqual(told, [true]);
    const stop = new AbortController();
    const again = controls.watchMotion((isMoving) => told.push(isMoving), stop.signal);
    await until(() => events.subscriptions.size === 1);
    events.emit(moves(false, 'Initialized'));
    await until(() => told.length === 2);
    stop.abort();
    await assert.rejects(again);
  });

  /** agsh PR#314, #183: Tapo C220 cuts after ten seconds. */
  it('a camera that cuts long pulls is asked for short ones, in the same subscription', async (t) => {
    const { events, count, told } = await watch(t, { cutsPullsAfterMs: 1200 });
    await until(() => count('PullMessages') >= 2, 10_000);
    events.emit(moves(true));
    await until(() => told.length === 1);
    assert.equal(events.created, 1);
  });

  it('a camera that cuts short ones, too, ends it', async (t) => {
    const { ended, count } = await watch(t, { cutsPullsAfterMs: 100 });
    await assert.rejects(ended, { code: 'ECONNRESET' });
    assert.equal(count('PullMessages'), 2);
  });

  it('a camera that answers at once with nothing is not asked without a pause', async (t) => {
    const { count } = await watch(t, { neverWaits: true });
    await until(() => count('PullMessages') >= 3);
    const before = count('PullMessages');
    const started = performance.now();
    await until(() => count('PullMessages') >= before + 10);
    assert.ok(performance.now() - started >= 40);
  });

  it('Axis: one address, and a reference parameter that comes back in the header', async (t) => {
    const { virtual, events, count, told, stop, ended } = await watch(t, {
      addressing: 'reference',
    });
    await until(() => count('PullMessages') === 1);
    assert.match(
      virtual.lastHeader('PullMessages'),
      /<SubscriptionId xmlns="http:\/\/www\.axis\.com\/2009\/event" a:IsReferenceParameter="true">1<\/SubscriptionId>/,
    );
    events.emit(moves(true));
    await until(() => told.length === 1);
    stop.abort();
    await assert.rejects(ended);
    assert.equal(events.subscriptions.size, 0);
  });

  /** HA#90916, R32: one Unsubscribe must not end another client's. */
  it('what nothing tells from the subscriptions of others is left to expire', async (t) => {
    const { events, count, stop, ended } = await watch(t, { addressing: 'shared' });
    await until(() => count('PullMessages') === 1);
    stop.abort();
    await assert.rejects(ended);
    assert.equal(count('Unsubscribe'), 0);
    assert.equal(events.subscriptions.size, 1);
  });

  it('a clock that jumps meanwhile is measured again', async (t) => {
    const { virtual, events, count, told } = await watch(t);
    await until(() => count('PullMessages') === 1);
    virtual.clockOffsetMs = -3 * 3_600_000;
    events.emit(moves(true));
    await until(() => count('PullMessages') >= 3, 10_000);
    events.emit(moves(false));
    await until(() => told.length === 2);
    assert.equal(virtual.refusals, 1);
  });

  it('without events, without a pull point, without rights, without a password', async (t) => {
    const { controls } = await startControlled(t);
    await assert.rejects(
      controls.watchMotion(() => {}, t.signal),
      UnsupportedError,
    );
    const noPull = await watch(
      t,
      {},
      {
        answer: (operation, response) => {
          if (operation !== 'CreatePullPointSubscription') return false;
          response
            .writeHead(500)
            .end(
              '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value>' +
                '<s:Subcode><s:Value>ter:ActionNotSupported</s:Value></s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>',
            );
          return true;
        },
      },
    );
    await assert.rejects(noPull.ended, UnsupportedError);
    const forbidden = await watch(t, {}, { forbidden: ['CreatePullPointSubscription'] });
    await assert.rejects(forbidden.ended, { code: 'ONVIF_NOT_AUTHORIZED' });
    const wrong = await watch(t, {}, { password: 'other' });
    await assert.rejects(wrong.ended, AuthenticationError);
    assert.equal(wrong.virtual.refusals, 1);
  });

  it('replies that are broken end it; none escapes or hangs', async (t) => {
    const broken: [string, (xml: string) => string][] = [
      ['nothing', () => ''],
      ['HTML', () => '<html></html>'],
      ['another answer', () => '<s:Envelope xmlns:s="x"><s:Body><a/></s:Body></s:Envelope>'],
      ['an address that is none', (xml) => xml.replace(/<wsa:Address>[^<]*/, '<wsa:Address>::')],
      ['no address', (xml) => xml.replace(/<wsa:Address>.*<\/wsa:Address>/, '')],
      ['an address without end', (xml) => xml.replace(/event\/1/, 'x'.repeat(5000))],
      ['another scheme', (xml) => xml.replace(/<wsa:Address>http/, '<wsa:Address>file')],
    ];
    for (const [name, mangle] of broken) {
      const { ended } = await watch(
        t,
        {},
        {
          mangle: (xml, operation) =>
            operation === 'CreatePullPointSubscription' ? mangle(xml) : xml,
        },
      );
      await assert.rejects(ended, Error, name);
    }
    const junk = await watch(
      t,
      { neverWaits: true },
      {
        mangle: (xml, operation) => (operation === 'PullMessages' ? xml.slice(0, -40) : xml),
      },
    );
    await assert.rejects(junk.ended);
  });

  it('times that are none, or nonsense, are believed to be what was asked for', async (t) => {
    for (const time of ['never', '0000-00-00T00:00:00Z', '2199-01-01T00:00:00Z', '']) {
      const { count, told, events } = await watch(
        t,
        {},
        {
          mangle: (xml) =>
            xml.replace(
              /(TerminationTime>)[^<]*(<\/wsnt:T)/,
              (_all, start, end) => start + time + end,
            ),
        },
      );
      await until(() => count('PullMessages') === 1);
      events.emit(moves(true));
      await until(() => told.length === 1);
      assert.equal(count('Renew'), 0, time);
    }
  });
});
