/** What a device, or whoever answers in its place, may send back: much, for ever, deep, or nothing of use. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { ParseError, ProtocolError } from '../../../codecs/errors.ts';
import { OnvifClient } from '../../../drivers/onvif/onvif-client.ts';
import { SIGNAL, startControlled } from '../../support/controlled-camera.ts';
import { VirtualOnvif } from '../../support/virtual-onvif.ts';

const MB = 1024 * 1024;
/** For a reply that never ends; the others have the usual time. */
const SHORT_MS = 400;
const HEAD = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>';

/** Sends until it is all sent, or nobody takes it any more. Returns how much it got rid of. */
function pour(response: ServerResponse, totalBytes: number): { sentBytes: number } {
  const sent = { sentBytes: 0 };
  const chunk = Buffer.alloc(MB, 'x');
  const write = () => {
    while (sent.sentBytes < totalBytes && !response.destroyed) {
      sent.sentBytes += MB;
      if (!response.write(chunk)) {
        response.once('drain', write);
        return;
      }
    }
    response.end();
  };
  write();
  return sent;
}

async function ask(
  answer: (operation: string, response: ServerResponse) => boolean,
  use: (client: OnvifClient) => Promise<unknown>,
  timeoutMs = 10_000,
): Promise<{ error: unknown; elapsedMs: number }> {
  const camera = await VirtualOnvif.start({ rtspUrl: 'rtsp://127.0.0.1/x', answer });
  const endpoint = {
    host: '127.0.0.1',
    port: camera.port,
    path: '/onvif/device_service',
    secure: false,
  };
  const client = new OnvifClient(
    endpoint,
    { username: 'admin', password: 'secret' },
    { signal: SIGNAL, now: Date.now, timeoutMs },
  );
  const started = performance.now();
  try {
    await use(client);
    return { error: undefined, elapsedMs: performance.now() - started };
  } catch (error) {
    return { error, elapsedMs: performance.now() - started };
  } finally {
    await camera.close();
  }
}

const profiles = async (client: OnvifClient) => {
  await client.describeDevice();
  return await client.profiles();
};

describe('hostile replies', { concurrency: true }, () => {
  it('300 MB: a few are read, whether their length is told or not', async () => {
    for (const headers of [{ 'Content-Length': 300 * MB }, {}]) {
      let poured = { sentBytes: 0 };
      const { error } = await ask((operation, response) => {
        if (operation !== 'GetProfiles') return false;
        response.writeHead(200, headers);
        response.write(HEAD);
        poured = pour(response, 300 * MB);
        return true;
      }, profiles);
      assert.ok(
        error instanceof ProtocolError && error.code === 'ONVIF_REPLY_TOO_LONG',
        String(error),
      );
      assert.ok(poured.sentBytes < 30 * MB, `${poured.sentBytes} bytes were taken`);
    }
  });

  it('one that never ends, byte by byte: over after the time of one request', async () => {
    let timer: NodeJS.Timeout | undefined;
    const { error, elapsedMs } = await ask(
      (operation, response) => {
        if (operation !== 'GetProfiles') return false;
        response.writeHead(200).write(HEAD);
        timer = setInterval(() => response.write(' '), 20);
        return true;
      },
      profiles,
      SHORT_MS,
    );
    clearInterval(timer);
    assert.equal((error as { code?: string }).code, 'ETIMEDOUT');
    assert.ok(elapsedMs < 20 * SHORT_MS, `${elapsedMs} ms`);
  });

  it('headers without end', async () => {
    const { error } = await ask((operation, response) => {
      if (operation !== 'GetProfiles') return false;
      response.socket?.write(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(100_000)}`);
      return true;
    }, profiles);
    assert.ok(
      error instanceof ProtocolError || (error as { code?: string }).code === 'ECONNRESET',
      String(error),
    );
  });

  it('XML nested a million deep, with a million elements, with entities', async () => {
    const bodies = [
      `${HEAD}${'<a>'.repeat(300_000)}`,
      `${HEAD}${'<a/>'.repeat(200_000)}</s:Body></s:Envelope>`,
      `<!DOCTYPE a [<!ENTITY b "${'b'.repeat(1000)}">]>${HEAD}${'&b;'.repeat(1000)}</s:Body></s:Envelope>`,
      `${HEAD}<GetProfilesResponse>${'<Profiles token="a"><Name>x</Name></Profiles>'.repeat(9000)}</GetProfilesResponse></s:Body></s:Envelope>`,
    ];
    for (const [at, body] of bodies.entries()) {
      let found: unknown;
      const { error, elapsedMs } = await ask(
        (operation, response) => {
          if (operation === 'GetProfiles') response.end(body);
          return operation === 'GetProfiles';
        },
        async (client) => {
          found = await profiles(client);
        },
      );
      const isRefused = error instanceof ParseError || error instanceof ProtocolError;
      assert.ok(isRefused || (found as unknown[]).length === 256, `${at}: ${error}`);
      assert.ok(elapsedMs < 30_000, `${at}: ${elapsedMs} ms`);
    }
  });

  it('a redirect is not followed, whoever it leads to', async () => {
    const { error } = await ask((operation, response) => {
      if (operation !== 'GetProfiles') return false;
      response.writeHead(302, { Location: 'http://127.0.0.1:1/' }).end();
      return true;
    }, profiles);
    assert.equal((error as { status?: number }).status, 302);
  });

  it('any control is asked, and every answer is junk: errors, none that escapes', async (t) => {
    const junk = [
      '',
      '<html/>',
      `${HEAD}</s:Body></s:Envelope>`,
      `${HEAD}<s:Fault/></s:Body></s:Envelope>`,
      `${HEAD}<a><Options/><Configurations/><PTZNode/><Preset/></a></s:Body></s:Envelope>`,
    ];
    for (const reply of junk) {
      let isBroken = false;
      const { controls } = await startControlled(t, {
        ...{ ptz: {}, events: {}, media2: true },
        mangle: (xml) => (isBroken ? reply : xml),
      });
      await controls.clock(SIGNAL);
      const head = controls.ptz;
      isBroken = true;
      const calls = [
        () => controls.clock(SIGNAL),
        () => controls.setNtp('10.0.0.1', SIGNAL),
        () => controls.encoder(SIGNAL),
        () => controls.setEncoder({ kbps: 1000 }, SIGNAL),
        () => controls.watchMotion(() => {}, AbortSignal.timeout(5000)),
        () => head?.presets(SIGNAL),
        () => head?.setPreset({}, SIGNAL),
        () => head?.moveTo({ pan: 0 }, SIGNAL),
      ];
      for (const call of calls) {
        await Promise.resolve(call()).catch((error: unknown) => {
          const isKnown =
            error instanceof Error &&
            /^(?:Protocol|Parse|Unsupported|Authentication)Error$/.test(error.name);
          assert.ok(isKnown, `${call}: ${JSON.stringify(reply)}: ${error}`);
        });
      }
    }
  });
});
