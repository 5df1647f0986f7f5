import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { SectionAssembler } from '../../../protocols/mpegts/section-assembler.ts';
import { hex } from '../../support/hex.ts';
import { patSection, pmtSection, section } from '../../support/ts-packets.ts';

/** ffmpeg 5.1's PAT and PMT of H.264 and AAC. */
const FFMPEG_PAT = hex`00 b00d 0001 c1 00 00 0001 f000 2ab104b2`;
const FFMPEG_PMT = hex`02 b017 0001 c1 00 00 e100 f000 1b e100 f000 0f e101 f000 2f44b99b`;

interface Payload {
  readonly bytes: Uint8Array;
  readonly unitStart: boolean;
}

function assemble(payloads: readonly Payload[]) {
  const sections: Uint8Array[] = [];
  let damaged = 0;
  const assembler = new SectionAssembler({
    section: (bytes) => sections.push(bytes.slice()),
    damaged: () => {
      damaged += 1;
    },
  });
  for (const { bytes, unitStart } of payloads) assembler.push(bytes, 0, bytes.length, unitStart);
  return { sections, damaged, assembler };
}

const starts = (...bytes: readonly Uint8Array[]): Payload => ({
  bytes: concat(Uint8Array.of(0), ...bytes),
  unitStart: true,
});
const goesOn = (bytes: Uint8Array): Payload => ({ bytes, unitStart: false });
const body = (bytes: Uint8Array) => bytes.subarray(0, -4);

/** One that needs several packets. */
const LONG = section(2, 1, new Uint8Array(1012).fill(0x5a));

describe('sections', () => {
  const cases: readonly { name: string; payloads: readonly Payload[]; want: Uint8Array[] }[] = [
    {
      name: 'ffmpeg’s PAT',
      payloads: [starts(FFMPEG_PAT, new Uint8Array(167).fill(0xff))],
      want: [FFMPEG_PAT],
    },
    {
      name: 'two in a packet',
      payloads: [starts(FFMPEG_PAT, FFMPEG_PMT)],
      want: [FFMPEG_PAT, FFMPEG_PMT],
    },
    {
      name: 'one over two packets, the next behind it',
      payloads: [
        starts(FFMPEG_PMT.subarray(0, 10)),
        { bytes: concat(Uint8Array.of(16), FFMPEG_PMT.subarray(10), FFMPEG_PAT), unitStart: true },
      ],
      want: [FFMPEG_PMT, FFMPEG_PAT],
    },
    {
      name: 'a header over three packets',
      payloads: [
        starts(FFMPEG_PMT.subarray(0, 1)),
        goesOn(FFMPEG_PMT.subarray(1, 2)),
        goesOn(FFMPEG_PMT.subarray(2)),
      ],
      want: [FFMPEG_PMT],
    },
    {
      name: 'as long as may be',
      payloads: [
        starts(LONG.subarray(0, 183)),
        ...[183, 367, 551, 735, 919].map((at) => goesOn(LONG.subarray(at, at + 184))),
      ],
      want: [LONG],
    },
    {
      name: 'a new one before the last was whole',
      payloads: [starts(LONG.subarray(0, 183)), starts(FFMPEG_PAT)],
      want: [FFMPEG_PAT],
    },
    {
      name: 'joined in the middle',
      payloads: [goesOn(FFMPEG_PAT), starts(FFMPEG_PAT)],
      want: [FFMPEG_PAT],
    },
    {
      name: 'a pointer past the end',
      payloads: [{ bytes: hex`b8 00`, unitStart: true }, goesOn(FFMPEG_PAT)],
      want: [],
    },
    {
      name: 'stuffing, then no section',
      payloads: [starts(FFMPEG_PAT, hex`ff`, FFMPEG_PMT)],
      want: [FFMPEG_PAT],
    },
    {
      name: 'an empty payload',
      payloads: [{ bytes: new Uint8Array(), unitStart: true }],
      want: [],
    },
  ];
  for (const { name, payloads, want } of cases) {
    test(name, () => {
      const { sections, damaged } = assemble(payloads);
      assert.deepEqual(sections, want.map(body));
      assert.equal(damaged, 0);
    });
  }

  test('each damaged byte is noticed', () => {
    for (let at = 0; at < FFMPEG_PMT.length; at += 1) {
      const bytes = FFMPEG_PMT.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      const { sections, damaged } = assemble([
        starts(bytes, new Uint8Array(100)),
        starts(FFMPEG_PAT),
      ]);
      assert.deepEqual(sections, [body(FFMPEG_PAT)]);
      // A length that has grown waits for more, until the next section begins.
      assert.ok(damaged >= 1 || at === 1 || at === 2, `byte ${at}`);
    }
  });

  test('a section that is too long for a PAT or PMT', () => {
    const bytes = section(2, 1, new Uint8Array(1013));
    assert.equal(
      assemble([starts(bytes.subarray(0, 183)), goesOn(bytes.subarray(183, 367))]).damaged,
      1,
    );
  });

  test('what follows a loss is not put together with what was before it', () => {
    const { sections, assembler } = assemble([starts(FFMPEG_PMT.subarray(0, 10))]);
    assembler.reset();
    assembler.push(FFMPEG_PMT, 10, FFMPEG_PMT.length, false);
    assert.deepEqual(sections, []);
  });
});

test('the writer of the tests writes what ffmpeg writes', () => {
  assert.deepEqual(patSection({ 1: 0x1000 }), FFMPEG_PAT);
  const streams = [
    { pid: 0x100, type: 0x1b },
    { pid: 0x101, type: 0x0f },
  ];
  assert.deepEqual(pmtSection(1, streams), FFMPEG_PMT);
});

test('arbitrary payloads never throw', () => {
  const payload = fc.record({ bytes: fc.uint8Array({ maxLength: 184 }), unitStart: fc.boolean() });
  fc.assert(
    fc.property(fc.array(payload, { maxLength: 30 }), (payloads) => void assemble(payloads)),
  );
});
