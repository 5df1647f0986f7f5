import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AuthenticationError, ProtocolError } from '../../../codecs/errors.ts';
import { fetchSnapshot } from '../../../drivers/camera/snapshot.ts';
import { CredentialChooser } from '../../../drivers/onvif/credential-chooser.ts';

const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xdb, 9, 8, 7);
const LOGIN = { username: 'u', password: 'p' };

async function camera(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/cgi-bin/snap?c=1`;
}

function fetch(url: string, chooser = new CredentialChooser([LOGIN], () => 0), timeoutMs = 5_000) {
  return fetchSnapshot({ url, credentials: chooser, tls: {} }, AbortSignal.timeout(timeoutMs));
}

test('the bytes as they are, whatever the type says', async (t) => {
  const url = await camera(t, (request, response) => {
    assert.equal(request.url, '/cgi-bin/snap?c=1');
    response.setHeader('content-type', 'application/octet-stream');
    response.write(JPEG.subarray(0, 2));
    response.end(JPEG.subarray(2));
  });
  assert.deepEqual(new Uint8Array(await fetch(url)), JPEG);
});

test('Basic, where the camera knows nothing better', async (t) => {
  const url = await camera(t, ({ headers }, response) => {
    if (headers.authorization === 'Basic dTpw') response.end(JPEG);
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="cam"' }).end();
  });
  assert.equal((await fetch(url)).length, JPEG.length);
});

test('no JPEG: a page, nothing at all', async (t) => {
  for (const body of ['<html>', '']) {
    const url = await camera(t, (_request, response) => response.end(body));
    await assert.rejects(fetch(url), /no JPEG/);
  }
});

test('larger than any picture: cut off, and the connection with it', async (t) => {
  let closed: Promise<unknown> = Promise.resolve();
  const url = await camera(t, (_request, response) => {
    closed = once(response, 'close');
    const more = () => {
      while (response.write(new Uint8Array(65_536).fill(0xff)));
    };
    response.on('drain', more);
    more();
  });
  await assert.rejects(
    fetch(url),
    (error) => error instanceof ProtocolError && /larger/.test(error.message),
  );
  await closed;
});

test('a camera that does not finish: the time is over, and the connection closed', async (t) => {
  let closed: Promise<unknown> = Promise.resolve();
  const url = await camera(t, (_request, response) => {
    closed = once(response, 'close');
    response.write(JPEG);
  });
  await assert.rejects(fetch(url, undefined, 100), { name: 'TimeoutError' });
  await closed;
});

test('a wrong password is not tried for ever', async (t) => {
  let asked = 0;
  const url = await camera(t, ({ headers }, response) => {
    if (headers.authorization !== undefined) asked += 1;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="cam"' }).end();
  });
  const chooser = new CredentialChooser([LOGIN], () => 0);
  for (let count = 0; count < 6; count += 1) {
    await assert.rejects(fetch(url, chooser), AuthenticationError);
  }
  assert.equal(asked, 3);
});
