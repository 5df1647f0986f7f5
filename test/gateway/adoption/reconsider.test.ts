/** Another configuration while devices are listed and adopted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../gateway/config/load.ts';
import { until } from '../../support/until.ts';
import { AdoptionBench, LOGIN, startCamera } from './adoption-bench.ts';

const config = (yaml: string) =>
  parseConfig(`discovery: { ${yaml} }`, { file: 'test', folder: '/', env: {} });

test('a login that is configured later is tried at once; a stream that is configured later takes the camera over', async (t) => {
  const camera = await startCamera(t);
  const bench = AdoptionBench.start(t);
  bench.see(camera.xaddr);
  await until(() => bench.found[0]?.needsPassword === true);
  bench.adoption.reconsider(config(`credentials: [ ${LOGIN} ]`), config(''));
  await until(() => bench.streams.size === 1);
  const [adopted = ''] = bench.names;
  bench.configured.set('front-door', '127.0.0.1');
  const same = config(`credentials: [ ${LOGIN} ]`);
  bench.adoption.reconsider(same, same);
  await until(() => bench.found[0]?.adoptedAs === 'front-door');
  assert.equal(bench.streams.has(adopted), false);
  const listed = bench.adoption.servedBy('front-door');
  assert.ok(listed !== undefined);
  // As stream/remove does.
  await bench.adoption.refuse(listed.record, listed, 'ignore');
  bench.configured.delete('front-door');
  bench.adoption.reconsider(same, same);
  assert.equal(bench.found[0]?.code, 'ignored');
  assert.equal(bench.streams.size, 0);
});
