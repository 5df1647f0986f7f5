import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ConfigError } from '../../gateway/config/config-error.ts';
import { CommandError } from '../../gateway/report/commands.ts';
import { restartHandler } from '../../gateway/restarting.ts';
import { collectingLog } from '../support/reporting.ts';

const { log } = collectingLog();

function refusal(work: () => unknown): { code: string; message: string } {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof CommandError);
    return { code: error.code, message: error.message };
  }
  assert.fail('it was not refused');
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('the verb restart', () => {
  it('is unsupported where nobody starts it again, and says what to do', () => {
    const { code, message } = refusal(restartHandler(() => ({ log })));
    assert.equal(code, 'unsupported');
    assert.match(message, /systemd.*Restart=always.*--supervised/);
  });

  it('with a file that is not valid is refused with the problem; once that is mended, not', async (test: TestContext) => {
    const restart = test.mock.fn();
    let problem: Error | undefined = new ConfigError(
      'sluice.yaml: http.listen: expected host:port',
    );
    const load = () => {
      if (problem !== undefined) throw problem;
      return {} as never;
    };
    const handle = restartHandler(() => ({ restart, file: { load }, log }));
    const { code, message } = refusal(handle);
    assert.equal(code, 'invalid');
    assert.match(message, /would not start again: sluice\.yaml: http\.listen: expected host:port$/);
    problem = new TypeError('a mistake of ours');
    assert.throws(handle, TypeError);
    await nextTurn();
    assert.equal(restart.mock.callCount(), 0);
    problem = undefined;
    handle();
    await nextTurn();
    assert.equal(restart.mock.callCount(), 1);
  });

  it('restarts once, and not before what it returns could be written', async (test: TestContext) => {
    const restart = test.mock.fn();
    const handle = restartHandler(() => ({ restart, log }));
    assert.match(handle().message, /started again/);
    const inSameTurn = restart.mock.callCount();
    assert.equal(refusal(handle).code, 'busy');
    await nextTurn();
    assert.equal(refusal(handle).code, 'busy');
    assert.deepEqual([inSameTurn, restart.mock.callCount()], [0, 1]);
  });
});
