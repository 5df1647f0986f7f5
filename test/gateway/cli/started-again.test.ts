import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askSystemd, isStartedAgain, type Start } from '../../../gateway/cli/started-again.ts';

const PID = 4711;
const INVOCATION_ID = '0123456789abcdef0123456789abcdef';
const env = { INVOCATION_ID, SYSTEMD_EXEC_PID: String(PID) };
const properties = (restart: string, forced = '') =>
  `Restart=${restart}\nRestartForceExitStatus=${forced}\nInvocationID=${INVOCATION_ID}\n`;
const unit = (text: string | undefined) => ({ askSystemd: async () => text });

const starts: readonly (readonly [what: string, start: Partial<Start>, expected: boolean])[] = [
  ['from a shell', { env: {} }, false],
  ['as the first process of a container', { env: {}, pid: 1, ppid: 0 }, false],
  ['with an empty id', { env: { ...env, INVOCATION_ID: '' } }, false],
  ['by systemd, which does not answer', {}, true],
  ['in a terminal that is itself a unit', { env: { ...env, SYSTEMD_EXEC_PID: '99' } }, false],
  ['by npm, in a unit', { pid: PID + 1, ppid: PID }, false],
  ['by an older systemd', { env: { INVOCATION_ID }, ppid: 1 }, true],
  ['in a terminal of an older systemd', { env: { INVOCATION_ID }, ppid: 99 }, false],
  ['Restart=always', unit(properties('always')), true],
  ['Restart=on-failure', unit(properties('on-failure')), true],
  ['Restart=no', unit(properties('no')), false],
  ['Restart=on-success', unit(properties('on-success')), false],
  ['Restart=on-abnormal', unit(properties('on-abnormal')), false],
  ['Restart=no, but forced', unit(properties('no', '3 75')), true],
  ['forced with another code', unit(properties('no', '175')), false],
  ['the answer is about another', unit(properties('no').replace('0123', '3210')), true],
];

describe('whether somebody starts it again', () => {
  for (const [what, start, expected] of starts) {
    it(`${what}: ${expected ? 'yes' : 'no'}`, async () => {
      const usual = { env, pid: PID, ppid: 1, ...unit(undefined) };
      assert.equal(await isStartedAgain({ ...usual, ...start }), expected);
    });
  }

  it('asks systemd only where it may have started us', async () => {
    const asked = () => Promise.reject(new Error('asked'));
    assert.equal(await isStartedAgain({ env: {}, pid: 1, ppid: 0, askSystemd: asked }), false);
  });

  it('lives without an answer', async () => {
    const answer = await askSystemd();
    assert.ok(answer === undefined || answer.includes('InvocationID='));
  });
});
