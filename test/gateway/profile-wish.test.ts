import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../gateway/config/load.ts';
import { profileWish } from '../../gateway/profile-wish.ts';

const config = (yaml: string) => parseConfig(yaml, { file: 'test', folder: '/tmp', env: {} });
const target = (more: string) => `{ targetUri: "rtmp://master/live"${more} }`;
const targets = (...all: string[]) =>
  config(`proxypublish: { targets: [ ${all.map(target).join(', ')} ] }`);

test('H.264 goes first where a target takes the stream that is not known to take H.265', () => {
  const cases: readonly [ReturnType<typeof config>, anyCodec: boolean][] = [
    [config(''), true],
    [targets(''), false],
    [targets(', localStreamName: "yard-*"'), true],
    [targets(', localStreamName: "gate*"'), false],
    [targets(', videoCodecMode: enhanced'), true],
    [targets(', videoCodecMode: enhanced', ', videoCodecMode: legacy12'), false],
  ];
  for (const [each, anyCodec] of cases) {
    assert.deepEqual(profileWish(each, 'gate-1'), { size: 'main', anyCodec });
  }
});

test('the rule of the configuration, or the one that was asked for', () => {
  const limited = config('discovery: { profile: { maxHeight: 720, codec: h265 } }');
  assert.deepEqual(profileWish(limited, 'a'), { maxHeight: 720, codec: 'h265', anyCodec: true });
  assert.deepEqual(profileWish(limited, 'a', 'sub'), { size: 'sub', anyCodec: true });
  assert.deepEqual(profileWish(limited, 'a', { maxKbps: 9 }), { maxKbps: 9, anyCodec: true });
});
