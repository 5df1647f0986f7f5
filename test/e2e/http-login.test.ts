/** The login of a gateway that others can reach, as the bundle has it: from the password on the console to a kill while another is kept. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';

const TEST_MS = 90_000;
const OWN = 'three unrelated words';
const READS = 'a-token-that-reads-1';
const COMMANDS = 'a-token-that-commands';

let gateway: GatewayProcess;
let made = '';

before(async () => {
  // Every address of this machine: this one is reached over loopback, and asks all the same.
  gateway = await GatewayProcess.start(
    `mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }\n`,
    {
      host: '0.0.0.0',
      http: `tokens: [{ name: prometheus, token: ${READS} }, { name: robot, token: ${COMMANDS}, access: admin }]`,
    },
  );
  made = /shown this once: admin (\S+)/.exec(gateway.log)?.[1] ?? '';
});
after(() => gateway?.stop());

interface Asked {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Of this machine, which has 16 million. */
  readonly from?: string;
}

async function ask(method: string, path: string, { body, headers = {}, from }: Asked = {}) {
  const { port } = new URL(gateway.url);
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const request = httpRequest({
    ...{ host: '127.0.0.1', port, method, path, agent: false, localAddress: from },
    headers: { ...json, ...headers },
  });
  request.end(JSON.stringify(body));
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += chunk;
  const cookie = response.headers['set-cookie']?.[0] ?? '';
  const pair = cookie.split(';')[0] ?? '';
  return { status: response.statusCode, headers: response.headers, cookie, pair, text };
}

const logIn = (password: string, from?: string) =>
  ask('POST', '/api/v1/login', {
    body: { username: 'admin', password },
    ...(from === undefined ? {} : { from }),
  });
const statusWith = async (headers: Record<string, string>, path = '/api/v1/streams') =>
  (await ask('GET', path, { headers })).status;
const setPassword = (cookie: string, current: string, password: string) =>
  ask('POST', '/api/v1/password', { body: { current, password }, headers: { cookie } });
