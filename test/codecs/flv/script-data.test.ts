import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import { EcmaArray, serializeAmf0 } from '../../../codecs/flv/amf0.ts';
import { metadataOf } from '../../../codecs/flv/script-data.ts';
import { hex } from '../../support/hex.ts';

describe('onMetaData', () => {
  const entries = { streamName: 'yard', width: 640 };
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['as an object', serializeAmf0('onMetaData', entries)],
    ['as an ECMA array, as ffmpeg writes it', serializeAmf0('onMetaData', new EcmaArray(entries))],
    ['behind what a publisher says', serializeAmf0('@setDataFrame', 'onMetaData', entries)],
    ['with something broken behind it', concat(serializeAmf0('onMetaData', entries), hex`02ffff`)],
  ];
  for (const [name, bytes] of cases) {
    it(name, () => assert.equal(metadataOf(bytes)?.['streamName'], 'yard'));
  }

  it('is not what others are', () => {
    assert.equal(metadataOf(serializeAmf0('onCuePoint', entries)), undefined);
    assert.equal(metadataOf(serializeAmf0('onMetaData')), undefined);
    assert.equal(metadataOf(hex`02`), undefined);
    assert.equal(metadataOf(hex``), undefined);
  });
});
