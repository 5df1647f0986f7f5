import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once, setMaxListeners } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import pino from 'pino';
import { openViscaIp } from '../../../drivers/ptz/visca-ip-head.ts';
import { hex } from '../../support/hex.ts';
import type { ViscaScript } from '../../support/scripted-visca.ts';
import {
  BARE_HOST,
  type DatagramScript,
  ViscaIpCamera,
  viscaIpReply,
} from '../../support/visca-ip-camera.ts';

const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);
const RECALL = '8101043f0203ff';
const log = pino({ level: 'silent' });

async function openHead(test: TestContext, visca?: ViscaScript, script?: DatagramScript) {
  const camera = await ViscaIpCamera.listen(visca);
  camera.script = script;
  const head = openViscaIp({ host: '127.0.0.1', port: camera.port }, { log });
  test.after(async () => {
    await head.close();
    camera.close();
  });
  return { camera, head };
}

/** Leaves out the answers to the first `count` datagrams of this beginning. */
function loses(beginning: string, count: number): DatagramScript {
  let lost = 0;
  return (datagram) => {
    if (!datagram.startsWith(beginning) || lost === count) return undefined;
    lost += 1;
    return [];
  };
}

describe('a head that speaks VISCA over IP', { concurrency: true }, () => {
  it('is reset, then told things under rising numbers', async (test) => {
    const { camera, head } = await openHead(test);
    await head.move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, NEVER);
    await head.stop(NEVER);
    await head.moveTo({ pan: 0 }, NEVER);
    assert.equal(camera.datagrams[0], '020000010000000001');
    assert.deepEqual(camera.sequences, [1, 2, 3, 4, 5]);
    assert.deepEqual(camera.head.told, [
      '8101060118010203ff',
      '8101060101010303ff',
      '8101040700ff',
      '81090612ff',
      '810106021814000000000f0f0f0fff',
    ]);
    assert.equal((await head.abilities(NEVER)).protocol, 'visca-ip');
  });

  it('is told again what was lost on its way, under the same number', async (test) => {
    const { camera, head } = await openHead(test, undefined, loses('0100', 2));
    await head.goToPreset('3', NEVER);
    assert.deepEqual(camera.sequences, [1, 1, 1]);
    assert.deepEqual(camera.head.told, [RECALL]);
  });

  it('has done what it says it had before: only its answer was lost', async (test) => {
    let seen = 0;
    const { camera, head } = await openHead(test, undefined, (datagram) => {
      if (!datagram.startsWith('0100')) return undefined;
      seen += 1;
      return seen === 1 ? [] : [hex`0201 0002 00000001 0f01`];
    });
    await head.goToPreset('3', NEVER);
    assert.deepEqual(camera.sequences, [1, 1]);
  });

  it('begins anew with a head that counts otherwise', async (test) => {
    let isOutOfStep = false;
    const { camera, head } = await openHead(test, undefined, (datagram) => {
      if (datagram.startsWith('02')) isOutOfStep = false;
      return isOutOfStep ? [hex`0200 0002 ${datagram.slice(8, 16)} 0f01`] : undefined;
    });
    await head.goToPreset('3', NEVER);
    // It was switched off and on.
    isOutOfStep = true;
    await head.goToPreset('3', NEVER);
    assert.deepEqual(camera.sequences, [1, 2, 1]);
    assert.deepEqual(camera.head.told, [RECALL, RECALL]);
  });

  it('may say everything twice', async (test) => {
    const { head } = await openHead(test, (packet) =>
      packet === RECALL ? [hex`90 41 ff`, hex`90 41 ff`, hex`90 51 ff`, hex`90 51 ff`] : undefined,
    );
    await head.goToPreset('3', NEVER);
    await head.goToPreset('4', NEVER);
    await head.goToPreset('3', NEVER);
  });

  it('is not misunderstood when it answers an older message', async (test) => {
    const { head } = await openHead(test, undefined, (datagram) =>
      datagram.endsWith(RECALL)
        ? [viscaIpReply('00000000', hex`90 41 ff`), viscaIpReply('00000001', hex`90 60 41 ff`)]
        : undefined,
    );
    await assert.rejects(head.goToPreset('3', NEVER), { code: 'VISCA_NOT_EXECUTABLE' });
  });

  it('may have another address in its answers', async (test) => {
    // bitfocus/companion-module-ptzoptics-visca#57: a0 41 ff.
    const { head } = await openHead(test, () => [hex`a0 41 ff`, hex`a0 51 ff`]);
    await head.goToPreset('3', NEVER);
  });

  it('may not know the reset, and may send junk', async (test) => {
    const { head } = await openHead(test, undefined, (datagram) =>
      datagram.startsWith('02') ? [hex`ff 00`, hex``] : undefined,
    );
    await head.goToPreset('3', NEVER);
  });

  it('may refuse the message', async (test) => {
    const { head } = await openHead(test, undefined, (datagram) =>
      datagram.startsWith('01') ? [hex`0201 0002 ${datagram.slice(8, 16)} 0f02`] : undefined,
    );
    await assert.rejects(head.goToPreset('3', NEVER), { code: 'VISCA_REFUSED' });
  });

  it('that does not answer is told so', async (test) => {
    const { camera, head } = await openHead(test, undefined, () => []);
    await assert.rejects(head.goToPreset('3', NEVER), { code: 'VISCA_TIMEOUT' });
    assert.deepEqual(camera.sequences, [1, 1, 1]);
  });

  it('that is not there is told so at once', async (test) => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    await once(socket, 'close');
    const head = openViscaIp({ host: '127.0.0.1', port }, { log });
    test.after(() => head.close());
    await assert.rejects(head.goToPreset('3', NEVER), { code: 'ECONNREFUSED' });
  });

  it('is stopped by us when the time is over, and at the end', async (test) => {
    const { camera, head } = await openHead(test);
    await head.move({ pan: 0, tilt: 0, zoom: 1 }, 60_000, NEVER);
    await head.close();
    assert.deepEqual(camera.head.told, ['8101040727ff', '8101060101010303ff', '8101040700ff']);
    await assert.rejects(head.home(NEVER), { code: 'PTZ_CLOSED' });
  });

  // glikely/obs-ptz#177.
  it('may take bare packets on port 1259, each once', async (test) => {
    let isDeaf = false;
    const script: ViscaScript = (packet) => (isDeaf && packet === RECALL ? [] : undefined);
    const camera = await ViscaIpCamera.listen(script, true);
    const head = openViscaIp({ host: BARE_HOST, port: camera.port }, { log });
    test.after(async () => {
      await head.close();
      camera.close();
    });
    await head.goToPreset('3', NEVER);
    await head.moveTo({ tilt: 0 }, NEVER);
    isDeaf = true;
    await assert.rejects(head.goToPreset('3', NEVER), { code: 'VISCA_TIMEOUT' });
    await head.stop(NEVER);
    assert.deepEqual(camera.datagrams, [
      RECALL,
      '81090612ff',
      '8101060218140001020300000000ff',
      RECALL,
      '81010001ff',
      '8101060101010303ff',
      '8101040700ff',
    ]);
  });
});

/** Found by attack: SIGTERM took 1.9 s and the emergency exit, because a silent head was asked on and on. */
describe('a head over IP that falls silent, at the end', () => {
  it('leaves nothing behind', async (test) => {
    let isSilent = false;
    const { head } = await openHead(test, undefined, () => (isSilent ? [] : undefined));
    await head.move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, NEVER);
    isSilent = true;
    const stopped = head.stop(NEVER).catch((error: unknown) => error);
    await head.close();
    assert.equal(((await stopped) as { code?: string }).code, 'PTZ_CLOSED');
    await new Promise(setImmediate);
    assert.deepEqual(
      process.getActiveResourcesInfo().filter((each) => each === 'Timeout'),
      [],
    );
  });

  it('opens no socket when its name is found too late', async () => {
    const head = openViscaIp({ host: 'localhost', port: 9 }, { log });
    const moved = head.move({ pan: 1, tilt: 0, zoom: 0 }, 60_000, NEVER);
    const refused = assert.rejects(moved, { code: 'PTZ_CLOSED' });
    await head.close();
    await refused;
  });
});