const basic = (password: string) => ({
  authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`,
});

async function openMqtt(headers: Record<string, string>) {
  const url = `${gateway.url.replace('http', 'ws')}/mqtt`;
  const socket = new WebSocket(url, 'mqtt', { headers });
  const outcome = await once(socket, 'open').then(() => 'open', String);
  socket.on('error', () => undefined);
  return { socket, outcome };
}

describe('a gateway that others can reach', { timeout: TEST_MS }, () => {
  test('the page is for everybody, nothing else is', async () => {
    const page = await ask('GET', '/');
    assert.equal(page.status, 200);
    assert.match(String(page.headers['content-security-policy']), /^default-src 'none'; script-/);
    const script = /src="\.\/(main-\w+\.js)"/.exec(page.text)?.[1] ?? '';
    const { status, headers } = await ask('GET', `/${script}`, {
      headers: { 'accept-encoding': 'br' },
    });
    assert.equal(status, 200);
    assert.equal(headers['content-encoding'], 'br');
    assert.match(String(headers['cache-control']), /immutable/);
    const config = JSON.parse((await ask('GET', '/config.json')).text) as Record<string, unknown>;
    assert.deepEqual([config['view'], config['mqttUrl']], ['local', '/mqtt']);
    for (const path of ['/api/v1/streams', '/metrics', '/live/a.flv', '/%2e%2e/package.json']) {
      assert.equal(await statusWith({}, path), 401, path);
    }
    assert.match((await openMqtt({})).outcome, /401/);
  });

  test('the password of the console is on the disk as a hash only', async () => {
    assert.match(made, /^[a-z2-9]{20}$/);
    for (const name of await readdir(gateway.dataDir)) {
      const text = await readFile(join(gateway.dataDir, name), 'utf8');
      assert.ok(!text.includes(made), name);
    }
    const { mode } = await stat(join(gateway.dataDir, 'http-login.json'));
    assert.equal(mode & 0o777, 0o600);
  });

  test('tokens: one reads, the other commands', async () => {
    const reads = { authorization: `Bearer ${READS}` };
    const commands = { authorization: `Bearer ${COMMANDS}` };
    for (const path of ['/api/v1/streams', '/metrics']) {
      for (const headers of [reads, commands]) assert.equal(await statusWith(headers, path), 200);
    }
    const level = (headers: Record<string, string>) =>
      ask('POST', '/api/v1/cmd/log/level', { body: { level: 'info' }, headers });
    assert.equal((await level(reads)).status, 403);
    assert.equal((await level(commands)).status, 200);
    assert.equal(await statusWith({ authorization: 'Bearer another-token-here' }), 401);
  });

  test('guesses from one address: 429; from elsewhere it goes on', async () => {
    for (let count = 0; count < 10; count += 1) {
      assert.equal((await logIn(`guess ${count}`, '127.0.0.9')).status, 401);
    }
    const { status, headers } = await logIn(made, '127.0.0.9');
    assert.equal(status, 429);
    assert.ok(Number(headers['retry-after']) > 0);
    const told = () => gateway.log.split('\n').filter((line) => line.includes('127.0.0.9"'));
    await gateway.until('it is told', () => Promise.resolve(told().length > 0));
    assert.equal(told().length, 1);
    assert.ok(!gateway.log.includes('guess'));
  });

  test('logged in; from other sites nothing; a password of one’s own ends the others', async () => {
    const first = await logIn(made);
    assert.equal(first.status, 200);
    assert.match(first.cookie, /; Path=\/; HttpOnly; SameSite=Strict; Max-Age=/);
    assert.match(first.text, /"mustSetPassword":true/);
    const other = await logIn(made);
    assert.equal(await statusWith({ cookie: first.pair }), 200);

    const origin = 'https://evil.example';
    const foreign = await ask('POST', '/api/v1/cmd/log/level', {
      body: { level: 'info' },
      headers: { cookie: first.pair, origin },
    });
    assert.equal(foreign.status, 403);
    assert.match((await openMqtt({ cookie: first.pair, origin })).outcome, /403/);

    const own = await openMqtt({ cookie: first.pair, origin: gateway.url });
    const ended = await openMqtt({ cookie: other.pair, origin: gateway.url });
    assert.deepEqual([own.outcome, ended.outcome], ['open', 'open']);
    const closed = once(ended.socket, 'close');
    const set = await setPassword(first.pair, made, OWN);
    assert.equal(set.status, 200);
    assert.match(set.text, /"mustSetPassword":false/);
    await closed;
    assert.equal(own.socket.readyState, WebSocket.OPEN);
    own.socket.terminate();
    assert.equal(await statusWith({ cookie: other.pair }), 401);
    assert.equal(await statusWith({ cookie: set.pair }), 200);
    assert.equal(await statusWith(basic(made)), 401);
    assert.equal(await statusWith(basic(OWN)), 200);
  });

  test('20 logins that are hashed leave little memory behind', async () => {
    const beforeMb = await gateway.rssMb();
    for (let count = 0; count < 20; count += 1) {
      assert.equal((await logIn('wrong', `127.0.1.${1 + (count % 5)}`)).status, 401);
    }
    const grownMb = (await gateway.rssMb()) - beforeMb;
    assert.ok(grownMb < 8, `${grownMb.toFixed(1)} MB`);
  });

  test('killed while a password is kept: the old or the new one holds; sessions are gone', async () => {
    let known = OWN;
    for (const delayMs of [0, 25, 60, 120]) {
      const { pair } = await logIn(known);
      const next = `the next after ${delayMs} ms`;
      const asked = setPassword(pair, known, next).catch(() => undefined);
      await sleep(delayMs);
      await gateway.kill();
      await asked;
      const text = await readFile(join(gateway.dataDir, 'http-login.json'), 'utf8');
      assert.doesNotThrow(() => JSON.parse(text));
      await gateway.startAgain();
      assert.equal(await statusWith({ cookie: pair }), 401);
      if ((await logIn(next)).status === 200) known = next;
      assert.equal((await logIn(known)).status, 200);
    }
    assert.equal(gateway.log.match(/shown this once/g)?.length, 1);
    for (const secret of [made, OWN, known, READS, COMMANDS]) {
      assert.equal(gateway.log.replace(/shown this once.*/, '').includes(secret), false);
    }
  });
});
