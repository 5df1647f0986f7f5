import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concat } from '../../../codecs/bytes.ts';
import { ParseError } from '../../../codecs/errors.ts';
import { RtspParser } from '../../../protocols/rtsp/rtsp-parser.ts';
import { cpuMs } from '../../support/cpu-ms.ts';
import { everySplit } from '../../support/every-split.ts';
import { hex, toHex } from '../../support/hex.ts';

const CHANNELS = new Set([0, 1, 2, 3]);
/** All sockets read into one: what a parser keeps of it must be a copy. */
const SHARED = new Uint8Array(512 * 1024);

class Harness {
  readonly events: string[] = [];
  readonly parser = new RtspParser({
    frame: (channel, bytes, start, end) => {
      this.events.push(`${channel}: ${toHex(bytes.subarray(start, end))}`);
    },
    message: (message) => {
      const body = new TextDecoder().decode(message.body);
      const what = message.kind === 'response' ? message.status : message.method;
      this.events.push(`${what} cseq ${message.headers.get('cseq')} ${body}`.trim());
    },
    webServer: (status) => void this.events.push(`web server ${status}`),
    isChannel: (channel) => CHANNELS.has(channel),
  });

  push(...chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) {
      SHARED.set(chunk);
      this.parser.push(SHARED.subarray(0, chunk.length));
      SHARED.fill(0x24, 0, chunk.length);
    }
    return this;
  }
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function frame(channel: number, payload: Uint8Array): Uint8Array {
  return concat(
    hex`24`,
    Uint8Array.of(channel, payload.length >> 8, payload.length & 0xff),
    payload,
  );
}

const OK = 'RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n';

interface Case {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly want: readonly string[];
  readonly skipped?: number;
}

const cases: readonly Case[] = [
  { name: 'an answer', bytes: text(OK), want: ['200 cseq 1'] },
  {
    name: 'an answer whose lines end in LF',
    bytes: text(OK.replaceAll('\r', '')),
    want: ['200 cseq 1'],
  },
  {
    name: 'an answer with a body',
    bytes: text('RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n'),
    want: ['200 cseq 2 v=0'],
  },
  { name: 'a frame', bytes: frame(2, hex`01 02 03`), want: ['2: 010203'] },
  { name: 'an empty frame', bytes: frame(0, hex``), want: ['0: '] },
  {
    name: 'frames, an answer and a request between them',
    bytes: concat(
      frame(0, hex`aa`),
      text('RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n'),
      frame(1, hex`bb cc`),
      text('OPTIONS rtsp://h/ RTSP/1.0\r\nCSeq: 77\r\n\r\n'),
      frame(3, hex`dd`),
    ),
    want: ['0: aa', '200 cseq 9', '1: bbcc', 'OPTIONS cseq 77', '3: dd'],
  },
  {
    name: 'a body that looks like frames',
    bytes: concat(
      text('RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\n'),
      text('$\0\0\x01x'),
      frame(0, hex`01`),
    ),
    want: ['200 cseq 2 $\0\0\x01x', '0: 01'],
  },
  {
    name: 'empty lines between messages',
    bytes: concat(text(`\r\n\r\n${OK}\r\n`), frame(0, hex`01`)),
    want: ['200 cseq 1', '0: 01'],
  },
  {
    name: 'junk between frames',
    bytes: concat(frame(0, hex`01`), hex`00 ff 00 ff`, frame(0, hex`02`)),
    want: ['0: 01', '0: 02'],
    skipped: 4,
  },
  {
    name: 'a frame of a channel that was not set up',
    bytes: concat(frame(0, hex`01`), frame(9, hex`ee ee ee`), frame(0, hex`02`)),
    want: ['0: 01', '0: 02'],
    skipped: 7,
  },
  {
    name: 'junk that begins like an answer',
    bytes: concat(text('RTS'), frame(0, hex`01`), text('RTSQ'), frame(0, hex`02`)),
    want: ['0: 01', '0: 02'],
    skipped: 7,
  },
  {
    name: 'a long frame',
    bytes: frame(0, new Uint8Array(1400).fill(0x11)),
    want: [`0: ${'11'.repeat(1400)}`],
  },
];

for (const { name, bytes, want, skipped = 0 } of cases) {
  test(`cuts out ${name}, however it arrives`, () => {
    for (const chunks of everySplit(bytes)) {
      const harness = new Harness().push(...chunks);
      assert.deepEqual(harness.events, want);
      assert.equal(harness.parser.skippedBytes, skipped);
    }
  });
}

