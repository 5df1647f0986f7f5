import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UnsupportedError } from '../../../../codecs/errors.ts';
import { selectMedias } from '../../../../protocols/rtp/media-selection.ts';
import { RtpPresentation } from '../../../../protocols/rtp/rtp-presentation.ts';
import { parseSdp } from '../../../../protocols/sdp/sdp.ts';
import { RecordingSink } from '../../../support/recording-sink.ts';
import { rtpBytes } from '../../../support/rtp-packets.ts';
import { TEST_PICTURE, TEST_SOUND, TestEncoder } from '../../../support/test-encoder.ts';
import { patSection, pmtSection, TsWriter } from '../../../support/ts-packets.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../../support/units.ts';

/** A session of SAT>IP or VLC: the static payload type alone, or named. */
const PLAIN = 'v=0\r\nm=video 0 RTP/AVP 33\r\n';
const NAMED = 'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 MP2T/90000\r\n';

function session(sdp = PLAIN) {
  const sink = new RecordingSink();
  const clock = { nowMs: 0 };
  const { selected } = selectMedias(parseSdp(sdp));
  const presentation = new RtpPresentation(selected, sink, () => clock.nowMs, 1);
  const encoder = new TestEncoder();
  let sequenceNumber = 65_534;
  /** RTP timestamps tell when a packet was sent, and not what is in it. */
  const push = (payload = encoder.datagram()) => {
    clock.nowMs += 40;
    const payloadType = sdp === PLAIN ? 33 : 96;
    const bytes = rtpBytes({ sequenceNumber, timestamp: sequenceNumber, payloadType, payload });
    sequenceNumber = (sequenceNumber + 1) & 0xffff;
    presentation.rtp(0, bytes, 0, bytes.length);
  };
  const lose = () => {
    encoder.datagram();
    sequenceNumber += 1;
  };
  return { sink, presentation, push, lose, clock };
}

describe('MPEG-TS in an RTP session', () => {
  for (const sdp of [PLAIN, NAMED]) {
    test(`both tracks, by their own times: ${sdp.split('\r\n')[1]}`, () => {
      const { sink, push } = session(sdp);
      for (let n = 0; n < 5; n += 1) push();
      assert.deepEqual(sink.tracks, [VIDEO_TRACK, AUDIO_TRACK]);
      assert.equal(sink.starts, 1);
      assert.deepEqual(
        sink.video.map(({ data, ptsUs }) => [data, ptsUs]),
        [0, 1, 2, 3].map((n) => [TEST_PICTURE, 1_000_000 + n * 40_000]),
      );
      assert.deepEqual(sink.audio[0]?.data, TEST_SOUND);
    });
  }

  test('a loss: the picture it was in is dropped', () => {
    const { sink, push, lose, presentation } = session();
    push();
    push();
    lose();
    for (let n = 0; n < 3; n += 1) push();
    const counters = {
      receivedBytes: 0,
      receivedPackets: 0,
      lostPackets: 0,
      damagedUnits: 0,
      jitterMs: 0,
      clockPercent: undefined,
      awaits: undefined,
    };
    presentation.readCounters(counters);
    assert.equal(counters.lostPackets, 1);
    assert.equal(counters.damagedUnits, 2, 'a picture and a sound');
    assert.equal(sink.video.length, 3);
  });

  test('what is left out is told; nothing that can be carried ends it', () => {
    const { push, presentation, clock } = session();
    const ts = new TsWriter();
    const tables = (...types: readonly number[]) => {
      const streams = types.map((type, index) => ({ pid: 0x100 + index, type }));
      return Buffer.concat([
        ...ts.section(0, patSection({ 1: 0x1000 })),
        ...ts.section(0x1000, pmtSection(1, streams)),
        ts.packet({ pid: 0x1fff, payload: new Uint8Array(184) }),
      ]);
    };
    push(tables(0x02));
    clock.nowMs = 6000;
    assert.throws(() => push(tables(0x02)), UnsupportedError);
    const other = session();
    other.push(tables(0x1b, 0x86));
    assert.deepEqual(other.presentation.notes, ['Left out: data of type 0x86.']);
    assert.deepEqual(presentation.notes, []);
  });
});
