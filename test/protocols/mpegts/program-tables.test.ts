import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import {
  parsePat,
  parsePmt,
  serializePat,
  serializePmt,
} from '../../../protocols/mpegts/program-tables.ts';
import { hex } from '../../support/hex.ts';
import { patSection, pmtSection } from '../../support/ts-packets.ts';

const withoutCrc = (section: Uint8Array) => section.subarray(0, -4);

describe('a PAT', () => {
  test('its programmes, without the network table', () => {
    assert.deepEqual(
      parsePat(withoutCrc(patSection({ 0: 0x10, 1: 0x1000, 258: 0x1fe0 }, { version: 3 }))),
      {
        version: 3,
        sectionNumber: 0,
        programs: [
          { program: 1, pmtPid: 0x1000 },
          { program: 258, pmtPid: 0x1fe0 },
        ],
      },
    );
  });

  test('not in force yet, or another table', () => {
    assert.equal(parsePat(withoutCrc(patSection({ 1: 2 }, { current: false }))), undefined);
    assert.equal(parsePat(withoutCrc(pmtSection(1, []))), undefined);
  });
});

describe('a PMT', () => {
  test('its streams and their descriptors', () => {
    // ffmpeg 5.1, `-c:a libopus`: private data, registered as Opus, two channels.
    const bytes = hex`02 b027 0001 c1 00 00 e100 f000 1b e100 f000 06 e101 f010 0504 4f707573 7f02 8002 0a04 756e6400`;
    assert.deepEqual(parsePmt(bytes), {
      program: 1,
      pcrPid: 0x100,
      streams: [
        { pid: 0x100, streamType: 0x1b, descriptors: [] },
        {
          pid: 0x101,
          streamType: 0x06,
          descriptors: [
            { tag: 5, body: hex`4f707573` },
            { tag: 0x7f, body: hex`8002` },
            { tag: 0x0a, body: hex`756e6400` },
          ],
        },
      ],
    });
  });

  test('a descriptor that is cut short leaves those before it', () => {
    const map = parsePmt(
      withoutCrc(pmtSection(1, [{ pid: 1, type: 6, descriptors: hex`0a01 00 05ff 00` }])),
    );
    assert.deepEqual(map?.streams[0]?.descriptors, [{ tag: 10, body: hex`00` }]);
  });

  test('lengths past the end', () => {
    assert.throws(() => parsePmt(hex`02 b017 0001 c1 00 00 e100 f0ff`), ParseError);
    assert.throws(() => parsePmt(hex`02 b017 0001 c1 00 00 e100 f000 1b e100 f010 00`), ParseError);
  });
});

describe('written', () => {
  // ffmpeg 5.1.9, 2026-11-25.
  test('a PAT as ffmpeg writes it', () => {
    const section = serializePat([{ program: 1, pmtPid: 0x1000 }], 0);
    assert.deepEqual(section, hex`00 b00d 0001 c1 00 00 0001 f000 2ab104b2`);
  });

  test('a PMT as ffmpeg writes it', () => {
    const streams = [
      { pid: 0x100, streamType: 0x1b, descriptors: [] },
      { pid: 0x101, streamType: 0x0f, descriptors: [] },
    ];
    assert.deepEqual(
      serializePmt({ program: 1, pcrPid: 0x100, streams }, 0),
      hex`02 b017 0001 c1 00 00 e100 f000 1b e100 f000 0f e101 f000 2f44b99b`,
    );
  });

  test('descriptors and version come back', () => {
    const map = {
      program: 7,
      pcrPid: 0x101,
      streams: [
        { pid: 0x101, streamType: 6, descriptors: [{ tag: 5, body: hex`4f707573` }] },
        { pid: 0x1ffe, streamType: 0x1b, descriptors: [] },
      ],
    };
    const section = serializePmt(map, 31);
    assert.deepEqual(parsePmt(withoutCrc(section)), map);
    assert.equal((section[5] ?? 0) >> 1, 0x7f);
  });
});

test('arbitrary bytes: a value or a ParseError', () => {
  for (const parse of [parsePat, parsePmt]) {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        bytes[0] = parse === parsePat ? 0 : 2;
        try {
          parse(bytes);
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }),
    );
  }
});
