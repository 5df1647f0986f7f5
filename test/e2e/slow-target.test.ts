/** A target that never reads costs itself whole GOPs, and the other target nothing. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';
import { VIDEO_STAMP_OFFSET } from '../bench/media.ts';
import { nowUs, readStamp } from '../bench/stamp.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';

/** A camera of 4 Mbit/s, which the kernel's buffers cannot swallow for long. */
const CAMERAS = fileURLToPath(new URL('../bench/cameras.js', import.meta.url));
const QUEUE_MAX_MS = 4_000;
const AVC_TAG_HEADER_BYTES = 5;
/** Half a frame's time: far above what is usual (1 ms), far below what waiting for a peer costs. */
const MAX_MEDIAN_LATENCY_MS = 20;

function sliceOf(avcc: Uint8Array): Uint8Array | undefined {
  const view = new DataView(avcc.buffer, avcc.byteOffset, avcc.byteLength);
  for (let at = 0; at + 4 < avcc.length; at += 4 + view.getUint32(at)) {
    const type = (avcc[at + 4] ?? 0) & 0x1f;
    if (type === 1 || type === 5) return avcc.subarray(at + 4);
  }
  return undefined;
}

/** Memory without end: go2rtc#675, mediamtx#4674, #4678, #2784; NMS#217, #473, #89. Others are disturbed: mediamtx#3514. */
test('a target that never reads drops whole GOPs and does not delay the other', async () => {
  const cameras = fork(CAMERAS, ['1', 'tcp']);
  const [{ ports }] = (await once(cameras, 'message')) as [{ ports: number[] }];
  const [port] = ports;
  const units: number[] = [];
  const latenciesMs: number[] = [];
  const receive = ({ typeId, payload }: RtmpMessage): void => {
    if (typeId !== MessageType.video || payload[1] !== 1) return;
    const slice = sliceOf(payload.subarray(AVC_TAG_HEADER_BYTES));
    if (slice === undefined) return;
    const { unit, sentAtUs } = readStamp(slice, VIDEO_STAMP_OFFSET);
    units.push(unit);
    latenciesMs.push((nowUs() - sentAtUs) / 1000);
  };
  const good = await RtmpSink.listen({ onMessage: (_session, message) => receive(message) });
  const deaf = await RtmpSink.listen({ reading: 'never' });
  const gateway = await GatewayProcess.start(`
streams: { cam: { source: "rtsp://127.0.0.1:${port}/0", transport: tcp } }
proxypublish:
  targets:
    - { targetUri: "${good.url('good')}" }
    - { targetUri: "${deaf.url('deaf')}" }
mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }
limits: { queueMaxMs: ${QUEUE_MAX_MS} }
`);
  try {
    const entry = await gateway.until(
      'whole GOPs were dropped for the target that does not read',
      async () => {
        const publish = await gateway.publish('cam', '-deaf');
        return publish !== undefined && publish.status.droppedGops > 0 ? publish : undefined;
      },
      90_000,
    );
    assert.equal(entry.status.state, 'publishing');
    assert.ok(entry.status.queueMs <= QUEUE_MAX_MS + 1_000, `${entry.status.queueMs} ms queued`);
    const other = await gateway.publish('cam', '-good');
    assert.equal(other?.status.droppedUnits, 0);
    const gaps = units.slice(1).filter((unit, index) => unit !== (units[index] ?? 0) + 1);
    assert.deepEqual(gaps, [], 'every picture came, in order');
    assert.ok(units.length > 100, `${units.length} pictures`);
    const median = latenciesMs.toSorted((a, b) => a - b)[latenciesMs.length >> 1] ?? Infinity;
    assert.ok(median < MAX_MEDIAN_LATENCY_MS, `${median} ms`);
  } finally {
    await gateway.stop();
    cameras.disconnect();
    await Promise.all([good.close(), deaf.close()]);
  }
});
