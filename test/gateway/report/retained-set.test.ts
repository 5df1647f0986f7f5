import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import {
  type BrokerLink,
  type OutgoingMessage,
  RefusedError,
} from '../../../gateway/report/broker-link.ts';
import { RetainedSet } from '../../../gateway/report/retained-set.ts';

/** A broker that acknowledges only when told to. */
class SlowLink implements BrokerLink {
  readonly isWritable = true;
  readonly window: number;
  readonly sent: string[] = [];
  readonly #waiting: ((error?: Error | null) => void)[] = [];

  constructor(window = 10) {
    this.window = window;
  }

  publish({ topic, payload, qos, retain }: OutgoingMessage, done = () => {}): void {
    assert.deepEqual([qos, retain], [1, true]);
    this.sent.push(`${topic}=${payload}`);
    this.#waiting.push(done);
  }

  subscribe(): void {}
  unsubscribe(): void {}

  get unacknowledged(): number {
    return this.#waiting.length;
  }

  acknowledge(error?: Error): void {
    this.#waiting.shift()?.(error);
  }

  acknowledgeAll(): void {
    while (this.#waiting.length > 0) this.acknowledge();
  }
}

describe('RetainedSet', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('sends nothing without a link, everything on one, in the order it became known', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    set.set('a', '1');
    set.set('b', '1');
    set.set('a', '2');
    mock.timers.tick(10_000);
    const link = new SlowLink();
    outlet.attach(link);
    assert.deepEqual(link.sent, ['a=2', 'b=1']);
  });

