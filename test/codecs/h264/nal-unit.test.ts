import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NalUnitType, nalUnitType } from '../../../codecs/h264/nal-unit.ts';

test('the type is in the lower five bits, whatever nal_ref_idc', () => {
  assert.equal(nalUnitType(0x65), NalUnitType.idr);
  assert.equal(nalUnitType(0x25), NalUnitType.idr);
  assert.equal(nalUnitType(0x67), NalUnitType.sps);
  assert.equal(nalUnitType(0x01), NalUnitType.nonIdr);
});
