/**
 * Damaged input for every parser: real bytes with a few of them changed, cut or doubled. A parser gives
 * a value or one of our two errors. The seed is fixed: a failure is the same on every machine.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adtsFrames } from '../../codecs/aac/adts.ts';
import { parseAudioSpecificConfig } from '../../codecs/aac/audio-specific-config.ts';
import { ParseError, UnsupportedError } from '../../codecs/errors.ts';
import { parseAmf0, serializeAmf0 } from '../../codecs/flv/amf0.ts';
import { flvTags, parseAacTagBody, parseAvcTagBody } from '../../codecs/flv/tag.ts';
import { annexBNalUnits, annexBToAvcc, avccToAnnexB } from '../../codecs/h264/annex-b.ts';
import { parseDecoderConfigurationRecord } from '../../codecs/h264/decoder-configuration-record.ts';
import { nalUnits } from '../../codecs/h264/nal-unit.ts';
import { parseSps } from '../../codecs/h264/sps.ts';
import { hex, toHex } from '../support/hex.ts';
import { DECODE_TIME_FIXTURES } from './h264/decode-time-fixtures.ts';

const SEED = 20_261_124;
const MUTANTS_PER_INPUT = 1500;

const HIGH_RECORD = hex`01640028 ff e1 001b 67640028acd940780227e5c044000003000400000300c83c60c658 01 0006 68ebe3cb22c0 fd f8 f8 00`;
const RICH_SPS = hex`6764001eacd940a02ff9701e7010101b700000030010000003032604000f424001e84a4c30078b16cb`;

const parsers: readonly {
  name: string;
  parse: (bytes: Uint8Array) => unknown;
  inputs: readonly Uint8Array[];
}[] = [
  {
    name: 'SPS',
    parse: parseSps,
    inputs: [RICH_SPS, ...DECODE_TIME_FIXTURES.slice(0, 3).map(({ sps }) => sps)],
  },
  {
    name: 'decoder configuration record',
    parse: parseDecoderConfigurationRecord,
    inputs: [HIGH_RECORD],
  },
  {
    name: 'AVCC',
    parse: (bytes) => [...nalUnits(bytes)],
    inputs: [hex`00000002 09f0 00000003 658801`],
  },
  { name: 'AVCC to Annex B', parse: avccToAnnexB, inputs: [hex`00000002 09f0 00000003 658801`] },
  {
    name: 'Annex B',
    parse: (bytes) => [...annexBNalUnits(bytes)],
    inputs: [hex`00000001 09f0 000001 658801 0000`],
  },
  { name: 'Annex B to AVCC', parse: annexBToAvcc, inputs: [hex`00000001 09f0 000001 658801 0000`] },
  {
    name: 'AudioSpecificConfig',
    parse: parseAudioSpecificConfig,
    inputs: [
      hex`1190 56e500`,
      hex`eb098800`,
      hex`118004c4010020000d4c61766335392e33372e31303056e500`,
    ],
  },
  {
    name: 'ADTS',
    parse: (bytes) => [...adtsFrames(bytes)],
    inputs: [hex`fff14c80013ffc de02 fff04c80015ffc abcd 21`],
  },
  {
    name: 'AMF0',
    parse: parseAmf0,
    inputs: [
      serializeAmf0('connect', 1, { app: 'live', a: [1, { b: null }], d: new Date(0) }, undefined),
    ],
  },
  {
    name: 'FLV',
    parse: (bytes) => [...flvTags(bytes)],
    inputs: [hex`464c56 01 05 00000009 00000000 08 000003 000000 00 000000 af0121 0000000e`],
  },
  { name: 'AVC tag body', parse: parseAvcTagBody, inputs: [hex`27 01 fffff6 00000001 41`] },
  { name: 'AAC tag body', parse: parseAacTagBody, inputs: [hex`af 01 21`] },
];

for (const [index, { name, parse, inputs }] of parsers.entries()) {
  test(`${name}: mutants give a value or an error of ours`, () => {
    const random = randomNumbers(SEED + index);
    let accepted = 0;
    for (const input of inputs) {
      assert.doesNotThrow(() => parse(input), 'the seed itself is good');
      for (let n = 0; n < MUTANTS_PER_INPUT; n += 1) {
        const mutant = mutate(input, random);
        const copy = mutant.slice();
        try {
          parse(mutant);
          accepted += 1;
        } catch (error) {
          const isOurs = error instanceof ParseError || error instanceof UnsupportedError;
          assert.ok(isOurs, `${toHex(mutant)}: ${error}`);
        }
        assert.deepEqual(mutant, copy, 'the input is not changed');
      }
    }
    assert.ok(accepted > 0, 'some mutants are harmless: the test reaches the depths of the parser');
  });
}

type Random = (below: number) => number;

/** Mulberry32: small, and good enough to choose bytes with. */
function randomNumbers(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function mutate(input: Uint8Array, random: Random): Uint8Array {
  const bytes = Array.from(input);
  for (let edits = 1 + random(4); edits > 0; edits -= 1) {
    const at = random(bytes.length + 1);
    const edit = random(6);
    if (edit === 0) bytes[at] = random(256);
    else if (edit === 1) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    else if (edit === 2) bytes[at] = random(2) * 255;
    else if (edit === 3) bytes.splice(at, 1 + random(4));
    else if (edit === 4) bytes.splice(at, 0, ...bytes.slice(at, at + random(8)));
    else bytes.length = at;
  }
  return Uint8Array.from(bytes);
}
