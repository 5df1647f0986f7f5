import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Amf0Value } from '../../../codecs/flv/amf0.ts';
import { AcceptedFourCcs, offerOf } from '../../../protocols/rtmp/enhanced-connect.ts';

const ALL = ['hvc1', 'av01', 'vp09', 'Opus', 'ac-3', 'ec-3'] as const;

function taken(...values: Amf0Value[]): string {
  const accepted = new AcceptedFourCcs({ name: '_result', transactionId: 1, values });
  return ALL.filter((fourCc) => accepted.has(fourCc)).join(' ');
}

for (const [name, values, want] of [
  ['a server of 2012', [{ fmsVer: 'FMS/3,0,1,123' }, { code: 'ok' }], ''],
  ['a server that answers nothing', [], ''],
  ['a list in the properties', [{ fourCcList: ['hvc1', 'Opus'] }, {}], 'hvc1 Opus'],
  ['a list in the information', [null, { fourCcList: ['av01'] }], 'av01'],
  ['everything', [{ fourCcList: ['*'] }], ALL.join(' ')],
  ['letters as in the specification’s example', [{ fourCcList: ['Hvc1', 'AV01'] }], 'hvc1 av01'],
  ['maps', [{ videoFourCcInfoMap: { hvc1: 1 }, audioFourCcInfoMap: { Opus: 4 } }], 'hvc1 Opus'],
  ['a map of any video', [{ videoFourCcInfoMap: { '*': 4 } }], 'hvc1 av01 vp09'],
  ['a codec that it can only encode', [{ videoFourCcInfoMap: { hvc1: 2, av01: 3 } }], 'av01'],
  ['a codec in the map of the other kind', [{ audioFourCcInfoMap: { hvc1: 4 } }], ''],
  ['things of other types', [{ fourCcList: 'hvc1', videoFourCcInfoMap: ['av01'] }], ''],
  ['entries of other types', [{ fourCcList: [1, null], videoFourCcInfoMap: { hvc1: 'x' } }], ''],
] as const satisfies readonly (readonly [string, readonly Amf0Value[], string])[]) {
  test(`${name}: ${want === '' ? 'nothing' : want}`, () => assert.equal(taken(...values), want));
}

test('nothing is offered for a stream that needs nothing', () => {
  assert.deepEqual(offerOf([]), {});
});
