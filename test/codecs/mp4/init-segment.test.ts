import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader } from '../../../codecs/byte-reader.ts';
import { boxes, findBox } from '../../../codecs/mp4/boxes.ts';
import { serializeInitSegment } from '../../../codecs/mp4/init-segment.ts';
import { trackForm } from '../../../codecs/mp4/track-form.ts';
import { toHex } from '../../support/hex.ts';
import { AUDIO_TRACK, VIDEO_TRACK } from '../../support/units.ts';

const VIDEO = trackForm(VIDEO_TRACK)!;
const AUDIO = trackForm(AUDIO_TRACK)!;

test('picture and sound: the boxes in their order, track numbers from 1, fragments announced', () => {
  const [ftyp, moov, ...others] = boxes(serializeInitSegment([VIDEO, AUDIO]));
  assert.deepEqual([ftyp!.type, moov!.type, others.length], ['ftyp', 'moov', 0]);
  assert.equal(toHex(ftyp!.payload), '69736f36 00000000 69736f36 6d703431'.replaceAll(' ', ''));
  const children = [...boxes(moov!.payload)];
  assert.deepEqual(
    children.map(({ type }) => type),
    ['mvhd', 'trak', 'trak', 'mvex'],
  );
  const ids = children
    .filter(({ type }) => type === 'trak')
    .map(({ payload }) => new ByteReader(findBox(payload, 'tkhd')!.subarray(12)).u32());
  assert.deepEqual(ids, [1, 2]);
  const trexes = [...boxes(children[3]!.payload)];
  assert.deepEqual(
    trexes.map(({ type, payload }) => [type, toHex(payload.subarray(4, 12))]),
    [
      ['trex', '0000000100000001'],
      ['trex', '0000000200000001'],
    ],
  );
});

test('a track has its size, its clock, its handler and its sample entry', () => {
  const trak = findBox(serializeInitSegment([VIDEO]), 'moov', 'trak')!;
  assert.equal(toHex(findBox(trak, 'tkhd')!.subarray(-8)), '0280000001e00000');
  assert.equal(new ByteReader(findBox(trak, 'mdia', 'mdhd')!.subarray(12)).u32(), 90_000);
  assert.equal(toHex(findBox(trak, 'mdia', 'hdlr')!.subarray(8, 12)), '76696465');
  const stsd = findBox(trak, 'mdia', 'minf', 'stbl', 'stsd')!;
  assert.equal(toHex(stsd), `0000000000000001${toHex(VIDEO.sampleEntry)}`);
});
