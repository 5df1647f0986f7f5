import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { Hub } from '../../../gateway/hub/hub.ts';
import { BacklogBudget } from '../../../gateway/viewers/backlog-budget.ts';
import { FanOut, type Viewer } from '../../../gateway/viewers/fan-out.ts';
import { readBytes, socketPair } from '../../support/socket-pair.ts';
import { VIDEO_TRACK, videoUnit } from '../../support/units.ts';
import { until } from '../../support/until.ts';

const PICTURE_BYTES = 300_000;

class SocketViewer implements Viewer {
  readonly socket: Socket;
  sends = 0;
  words = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
  }

  get backlogBytes(): number {
    return this.socket.writableLength;
  }

  send(bytes: Uint8Array): void {
    this.sends += 1;
    this.socket.write(bytes);
  }

  close(words: string): void {
    this.words = words;
    this.socket.destroy();
  }
}

test('sockets written to with one call: one stops reading for a while, one is gone, and each byte comes once and in order', async (t) => {
  const hub = new Hub(0, () => 0);
  const framer = {
    start: () => undefined,
    header: () => undefined,
    frame: ({ data }: AccessUnit) => data.slice(),
  };
  const fanOut = new FanOut(hub, () => framer, { now: () => 0, budget: new BacklogBudget() });
  const [quick, slow, gone] = [await socketPair(t), await socketPair(t), await socketPair(t)];
  const viewers = [gone, slow, quick].map(({ near }) => new SocketViewer(near));
  const stream = hub.open('cam');
  stream.start([VIDEO_TRACK]);
  for (const viewer of viewers) fanOut.join('cam', viewer);
  const sent: Uint8Array[] = [];
  const write = () => {
    const unit = videoUnit({
      byteLength: PICTURE_BYTES,
      fill: sent.length + 1,
      randomAccess: sent.length === 0,
    });
    sent.push(unit.data.slice());
    stream.write(unit);
  };
  const atQuick = readBytes(quick.far);
  gone.near.destroy();
  while (slow.near.writableLength === 0 && sent.length < 100) write();
  for (let more = 0; more < 5; more += 1) write();
  assert.ok(slow.near.writableLength > PICTURE_BYTES, 'it waits in the socket');
  const atSlow = readBytes(slow.far);
  await until(() => slow.near.writableLength + quick.near.writableLength === 0);
  write();
  const all = Buffer.concat(sent);
  await until(() => atQuick.byteLength >= all.length && atSlow.byteLength >= all.length);
  assert.deepEqual(atQuick.concat(), all);
  assert.deepEqual(atSlow.concat(), all);
});