  it('a change waits 250 ms and only the newest goes', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    const link = new SlowLink();
    outlet.attach(link);
    set.set('a', '1');
    set.set('a', '2');
    mock.timers.tick(249);
    assert.deepEqual(link.sent, []);
    mock.timers.tick(1);
    assert.deepEqual(link.sent, ['a=2']);
    link.acknowledgeAll();
    set.set('a', '2');
    mock.timers.tick(1_000);
    assert.equal(link.sent.length, 1);
  });

  it('a broker that does not acknowledge holds one message per topic, however much changes', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    const link = new SlowLink();
    outlet.attach(link);
    for (let n = 0; n < 100; n += 1) {
      set.set('a', String(n));
      mock.timers.tick(250);
    }
    assert.deepEqual(link.sent, ['a=0']);
    link.acknowledge();
    assert.deepEqual(link.sent, ['a=0', 'a=99']);
  });

  it('keeps to the window', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    for (let n = 0; n < 7; n += 1) set.set(`t${n}`, 'x');
    const link = new SlowLink(3);
    outlet.attach(link);
    assert.equal(link.unacknowledged, 3);
    link.acknowledge();
    assert.equal(link.unacknowledged, 3);
    assert.equal(link.sent.length, 4);
    link.acknowledgeAll();
    assert.equal(link.sent.length, 7);
  });

  it('a removal is an empty payload, also when it happened while no broker was there', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    const first = new SlowLink();
    set.set('a', '1');
    outlet.attach(first);
    first.acknowledgeAll();
    outlet.detach();
    set.remove('a');
    const second = new SlowLink();
    outlet.attach(second);
    assert.deepEqual(second.sent, ['a=']);
    second.acknowledgeAll();
    const third = new SlowLink();
    outlet.attach(third);
    assert.deepEqual(third.sent, []);
  });

  it('what returns while its removal is on the way is kept', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    const link = new SlowLink();
    set.set('a', '1');
    outlet.attach(link);
    link.acknowledgeAll();
    set.remove('a');
    mock.timers.tick(250);
    set.set('a', '2');
    link.acknowledgeAll();
    assert.deepEqual(link.sent, ['a=1', 'a=', 'a=2']);
    const next = new SlowLink();
    outlet.attach(next);
    assert.deepEqual(next.sent, ['a=2']);
  });

  it('acknowledgements of an earlier link do not count for the new one', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    set.set('a', '1');
    set.set('b', '1');
    const old = new SlowLink(1);
    outlet.attach(old);
    outlet.detach();
    const link = new SlowLink(1);
    outlet.attach(link);
    old.acknowledge();
    assert.deepEqual(link.sent, ['a=1']);
    link.acknowledge();
    assert.deepEqual(link.sent, ['a=1', 'b=1']);
  });

  it('refused messages hold up no others, and are sent again when they change, or after a minute', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    const link = new SlowLink(2);
    for (const topic of ['a', 'b', 'c', 'd']) set.set(topic, '1');
    outlet.attach(link);
    assert.deepEqual(link.sent, ['a=1', 'b=1']);
    link.acknowledge(new RefusedError('not authorized'));
    link.acknowledge(new RefusedError('not authorized'));
    assert.deepEqual(link.sent.splice(0), ['a=1', 'b=1', 'c=1', 'd=1']);
    link.acknowledgeAll();
    set.set('c', '2');
    set.set('b', '2');
    mock.timers.tick(250);
    assert.deepEqual(link.sent.splice(0), ['c=2', 'b=2']);
    link.acknowledgeAll();
    mock.timers.tick(60_000);
    mock.timers.tick(250);
    assert.deepEqual(link.sent.splice(0), ['a=1']);
    link.acknowledge(new RefusedError('not authorized'));
    outlet.detach();
    mock.timers.tick(600_000);
    assert.deepEqual(link.sent, []);
  });

  it('a link that fails at once is asked once for each topic', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    const sent: string[] = [];
    const link: BrokerLink = {
      window: 2,
      isWritable: true,
      publish: ({ topic }, done) => {
        sent.push(topic);
        assert.ok(sent.length < 100, 'in a loop');
        done?.(new Error('the connection is going'));
      },
      subscribe: () => {},
      unsubscribe: () => {},
    };
    set.set('a', '1');
    set.set('b', '1');
    outlet.attach(link);
    assert.deepEqual(sent, ['a', 'b']);
  });

  it('flush ends with the last acknowledgement, or with the link', async () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    await set.flush();
    const link = new SlowLink();
    outlet.attach(link);
    set.set('a', '1');
    const flushed = set.flush();
    assert.deepEqual(link.sent, ['a=1']);
    link.acknowledgeAll();
    await flushed;
    set.set('a', '2');
    const cut = set.flush();
    outlet.detach();
    await cut;
  });

  it('what came and went while the broker was away leaves nothing to remove', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    outlet.attach(new SlowLink());
    outlet.detach();
    for (let n = 0; n < 10_000; n += 1) {
      set.set(`found-${n}`, '{}');
      set.remove(`found-${n}`);
    }
    set.set('a', '1');
    const link = new SlowLink();
    outlet.attach(link);
    assert.deepEqual(link.sent, ['a=1']);
  });

  it('one broker that is away or slow does not hold up another; each is told of a removal', () => {
    const set = new RetainedSet();
    const [one, other] = [set.openOutlet(), set.openOutlet()];
    const [slow, quick] = [new SlowLink(), new SlowLink()];
    set.set('a', '1');
    one.attach(slow);
    other.attach(quick);
    quick.acknowledgeAll();
    one.detach();
    set.remove('a');
    mock.timers.tick(250);
    assert.deepEqual(quick.sent, ['a=1', 'a=']);
    const back = new SlowLink();
    one.attach(back);
    assert.deepEqual(back.sent, ['a=']);
  });

  it('what is not in the set can be cleared at a broker; what is in it cannot', () => {
    const set = new RetainedSet();
    const outlet = set.openOutlet();
    const link = new SlowLink();
    set.set('a', '1');
    outlet.attach(link);
    outlet.clear('a');
    set.clear('old');
    mock.timers.tick(250);
    assert.deepEqual(link.sent, ['a=1', 'old=']);
  });
});
