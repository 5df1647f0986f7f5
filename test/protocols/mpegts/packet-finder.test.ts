import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { TsPacketFinder } from '../../../protocols/mpegts/packet-finder.ts';
import { everySplit } from '../../support/every-split.ts';
import { tsPacket } from '../../support/ts-packets.ts';

/** Packets that tell which they are, and hold bytes that look like sync bytes, each elsewhere. */
const packets = Array.from({ length: 6 }, (_, index) =>
  tsPacket({
    pid: 0x100 + index,
    counter: index,
    payload: Uint8Array.of(
      0x47,
      ...new Uint8Array(11 * index),
      0x47,
      ...new Uint8Array(7 * index),
      1,
    ),
  }),
);

const forms = {
  188: (packet: Uint8Array) => packet,
  // TP_extra_header of Blu-ray: a copy permission and the time of arrival.
  192: (packet: Uint8Array, index: number) =>
    concat(Uint8Array.of(0, 0x12, index === 2 ? 0x47 : index, index), packet),
  // Reed-Solomon parity, here with sync bytes in it.
  204: (packet: Uint8Array, index: number) =>
    concat(
      packet,
      Uint8Array.from({ length: 16 }, (_, at) => (at === index ? 0x47 : at)),
    ),
} as const;

function find(chunks: Iterable<Uint8Array>) {
  const found: Uint8Array[] = [];
  const finder = new TsPacketFinder((bytes, at) => found.push(bytes.slice(at, at + 188)));
  for (const chunk of chunks) {
    finder.push(chunk, 0, chunk.length);
    chunk.fill(0xee);
  }
  return { found, finder };
}

describe('packets are found', () => {
  for (const [size, form] of Object.entries(forms)) {
    test(`of ${size} bytes, however they are cut`, () => {
      for (const chunks of everySplit(concat(...packets.map(form)))) {
        const { found, finder } = find(chunks);
        assert.deepEqual(found, packets);
        assert.equal(finder.stride, Number(size));
        assert.equal(finder.resyncs, 0);
      }
    });

    test(`of ${size} bytes, joined in the middle of one`, () => {
      const bytes = concat(...packets.map(form)).subarray(100);
      const { found, finder } = find([bytes.slice()]);
      assert.deepEqual(found, packets.slice(1));
      assert.equal(finder.resyncs, 0);
    });

    test(`of ${size} bytes, in datagrams of which some are lost`, () => {
      const datagrams = [0, 1, 2, 3].map(() => concat(...packets.map(form)));
      const { found, finder } = find(datagrams);
      assert.equal(found.length, 24);
      assert.equal(finder.skippedBytes, size === '192' ? 4 : 0);
    });
  }

  test('from the middle of a stream’s buffer', () => {
    const bytes = concat(new Uint8Array(50).fill(0x47), ...packets, new Uint8Array(9));
    const found: Uint8Array[] = [];
    const finder = new TsPacketFinder((from, at) => found.push(from.slice(at, at + 188)));
    finder.push(bytes, 50, bytes.length - 9);
    assert.deepEqual(found, packets);
  });
});

describe('the step is lost and found again', () => {
  const junk = [
    {
      name: 'bytes missing from a packet',
      damage: (at: Uint8Array) => at.subarray(0, 150),
      left: 4,
    },
    {
      name: 'bytes between packets',
      damage: (at: Uint8Array) => concat(at, at.subarray(3, 33)),
      left: 6,
    },
    {
      name: 'a sync byte damaged',
      damage: (at: Uint8Array) => concat(Uint8Array.of(0x46), at.subarray(1)),
      left: 5,
    },
  ];
  for (const { name, damage, left } of junk) {
    test(name, () => {
      const before = packets.slice(0, 3);
      const damaged = [...before, damage(packets[3]!), ...packets.slice(4), ...packets];
      for (const chunks of everySplit(concat(...damaged))) {
        const { found, finder } = find(chunks);
        assert.equal(finder.resyncs, 1);
        assert.ok(finder.skippedBytes > 0);
        assert.deepEqual(found.slice(0, 3), before);
        assert.deepEqual(found.slice(-6), packets);
        assert.ok(found.length >= 3 + left, `${found.length} packets`);
      }
    });
  }

  test('another packet size from here on', () => {
    const bytes = concat(...packets.map(forms[188]), ...packets.map(forms[192]));
    const { found, finder } = find([bytes]);
    assert.equal(finder.stride, 192);
    assert.deepEqual(found.slice(-6), packets);
  });
});

test('what is no transport stream gives nothing, and is not kept', () => {
  const { found, finder } = find(Array.from({ length: 50 }, () => new Uint8Array(1316)));
  assert.deepEqual(found, []);
  assert.equal(finder.stride, undefined);
  assert.ok(finder.skippedBytes > 49 * 1316);
});

test('arbitrary bytes between packets, in arbitrary pieces: never an error, and the end is found', () => {
  const tail = concat(...packets, ...packets);
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 400 }),
      (pieces, cut) => {
        const bytes = concat(...pieces, tail);
        const chunks: Uint8Array[] = [];
        for (let at = 0; at < bytes.length; at += cut) chunks.push(bytes.slice(at, at + cut));
        const { found } = find(chunks);
        assert.deepEqual(found.slice(-6), packets);
      },
    ),
    { numRuns: 200 },
  );
});
