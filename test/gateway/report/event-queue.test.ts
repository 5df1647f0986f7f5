import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type BrokerLink,
  type OutgoingMessage,
  RefusedError,
} from '../../../gateway/report/broker-link.ts';
import { EventQueue } from '../../../gateway/report/event-queue.ts';

class Broker implements BrokerLink {
  readonly window = 20;
  readonly isWritable = true;
  readonly heard: { message: string; dropped?: number }[] = [];
  readonly #waiting: ((error?: Error | null) => void)[] = [];

  publish({ topic, payload, qos, retain }: OutgoingMessage, done = () => {}): void {
    assert.deepEqual([topic, qos, retain], ['B/event', 1, false]);
    this.heard.push(JSON.parse(String(payload)));
    this.#waiting.push(done);
  }

  subscribe(): void {}
  unsubscribe(): void {}

  get messages(): string[] {
    return this.heard.map(({ message }) => message);
  }

  acknowledgeAll(error?: Error): void {
    while (this.#waiting.length > 0) this.#waiting.shift()?.(error);
  }
}

function event(message: string) {
  return { at: '2026-01-01T00:00:00.000Z', type: 'stream-lost', message };
}

describe('EventQueue', () => {
  it('what happened while the broker was away is told in order when it is there', () => {
    const queue = new EventQueue('B/event');
    for (let n = 0; n < 10; n += 1) queue.push(event(`${n}`));
    const broker = new Broker();
    queue.attach(broker);
    assert.deepEqual(broker.messages, ['0', '1', '2', '3'], 'a few at a time');
    broker.acknowledgeAll();
    assert.deepEqual(broker.messages.slice(4), ['4', '5', '6', '7', '8', '9']);
    assert.ok(broker.heard.every(({ dropped }) => dropped === undefined));
    queue.push(event('now'));
    assert.equal(broker.messages.at(-1), 'now');
  });

  it('the oldest give way, and how many did is told once', () => {
    const queue = new EventQueue('B/event');
    for (let n = 0; n < 5_000; n += 1) queue.push(event(`${n}`));
    const broker = new Broker();
    queue.attach(broker);
    broker.acknowledgeAll();
    assert.equal(broker.heard.length, 200);
    assert.deepEqual([broker.heard[0]?.message, broker.heard[0]?.dropped], ['4800', 4800]);
    assert.equal(broker.heard[1]?.dropped, undefined);
  });

  it('how many gave way is told again where the broker went without having it', () => {
    const queue = new EventQueue('B/event');
    for (let n = 0; n < 300; n += 1) queue.push(event(`${n}`));
    queue.attach(new Broker());
    queue.detach();
    const broker = new Broker();
    queue.attach(broker);
    broker.acknowledgeAll();
    assert.deepEqual([broker.heard[0]?.message, broker.heard[0]?.dropped], ['100', 100]);
    assert.equal(broker.heard.length, 200);
  });

  it('what a broker refuses is done with, what a connection that goes has not told is not', () => {
    const queue = new EventQueue('B/event');
    const broker = new Broker();
    queue.attach(broker);
    for (let n = 0; n < 6; n += 1) queue.push(event(`${n}`));
    broker.acknowledgeAll(new RefusedError('not authorized'));
    assert.deepEqual(broker.messages, ['0', '1', '2', '3', '4', '5']);
    for (let n = 6; n < 12; n += 1) queue.push(event(`${n}`));
    broker.acknowledgeAll(new Error('it went'));
    queue.detach();
    const next = new Broker();
    queue.attach(next);
    next.acknowledgeAll();
    assert.deepEqual(next.messages, ['6', '7', '8', '9', '10', '11']);
  });

  it('is bounded in bytes, too', () => {
    const queue = new EventQueue('B/event');
    for (let n = 0; n < 100; n += 1) queue.push(event('x'.repeat(10_000)));
    queue.push(event('x'.repeat(100_000)));
    queue.push(event('small'));
    const broker = new Broker();
    queue.attach(broker);
    assert.deepEqual(broker.messages, ['small']);
    assert.equal(broker.heard[0]?.dropped, 101);
  });

  it('what a dead connection has swallowed is told to the next one', () => {
    const queue = new EventQueue('B/event');
    const dead = new Broker();
    queue.attach(dead);
    queue.push(event('a'));
    queue.push(event('b'));
    queue.detach();
    dead.acknowledgeAll();
    const broker = new Broker();
    queue.attach(broker);
    assert.deepEqual(broker.messages, ['a', 'b']);
  });
});