test('the longest frame there is', () => {
  const payload = new Uint8Array(65_535).fill(0x42);
  for (const cut of [1, 2, 3, 4, 5, 30_000, 65_538]) {
    const bytes = concat(frame(0, payload), frame(1, hex`01`));
    const harness = new Harness().push(bytes.subarray(0, cut), bytes.subarray(cut));
    assert.equal(harness.events.length, 2);
    assert.equal(harness.events[0]?.length, 3 + 2 * 65_535);
  }
});

const fatal = [
  ['a header block without an end', text(`RTSP/1.0 200 OK\r\n${'X: y\r\n'.repeat(50_000)}`)],
  ['a body that is too long', text('RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n')],
  ['a body of negative length', text('RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n')],
  ['a body of no number', text('RTSP/1.0 200 OK\r\nContent-Length: abc\r\n\r\n')],
  ['too much junk', new Uint8Array(300_000).fill(0x42)],
] as const;

for (const [name, bytes] of fatal) {
  test(`${name} ends the session, in one chunk or many`, () => {
    assert.throws(() => new Harness().push(bytes), ParseError);
    assert.throws(() => {
      const harness = new Harness();
      for (let at = 0; at < bytes.length; at += 1000) harness.push(bytes.subarray(at, at + 1000));
    }, ParseError);
  });
}

test('junk here and there is forgiven for ever', () => {
  const harness = new Harness();
  const bytes = concat(new Uint8Array(1000).fill(0x42), frame(0, hex`01`));
  for (let n = 0; n < 400; n += 1) harness.push(bytes);
  assert.equal(harness.events.length, 400);
  assert.equal(harness.parser.skippedBytes, 400_000);
});

test('any sequence of messages and frames, cut anywhere, comes out whole', () => {
  const aFrame = fc
    .tuple(fc.nat(3), fc.uint8Array({ maxLength: 40 }))
    .map(([channel, payload]) => ({
      bytes: frame(channel, payload),
      want: `${channel}: ${toHex(payload)}`,
    }));
  const anAnswer = fc.tuple(fc.nat(9), fc.stringMatching(/^[ -~]{0,20}$/)).map(([cseq, body]) => ({
    bytes: text(
      `RTSP/1.0 200 OK\r\nCSeq: ${cseq}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ),
    want: `200 cseq ${cseq} ${body}`.trim(),
  }));
  const sequence = fc.array(fc.oneof(aFrame, anAnswer), { maxLength: 8 });
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 30 });
  fc.assert(
    fc.property(sequence, cuts, (parts, sizes) => {
      const bytes = concat(...parts.map((part) => part.bytes));
      const harness = new Harness();
      let at = 0;
      for (const size of sizes) {
        harness.push(bytes.subarray(at, at + size));
        at += size;
      }
      if (at < bytes.length) harness.push(bytes.subarray(at));
      assert.deepEqual(
        harness.events,
        parts.map((part) => part.want),
      );
    }),
  );
});

test('arbitrary bytes give events or a ParseError, nothing else', () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.constantFrom(
      text(OK),
      text('RTSP/'),
      text('Content-Length: 3\r\n'),
      frame(0, hex`01`),
      hex`24 00`,
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      try {
        new Harness().push(...pieces.filter((each) => each.length > 0));
      } catch (error) {
        assert.ok(error instanceof ParseError);
      }
    }),
  );
});

test('an answer that comes in drops is not read anew with each', () => {
  const costMs = (headers: number) => {
    const head = `RTSP/1.0 200 OK\r\n${'X-A: b\r\n'.repeat(headers)}Content-Length: 20000\r\n\r\n`;
    const bytes = concat(text(head), new Uint8Array(20_000).fill(0x61));
    const harness = new Harness();
    const sinceMs = cpuMs();
    for (const byte of bytes) harness.push(Uint8Array.of(byte));
    assert.equal(harness.events.length, 1);
    return cpuMs() - sinceMs;
  };
  costMs(1);
  const few = costMs(1);
  const many = costMs(250);
  assert.ok(many < 4 * few + 50, `${many} ms, and ${few} ms with a single header`);
});

test('a web server is told as such, however its answer comes; not in the middle of RTSP', () => {
  const page = text('HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nhello');
  for (const chunks of everySplit(page)) {
    assert.deepEqual(new Harness().push(...chunks).events, ['web server 400']);
  }
  const options = text('OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n');
  assert.deepEqual(new Harness().push(options, page, options).events, [
    'OPTIONS cseq 1',
    'OPTIONS cseq 1',
  ]);
});
