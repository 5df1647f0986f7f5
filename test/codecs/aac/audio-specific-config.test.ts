import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type AudioSpecificConfig,
  aacTrack,
  parseAudioSpecificConfig,
  SAMPLING_FREQUENCIES,
  samplingFrequencyIndex,
  serializeAudioSpecificConfig,
} from '../../../codecs/aac/audio-specific-config.ts';
import { hex } from '../../support/hex.ts';

const LC_48_STEREO: AudioSpecificConfig = {
  objectType: 2,
  sampleRate: 48_000,
  channelConfiguration: 2,
  channels: 2,
  sbrSampleRate: undefined,
  parametricStereo: false,
  frameLength: 1024,
};
const HE = { ...LC_48_STEREO, sampleRate: 24_000, sbrSampleRate: 48_000 };
const HE_V2 = { ...HE, channelConfiguration: 1, channels: 1, parametricStereo: true };

const cases: readonly { name: string; bytes: Uint8Array; want: AudioSpecificConfig }[] = [
  { name: 'LC, 48 kHz, stereo', bytes: hex`1190`, want: LC_48_STEREO },
  {
    name: 'LC, 44.1 kHz, mono',
    bytes: hex`1208`,
    want: { ...LC_48_STEREO, sampleRate: 44_100, channelConfiguration: 1, channels: 1 },
  },
  {
    name: 'LC, 8 kHz, mono',
    bytes: hex`1588`,
    want: { ...LC_48_STEREO, sampleRate: 8000, channelConfiguration: 1, channels: 1 },
  },
  { name: 'frames of 960 samples', bytes: hex`1194`, want: { ...LC_48_STEREO, frameLength: 960 } },
  {
    name: 'configuration 7 is eight channels',
    bytes: hex`11b8`,
    want: { ...LC_48_STEREO, channelConfiguration: 7, channels: 8 },
  },
  {
    name: 'a rate that the table lacks',
    bytes: hex`1780181c88`,
    want: { ...LC_48_STEREO, sampleRate: 12_345, channelConfiguration: 1, channels: 1 },
  },
  { name: 'ffmpeg: LC with "no SBR" behind it', bytes: hex`1190 56e500`, want: LC_48_STEREO },
  { name: 'HE-AAC signalled in front', bytes: hex`2b118800`, want: HE },
  { name: 'HE-AAC v2 signalled in front', bytes: hex`eb098800`, want: HE_V2 },
  { name: 'HE-AAC signalled behind', bytes: hex`1310 56e598`, want: HE },
  { name: 'HE-AAC v2 signalled behind', bytes: hex`1308 56e59d4880`, want: HE_V2 },
  { name: 'zeros behind are no signal', bytes: hex`1190 0000 0000`, want: LC_48_STEREO },
  {
    name: 'ffmpeg 5.1.9, 2.1: a program_config_element with a comment',
    bytes: hex`118004c4010020000d4c61766335392e33372e31303056e500`,
    want: { ...LC_48_STEREO, channelConfiguration: 0, channels: 3 },
  },
  {
    name: 'a core coder, layers and extension flags (ER scalable)',
    // 10100 0011 0010, 0 1 coreCoderDelay(14) 1, layerNr(3), flags(3), extensionFlag3
    bytes: hex`a1 91 00 01 00 00`,
    want: { ...LC_48_STEREO, objectType: 20 },
  },
  {
    name: 'error resilient low delay',
    bytes: hex`b988`,
    want: { ...LC_48_STEREO, objectType: 23, channelConfiguration: 1, channels: 1 },
  },
  {
    name: 'an escaped object type (USAC): what follows is not looked at',
    bytes: hex`f94640`,
    want: { ...LC_48_STEREO, objectType: 42 },
  },
];

describe('AudioSpecificConfig, read', () => {
  for (const { name, bytes, want } of cases) {
    test(name, () => assert.deepEqual(parseAudioSpecificConfig(bytes), want));

    test(`${name}: cut anywhere`, () => {
      for (let length = 0; length < bytes.length; length += 1) {
        try {
          parseAudioSpecificConfig(bytes.subarray(0, length));
        } catch (error) {
          assert.equal((error as Error).name, 'ParseError');
        }
      }
    });
  }

  for (const [name, bytes] of [
    ['nothing', hex``],
    ['one byte', hex`11`],
    ['a reserved frequency', hex`1690`],
    ['a rate of zero', hex`178000000888`],
    ['a reserved channel configuration', hex`11c0`],
    ['a program_config_element that is cut short', hex`118004`],
  ] as const) {
    test(`${name} is refused`, () =>
      assert.throws(() => parseAudioSpecificConfig(bytes), { name: 'ParseError' }));
  }
});

describe('AudioSpecificConfig, written', () => {
  for (const [name, want] of [
    ['LC, 48 kHz, stereo', hex`1190`],
    ['LC, 44.1 kHz, mono', hex`1208`],
    ['a rate that the table lacks', hex`1780181c88`],
    ['HE-AAC signalled in front', hex`2b118800`],
    ['HE-AAC v2 signalled in front', hex`eb098800`],
  ] as const) {
    test(name, () => {
      const found = cases.find((candidate) => candidate.name === name);
      assert.ok(found);
      assert.deepEqual(serializeAudioSpecificConfig(found.want), want);
    });
  }

  test('what is written is read again', () => {
    const rate = fc.oneof(
      fc.constantFrom(...SAMPLING_FREQUENCIES),
      fc.integer({ min: 1, max: 0xffffff }),
    );
    const config = fc.record({
      objectType: fc.constantFrom(1, 2, 3, 4, 17, 23, 42),
      sampleRate: rate,
      channelConfiguration: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 11, 12),
      sbrSampleRate: fc.option(rate, { nil: undefined }),
    });
    fc.assert(
      fc.property(config, (fields) => {
        const read = parseAudioSpecificConfig(serializeAudioSpecificConfig(fields));
        for (const key of Object.keys(fields) as (keyof typeof fields)[]) {
          assert.equal(read[key], fields[key], key);
        }
      }),
      { seed: 1 },
    );
  });
});

test('a track has rate and channels as they are heard', () => {
  const heard = (bytes: Uint8Array) => {
    const { sampleRate, channels, config } = aacTrack(bytes);
    assert.equal(config, bytes);
    return [sampleRate, channels];
  };
  assert.deepEqual(heard(hex`1190`), [48_000, 2]);
  assert.deepEqual(heard(hex`2b118800`), [48_000, 2]);
  assert.deepEqual(heard(hex`eb098800`), [48_000, 2]);
});

test('the index of a rate, where the table has one', () => {
  assert.equal(samplingFrequencyIndex(48_000), 3);
  assert.equal(samplingFrequencyIndex(7350), 12);
  assert.equal(samplingFrequencyIndex(12_345), undefined);
});
