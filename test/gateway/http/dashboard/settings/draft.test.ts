import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { orLeftOut, withValue } from '../../../../../gateway/http/dashboard/settings/draft.ts';
import {
  formatPath,
  isWithin,
  pathIn,
} from '../../../../../gateway/http/dashboard/settings/field-path.ts';
import {
  numberOrText,
  unitWords,
} from '../../../../../gateway/http/dashboard/settings/number-words.ts';

describe('an edited configuration', () => {
  it('changes in one place and keeps its order', () => {
    const draft = { a: { x: 1 }, b: [1, 2, 3], c: 4 };
    const next = withValue(draft, ['a', 'x'], 2);
    assert.deepEqual(Object.entries(next), [
      ['a', { x: 2 }],
      ['b', [1, 2, 3]],
      ['c', 4],
    ]);
    assert.equal(next['b'], draft.b);
    assert.deepEqual(withValue(draft, ['b', 1], undefined)['b'], [1, 3]);
    assert.deepEqual(withValue(draft, ['b', 3], 9)['b'], [1, 2, 3, 9]);
    assert.deepEqual(withValue(draft, ['a'], undefined), { b: [1, 2, 3], c: 4 });
    assert.deepEqual(withValue({}, ['d', 'e'], 1), { d: { e: 1 } });
  });

  it('is not led astray by names', () => {
    const next = withValue({}, ['__proto__', 'polluted'], true);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
    assert.deepEqual(Object.keys(next), ['__proto__']);
  });

  it('leaves out what is empty where that means the same', () => {
    assert.equal(orLeftOut({}, {}), undefined);
    assert.equal(orLeftOut([], []), undefined);
    assert.deepEqual(orLeftOut([], ['live']), []);
    assert.deepEqual(orLeftOut({}, undefined), {});
    assert.deepEqual(orLeftOut({ a: 1 }, {}), { a: 1 });
    assert.equal(orLeftOut('', ''), '');
  });
});

describe('paths of keys', () => {
  it('are written as the gateway writes them, and found in what it says', () => {
    const path = formatPath(['proxypublish', 'targets', 0, 'targetUri']);
    assert.equal(path, 'proxypublish.targets[0].targetUri');
    assert.equal(pathIn(`${path}: expected a URL, got nothing`), path);
    assert.equal(pathIn(`sluice.yaml: ${path}: expected a URL`), path);
    assert.equal(pathIn('streams.front-door.source: expected x'), 'streams.front-door.source');
    assert.equal(pathIn('cannot write: the disk is full'), undefined);
    assert.equal(pathIn(''), undefined);
  });

  it('hold one another', () => {
    assert.ok(isWithin('a.b[0].c', 'a.b'));
    assert.ok(isWithin('a', 'a'));
    assert.ok(!isWithin('ab', 'a'));
  });
});

describe('numbers', () => {
  it('are read as they are typed; what is none stays for the complaint', () => {
    assert.equal(numberOrText(''), undefined);
    assert.equal(numberOrText(' 5000 '), 5000);
    assert.equal(numberOrText('20e9'), 20e9);
    assert.equal(numberOrText('-1.5'), -1.5);
    for (const text of ['5s', '0x10', '1,5', 'Infinity', '1e999', '.']) {
      assert.equal(numberOrText(text), text);
    }
  });

  it('are said with units that people read', () => {
    assert.equal(unitWords('intervalMs', 60_000), '60 s');
    assert.equal(unitWords('maxAgeMs', 604_800_000), '7 d');
    assert.equal(unitWords('maxAgeMs', 3_600_000), '60 min');
    assert.equal(unitWords('handshakeMs', 500), undefined);
    assert.equal(unitWords('queueMaxBytes', 8_388_608), '8 MiB');
    assert.equal(unitWords('maxBytes', 20e9), '18.6 GiB');
    assert.equal(unitWords('baudRate', 2400), undefined);
    assert.equal(unitWords('queueMaxMs', 'soon'), undefined);
  });
});
