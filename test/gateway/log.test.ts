import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayLog } from '../../gateway/log.ts';
import { registerSecret } from '../../gateway/secrets.ts';

function makeLog() {
  const written: string[] = [];
  const gatewayLog = new GatewayLog('info', { write: (line) => written.push(line) });
  return { gatewayLog, log: gatewayLog.log, written };
}

describe('GatewayLog', () => {
  it('writes JSON lines with level words and UTC times', () => {
    const { log, written } = makeLog();
    log.info({ stream: 'front' }, 'up');
    const line = JSON.parse(written[0]!);
    assert.deepEqual(Object.keys(line), ['level', 'time', 'stream', 'msg']);
    assert.equal(line.level, 'info');
    assert.match(line.time, /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.ok(written[0]!.endsWith('}\n'));
  });

  it('tells of system errors without the stack of Node’s inside, and of others with theirs', () => {
    const { log, written } = makeLog();
    const refused = Object.assign(new Error('listen EADDRINUSE'), {
      code: 'EADDRINUSE',
      syscall: 'listen',
    });
    log.warn({ err: refused }, 'port');
    log.warn({ err: new Error('ours') }, 'bug');
    const [first, second] = written.map((line) => JSON.parse(line).err);
    assert.deepEqual(first, {
      type: 'Error',
      message: 'listen EADDRINUSE',
      code: 'EADDRINUSE',
      syscall: 'listen',
    });
    assert.match(second.stack, /log\.test/);
  });

  it('no secret passes: fields, nested ones, messages, errors with stacks, children, numbers', () => {
    const { log, written } = makeLog();
    registerSecret('s3cr3t-value');
    registerSecret('5544');
    const err = new Error('connect rtsp://admin:s3cr3t-value@10.0.0.1/ failed');
    const camera = { username: 'u', password: 'never-registered-1' };
    log.error({ err, height: 5544 }, 'camera');
    log.info({ camera, headers: { authorization: 'Digest never-registered-2' } }, 'login');
    log.child({ url: 'rtmp://u:never-registered-3@h/a' }).warn('target s3cr3t-value');
    log.warn({ deep: { er: { password: 'never-registered-4' } } }, 'deep');
    log.warn(`Authorization: Basic ${Buffer.from('u:never-registered-5').toString('base64')}`);
    const text = written.join('');
    assert.doesNotMatch(text, /s3cr3t|never-registered|bmV2ZXI/);
    for (const line of written) assert.doesNotThrow(() => JSON.parse(line));
    assert.equal(JSON.parse(written[0]!).height, 5544);
    assert.match(text, /rtsp:\/\/\*\*\*@10\.0\.0\.1/);
  });

  it('a change of level reaches children made before and after', () => {
    const { gatewayLog, log, written } = makeLog();
    const before = log.child({ stream: 'a' });
    const grandchild = before.child({ target: 'b' });
    before.debug('unheard');
    gatewayLog.setLevel('debug');
    grandchild.debug('heard');
    log.child({}).debug('heard');
    assert.equal(gatewayLog.level, 'debug');
    gatewayLog.setLevel('error');
    before.warn('unheard');
    assert.equal(written.length, 2);
  });
});
