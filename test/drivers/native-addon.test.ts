import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { NATIVE_ADDON } from '../../drivers/native-addon.ts';

const SOURCES = 'drivers/native';
/** Small enough to be read whole by whoever must trust it. */
const MAX_LINES_OF_C = 300;
const needsAddon = NATIVE_ADDON === undefined ? 'there is no compiler here' : false;

test('the addon stays small', () => {
  const lines = readdirSync(SOURCES)
    .filter((name) => /\.[ch]$/.test(name))
    .flatMap((name) =>
      readFileSync(join(SOURCES, name), 'utf8')
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .split('\n'),
    )
    .filter((line) => line.trim() !== '');
  assert.ok(lines.length < MAX_LINES_OF_C, `${lines.length} lines of C`);
});

test('a thread that ends with open sockets ends well', { skip: needsAddon }, async () => {
  const receiver = import.meta.resolve('../../drivers/udp/batch-receiver.js');
  const script = `
    const { openBatchReceiver } = await import(${JSON.stringify(receiver)});
    for (const mayWait of [true, false, true]) {
      await openBatchReceiver({
        address: '127.0.0.1', port: 0, acceptsAnyone: true, mayWait,
        onPacket() {}, onError() {},
      });
    }
    process.exit(3);`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  for (let n = 0; n < 3; n += 1) {
    const code = await new Promise((resolve, reject) => {
      new Worker(url).on('exit', resolve).on('error', reject);
    });
    assert.equal(code, 3);
  }
});
