import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { MpegtsDatagrams } from '../../../drivers/encoder/mpegts-datagrams.ts';
import { TsDemuxer } from '../../../protocols/mpegts/demuxer.ts';
import { hex } from '../../support/hex.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { rtpBytes } from '../../support/rtp-packets.ts';
import { TestEncoder } from '../../support/test-encoder.ts';

function receive() {
  const sink = new RecordingSink();
  const demuxer = new TsDemuxer({ sink, now: () => 0, program: undefined });
  const datagrams = new MpegtsDatagrams(demuxer);
  const push = (bytes: Uint8Array, nowMs = 0) => {
    // As receivers have it: somewhere in a larger buffer that is used again.
    const buffer = concat(new Uint8Array(5).fill(0x47), bytes, new Uint8Array(5).fill(0x47));
    datagrams.push(buffer, 5, buffer.length - 5, nowMs);
    buffer.fill(0xee);
  };
  return { sink, demuxer, datagrams, push };
}

function rtpDatagrams(count: number, from = 65_534, payloadType = 33): Uint8Array[] {
  const encoder = new TestEncoder();
  return Array.from({ length: count }, (_, n) =>
    rtpBytes({
      sequenceNumber: (from + n) & 0xffff,
      timestamp: n * 3600,
      payloadType,
      payload: encoder.datagram(),
    }),
  );
}

describe('datagrams', () => {
  test('with MPEG-TS as it is', () => {
    const { sink, push, datagrams } = receive();
    const encoder = new TestEncoder();
    for (let n = 0; n < 5; n += 1) push(encoder.datagram());
    assert.equal(sink.audio.length, 5);
    assert.equal(sink.video.length, 4);
    assert.equal(datagrams.isRtp, false);
  });

  test('cut without regard to packets', () => {
    const { sink, push, demuxer } = receive();
    const encoder = new TestEncoder();
    const bytes = concat(...Array.from({ length: 5 }, () => encoder.datagram()));
    for (let at = 0; at < bytes.length; at += 1472) push(bytes.subarray(at, at + 1472));
    assert.equal(sink.video.length, 4);
    assert.equal(demuxer.resyncs, 0);
  });

  test('that look like RTP once a stream is known are not taken for it', () => {
    const { sink, push, datagrams } = receive();
    const encoder = new TestEncoder();
    push(encoder.datagram());
    const datagram = encoder.datagram();
    push(datagram.subarray(0, 188 * 6));
    push(concat(hex`80210001 00000000 00000000`, datagram.subarray(188 * 6)));
    push(encoder.datagram());
    assert.equal(datagrams.isRtp, false);
    assert.equal(sink.video.length, 2);
  });

  for (const payloadType of [33, 96]) {
    test(`with RTP of payload type ${payloadType}, over the wrap of sequence numbers`, () => {
      const { sink, push, datagrams } = receive();
      for (const datagram of rtpDatagrams(6, 65_533, payloadType)) push(datagram);
      assert.equal(datagrams.isRtp, true);
      assert.equal(sink.video.length, 5);
      assert.equal(sink.starts, 1);
    });
  }

  test('with RTP, out of order and twice', () => {
    const { sink, push, demuxer } = receive();
    const [a, b, c, d, e] = rtpDatagrams(5);
    for (const datagram of [a, c, b, b, e, d, a]) push(datagram!);
    assert.deepEqual(
      sink.video.map(({ ptsUs }) => ptsUs / 40_000),
      [25, 26, 27, 28],
    );
    assert.deepEqual([...demuxer.continuityErrors], []);
  });

  test('with RTP, of which one is lost', () => {
    const { sink, push, demuxer } = receive();
    const [a, b, , d, e, f] = rtpDatagrams(6);
    for (const [n, datagram] of [a, b, d, e, f].entries()) push(datagram!, n * 200);
    assert.ok(demuxer.continuityErrors.size > 0);
    assert.equal(sink.video.length, 3);
  });

  test('with other RTP', () => {
    const { sink, push, datagrams } = receive();
    push(rtpBytes({ payloadType: 96, payload: new Uint8Array(100).fill(0x65) }));
    push(rtpBytes({ payloadType: 0, payload: new TestEncoder().datagram() }));
    assert.equal(datagrams.isRtp, false);
    assert.equal(sink.units.length, 0);
  });
});
