import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ParseError } from '../../codecs/errors.ts';
import { flvUnits } from './flv-units.ts';
import { hex } from './hex.ts';

/** Written by hand after FLV 10.1 §E.2 to §E.4: metadata, both sequence headers, four units. */
const FILE = hex`
  464c56 01 05 00000009 00000000
  12 000001 000000 00 000000 02                          0000000c
  09 000009 000000 00 000000 17 00 000000 0142c00d       00000014
  08 000004 000000 00 000000 af 00 1190                  0000000f
  09 00000b 000028 00 000000 17 01 000050 00000002 65ab  00000016
  08 000005 00002a 00 000000 af 01 210a0b                00000010
  09 00000b fffff0 01 000000 27 01 ffffd8 00000002 41cd  00000016
  08 000004 000000 02 000000 af 01 2111                  0000000f`;

/** sha256sum of 00000002 65ab, 210a0b, 00000002 41cd, 2111 */
const UNITS = [
  {
    kind: 'video',
    ptsUs: 120_000,
    dtsUs: 40_000,
    sha256: '7ae06a6610ee3bb27d2e7e3e0c22b35c18d94b20c4e2943c33e13f5599a14346',
    key: true,
  },
  {
    kind: 'audio',
    ptsUs: 42_000,
    dtsUs: 42_000,
    sha256: 'd71f09aa34b233b3759acd86bb491b5932e958d6e854b005aa297a50ac8b3339',
    key: true,
  },
  {
    kind: 'video',
    ptsUs: 33_554_376_000,
    dtsUs: 33_554_416_000,
    sha256: 'fa83abb513648a432469d78ed144284654c5c8d8d63b6a6547c0f5e1f8d2de2b',
    key: false,
  },
  {
    kind: 'audio',
    ptsUs: 33_554_432_000,
    dtsUs: 33_554_432_000,
    sha256: '8f0d364658e90792aaf0f166a30c47ae8337aa32753981bad4aa3590c3f6d2f0',
    key: true,
  },
];

describe('flvUnits', () => {
  it('has every picture and audio frame, and nothing else', () => {
    assert.deepEqual(flvUnits(FILE), UNITS);
  });

  it('leaves out a tag that is cut at the end, at every byte', () => {
    const last = FILE.length - (11 + 4 + 4);
    for (let end = last; end < FILE.length; end += 1) {
      assert.deepEqual(flvUnits(FILE.subarray(0, end)), UNITS.slice(0, 3), `cut at ${end}`);
    }
  });

  it('is for FLV only', () => {
    assert.throws(() => flvUnits(hex`000001ba 44000400 00000000 00`), ParseError);
    assert.throws(() => flvUnits(hex`464c56`), ParseError);
  });
});
