import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ACCESS_UNIT_HEADROOM, MAX_ACCESS_UNIT_BYTES } from '../../../codecs/access-unit.ts';
import type { Track } from '../../../codecs/track.ts';
import { CheckedSink } from '../../../gateway/extensions/checked-sink.ts';
import type { Unit } from '../../../gateway/extensions/extension-api.ts';
import { hex } from '../../support/hex.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { AUDIO_TRACK, HEVC_TRACK, VIDEO_TRACK } from '../../support/units.ts';

const GOOD: Unit = {
  track: VIDEO_TRACK,
  ptsUs: 40_000,
  dtsUs: 0,
  randomAccess: true,
  data: hex`00000002 6588 00000001 0c`,
};

function open() {
  const inner = new RecordingSink();
  return { inner, sink: new CheckedSink(inner) };
}

describe('what an extension writes', () => {
  it('comes out as it is, in a buffer with room before it', () => {
    let headroom = 0;
    let total = 0;
    const inner = new RecordingSink();
    const sink = new CheckedSink(
      {
        start: (tracks) => inner.start(tracks),
        write: (unit) => {
          headroom = unit.data.byteOffset;
          inner.write(unit);
        },
        stop: () => inner.stop(),
      },
      (bytes) => {
        total = bytes;
      },
    );
    sink.start([VIDEO_TRACK, AUDIO_TRACK]);
    sink.write(GOOD);
    sink.write({ ...GOOD, track: AUDIO_TRACK, randomAccess: false, dtsUs: 0.4, data: hex`21` });
    sink.stop();
    sink.stop();
    assert.ok(headroom >= ACCESS_UNIT_HEADROOM);
    assert.equal(total, 12);
    assert.deepEqual(inner.units[0]?.data, GOOD.data);
    assert.deepEqual(
      inner.units.map(({ ptsUs, dtsUs, randomAccess }) => [ptsUs, dtsUs, randomAccess]),
      [
        [40_000, 0, true],
        [40_000, 0, true],
      ],
    );
    assert.equal(inner.stops, 1);
  });

  it('begins anew only after an end', () => {
    const { inner, sink } = open();
    sink.start([VIDEO_TRACK]);
    assert.throws(() => sink.start([VIDEO_TRACK]), /start\(\) again before stop\(\)/);
    assert.equal(inner.starts, 1);
    sink.stop();
    sink.start([VIDEO_TRACK]);
    assert.equal(inner.starts, 2);
  });

  it('may change its track', () => {
    const { inner, sink } = open();
    sink.start([VIDEO_TRACK]);
    sink.write({ ...GOOD, track: HEVC_TRACK });
    assert.equal(inner.units[0]?.track, HEVC_TRACK);
  });

  const tracks: readonly (readonly [string, unknown, RegExp])[] = [
    ['no list', VIDEO_TRACK, /takes a list/],
    ['an empty list', [], /takes a list/],
    ['two pictures', [VIDEO_TRACK, HEVC_TRACK], /one track of a kind/],
    ['nothing', [undefined], /a track is an object/],
    [
      'an unknown codec',
      [{ kind: 'video', codec: 'mjpeg' }],
      /no track is of kind "video" and codec "mjpeg"/,
    ],
    ['a codec of another kind', [{ kind: 'audio', codec: 'h264' }], /no track is of kind/],
    ['parameter sets that are text', [{ ...VIDEO_TRACK, sps: 'z0LAHtk=' }], /sps of a h264 track/],
    [
      'no configuration',
      [{ kind: 'audio', codec: 'aac', sampleRate: 1, channels: 1 }],
      /config of a aac track/,
    ],
    [
      'no sampling rate',
      [{ kind: 'audio', codec: 'pcma', channels: 1 }],
      /sampleRate and channels/,
    ],
  ];
  for (const [name, value, message] of tracks) {
    it(`is refused with ${name}`, () => {
      const { inner, sink } = open();
      assert.throws(() => sink.start(value as readonly Track[]), { message });
      assert.equal(inner.starts, 0);
    });
  }

  const units: readonly (readonly [string, object, RegExp])[] = [
    ['no number for a time', { ptsUs: Number.NaN }, /are microseconds/],
    ['a time beyond all times', { dtsUs: 1e300 }, /are microseconds/],
    ['a big number for a time', { ptsUs: 1n }, /are microseconds/],
    ['no bytes', { data: new Uint8Array(0) }, /data is a Uint8Array/],
    ['text for bytes', { data: 'abc' }, /data is a Uint8Array/],
    ['start codes for lengths', { data: hex`000001 6588` }, /a NAL unit of 357 bytes, only 1 left/],
    ['half a length', { data: hex`00000001 0c 0000` }, /half a NAL unit length/],
    [
      'too many bytes',
      { track: AUDIO_TRACK, data: new Uint8Array(MAX_ACCESS_UNIT_BYTES + 1) },
      /a unit of 8388609 bytes/,
    ],
    ['a track that is none', { track: {} }, /no track is of kind/],
  ];
  for (const [name, changes, message] of units) {
    it(`is refused with ${name}; the next is taken`, () => {
      const { inner, sink } = open();
      sink.start([VIDEO_TRACK]);
      assert.throws(() => sink.write({ ...GOOD, ...changes }), { message });
      assert.equal(inner.units.length, 0);
      sink.write(GOOD);
      assert.deepEqual(inner.units[0]?.data, GOOD.data);
    });
  }

  it('is refused before it has started', () => {
    assert.throws(() => open().sink.write(GOOD), /before start/);
  });
});
