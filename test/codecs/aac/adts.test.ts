import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  adtsFrames,
  adtsHeaderOf,
  audioSpecificConfigOf,
  isAdts,
  parseAdtsHeader,
  setAdtsFrameBytes,
} from '../../../codecs/aac/adts.ts';
import { hex } from '../../support/hex.ts';

/** Headers as ffmpeg 5.1.9 wrote them, 2026-11-24. */
const headers = [
  {
    name: '48 kHz stereo',
    bytes: hex`fff14c8024fffc`,
    rate: 48_000,
    channels: 2,
    size: 295,
    config: hex`1190`,
  },
  {
    name: '44.1 kHz mono',
    bytes: hex`fff15040213ffc`,
    rate: 44_100,
    channels: 1,
    size: 265,
    config: hex`1208`,
  },
  {
    name: '8 kHz mono',
    bytes: hex`fff16c40495ffc`,
    rate: 8000,
    channels: 1,
    size: 586,
    config: hex`1588`,
  },
  {
    name: '16 kHz stereo',
    bytes: hex`fff1608059bffc`,
    rate: 16_000,
    channels: 2,
    size: 717,
    config: hex`1410`,
  },
  {
    name: '96 kHz 5.1',
    bytes: hex`fff141801e3ffc`,
    rate: 96_000,
    channels: 6,
    size: 241,
    config: hex`1030`,
  },
] as const;

describe('ADTS headers', () => {
  for (const { name, bytes, rate, channels, size, config } of headers) {
    test(name, () => {
      const header = parseAdtsHeader(bytes);
      assert.deepEqual(header, {
        objectType: 2,
        sampleRate: rate,
        channelConfiguration: channels,
        headerBytes: 7,
        frameBytes: size,
      });
      assert.deepEqual(audioSpecificConfigOf(header), config);
    });
  }

  test('with a checksum the header has nine bytes; MPEG-2 is taken too', () => {
    assert.equal(parseAdtsHeader(hex`fff04c8001fffc abcd`).headerBytes, 9);
    assert.equal(parseAdtsHeader(hex`fff94c8001fffc`).headerBytes, 7);
  });

  test('the frame size has 13 bits', () => {
    assert.equal(parseAdtsHeader(hex`fff14c83fffffc`).frameBytes, 8191);
  });

  for (const [name, bytes] of [
    ['nothing', hex``],
    ['six bytes', hex`fff14c8024ff`],
    ['no sync word', hex`ffe14c8024fffc`],
    ['a layer', hex`fff34c8024fffc`],
    ['a reserved frequency', hex`fff1748024fffc`],
    ['a frame shorter than its header', hex`fff14c8000dffc`],
    ['a frame shorter than its header with checksum', hex`fff04c80011ffc`],
  ] as const) {
    test(`${name} is refused`, () =>
      assert.throws(() => parseAdtsHeader(bytes), { name: 'ParseError' }));
  }

  test('several frames in one are not supported, and it says so', () => {
    assert.throws(() => parseAdtsHeader(hex`fff14c8024fffd`), {
      name: 'UnsupportedError',
      message: '2 AAC frames in one ADTS frame',
    });
  });
});

describe('ADTS headers written', () => {
  for (const { name, bytes, size, config } of headers) {
    test(`${name}: as ffmpeg does`, () => {
      const header = adtsHeaderOf(config)!;
      setAdtsFrameBytes(header, 8191);
      setAdtsFrameBytes(header, size);
      assert.deepEqual(header, bytes);
    });
  }

  test('HE-AAC says what its core is', () => {
    // 24 kHz stereo core, SBR to 48 kHz signalled in front.
    const header = adtsHeaderOf(hex`2b118800`)!;
    setAdtsFrameBytes(header, 7);
    assert.deepEqual(audioSpecificConfigOf(parseAdtsHeader(header)), hex`1310`);
  });

  for (const [name, config] of [
    ['AAC-ELD', hex`f8e85000`],
    ['frames of 960 samples', hex`1194`],
    ['channels from a program_config_element', hex`118004c80000000000`],
    ['a rate that is in no table', hex`1780271010`],
  ] as const) {
    test(`${name} have no form`, () => assert.equal(adtsHeaderOf(config), undefined));
  }
});

describe('walking ADTS frames', () => {
  test('bare frames, with and without checksum; views', () => {
    const bytes = hex`fff14c80013ffc de02 fff04c80015ffc abcd 21 fff14c8000fffc`;
    const frames = [...adtsFrames(bytes)];
    assert.deepEqual(frames, [hex`de02`, hex`21`, hex``]);
    assert.ok(frames.every(({ buffer }) => buffer === bytes.buffer));
    assert.deepEqual([...adtsFrames(hex``)], []);
  });

  test('a frame cut short, and junk between frames, throw and say where', () => {
    const first = hex`fff14c80013ffc de02`;
    const cut = new Uint8Array([...first, ...first.subarray(0, 8)]);
    assert.throws(() => [...adtsFrames(cut)], { name: 'ParseError', offset: 9 });
    const junk = new Uint8Array([...first, 0, ...first]);
    assert.throws(() => [...adtsFrames(junk)], { name: 'ParseError', offset: 9 });
  });
});

test('is it ADTS: sync word and layer 0, anywhere', () => {
  assert.ok(isAdts(hex`fff1`));
  assert.ok(isAdts(hex`00 fff9`, 1));
  assert.ok(!isAdts(hex`fff3`));
  assert.ok(!isAdts(hex`ff`));
  assert.ok(!isAdts(hex``));
});
