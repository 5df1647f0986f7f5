import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  BrokerLink,
  IncomingMessage,
  OutgoingMessage,
} from '../../../gateway/report/broker-link.ts';
import type { CommandOutcome } from '../../../gateway/report/commands.ts';
import { MqttCommands } from '../../../gateway/report/mqtt-commands.ts';
import { Topics } from '../../../gateway/report/topics.ts';
import { collectingLog } from '../../support/reporting.ts';

const MESSAGE: IncomingMessage = { topic: '', payload: new Uint8Array(0), retain: false };

/** Keeps what it is given; acknowledges when it is told to. */
class SlowLink implements Partial<BrokerLink> {
  readonly published: OutgoingMessage[] = [];
  #done: (() => void)[] = [];

  publish(message: OutgoingMessage, done: () => void): void {
    this.published.push(message);
    this.#done.push(done);
  }
  acknowledgeAll(): void {
    for (const done of this.#done.splice(0)) done();
  }
  asLink(): BrokerLink {
    return this as Partial<BrokerLink> as BrokerLink;
  }
}

function make(answer: () => CommandOutcome) {
  const { log, lines } = collectingLog();
  const clock = { nowMs: 0 };
  const commands = new MqttCommands({
    ...{ topics: new Topics('sluice', 'box'), log, now: () => clock.nowMs },
    commands: { run: async () => answer() },
  });
  return { commands, lines, clock };
}

const done = (data: unknown): CommandOutcome => ({ kind: 'reply', reply: { ok: true, data } });

describe('commands over MQTT', () => {
  it('that come in a flood are some lines of the log, and how many were left out', async () => {
    let outcome = done(1);
    const { commands, lines, clock } = make(() => outcome);
    const link = new SlowLink();
    const ask = async () => {
      await commands.run('discover', MESSAGE, () => link.asLink());
      link.acknowledgeAll();
    };
    for (let count = 0; count < 500; count += 1) await ask();
    assert.equal(link.published.length, 500);
    assert.equal(lines.length, 30);
    assert.equal(lines[0]?.['suppressed'], undefined);
    clock.nowMs += 1_000;
    outcome = { kind: 'ignored', why: 'sent 11000 ms ago' };
    for (let count = 0; count < 500; count += 1) await ask();
    assert.equal(lines.length, 31);
    const { level, verb, why, suppressed } = lines[30] ?? {};
    assert.deepEqual(
      { level, verb, why, suppressed },
      { level: 40, verb: 'discover', why: 'sent 11000 ms ago', suppressed: 470 },
    );
  });

  it('that are refused: the log says why', async () => {
    const error = { code: 'busy', message: 'too many commands are running' };
    const { commands, lines } = make(() => ({ kind: 'reply', reply: { ok: false, error } }));
    await commands.run('discover', MESSAGE, () => undefined);
    const { level, verb, code, msg } = lines[0] ?? {};
    assert.deepEqual(
      { level, verb, code, msg },
      {
        level: 30,
        verb: 'discover',
        code: 'busy',
        msg: 'command not done: too many commands are running',
      },
    );
  });

  it('a broker that does not take the answers: they have a bound, until it takes them', async () => {
    const large = 'x'.repeat(100_000);
    const { commands, lines } = make(() => done(large));
    const [slow, next] = [new SlowLink(), new SlowLink()];
    const ask = (link: SlowLink) => commands.run('config/get', MESSAGE, () => link.asLink());
    for (let count = 0; count < 20; count += 1) await ask(slow);
    assert.equal(slow.published.length, 11);
    assert.ok(lines.some(({ msg }) => /does not take the answers/.test(String(msg))));
    // The connection after that.
    await ask(next);
    assert.equal(next.published.length, 1);
    slow.acknowledgeAll();
    await ask(slow);
    assert.equal(slow.published.length, 12);
  });
});
