/** RTSP over TLS: which certificates of a camera are taken. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { attempt, open } from '../../support/camera-attempt.ts';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';

let right: TestCertificate;
let wrongName: TestCertificate;

before(async () => {
  right = await makeCertificate('DNS:localhost,IP:127.0.0.1');
  wrongName = await makeCertificate('DNS:other.example');
});

test('a certificate that nobody vouches for is refused', async (context) => {
  const camera = await open(context, {}, right);
  const run = attempt(context, { url: camera.url });
  assert.match(String(Reflect.get(await run.error(), 'code')), /UNABLE_TO_VERIFY|SELF_SIGNED/);
});

test('one of the given authority is taken, and the whole session goes through TLS', async (context) => {
  const camera = await open(context, {}, right);
  const run = attempt(context, { url: camera.url, tls: { ca: right.ca } });
  await run.has(1, 1);
  camera.sendPicture();
  await run.has(2, 1);
  assert.deepEqual(run.driver.notes, []);
  await run.stop();
  assert.equal(camera.methods.at(-1), 'TEARDOWN');
});

test('one of the given authority for another name is refused', async (context) => {
  const camera = await open(context, {}, wrongName);
  const run = attempt(context, { url: camera.url, tls: { ca: wrongName.ca } });
  assert.equal(Reflect.get(await run.error(), 'code'), 'ERR_TLS_CERT_ALTNAME_INVALID');
});

test('the pinned one is taken, whatever its name and authority', async (context) => {
  const camera = await open(context, {}, wrongName);
  const { fingerprint } = wrongName;
  const run = attempt(context, { url: camera.url, tls: { fingerprint } });
  await run.has(1, 1);
});

test('another than the pinned one is refused before anything is asked', async (context) => {
  const camera = await open(context, {}, right);
  const { fingerprint } = wrongName;
  const run = attempt(context, { url: camera.url, tls: { ca: right.ca, fingerprint } });
  assert.equal(Reflect.get(await run.error(), 'code'), 'ERR_TLS_FINGERPRINT');
  assert.deepEqual(camera.methods, []);
});

test('insecure takes any, and says so loudly', async (context) => {
  const camera = await open(context, {}, wrongName);
  const run = attempt(context, { url: camera.url, tls: { insecure: true } });
  await run.has(1, 1);
  assert.match(run.driver.notes.join(), /NOT checked/);
  const warnings = run.log.filter((line) => JSON.parse(line).level === 40);
  assert.match(warnings.join(), /NOT checked/);
});

test('a camera without TLS on that port: an error, and nobody is harmed', async (context) => {
  const camera = await open(context);
  const url = camera.url.replace('rtsp:', 'rtsps:');
  const run = attempt(context, { url, tls: { insecure: true } });
  // It waits for a request that TLS never is.
  setTimeout(() => camera.hangUp(), 50);
  await run.error();
});
