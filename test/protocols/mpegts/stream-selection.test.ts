import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { selectStreams } from '../../../protocols/mpegts/stream-selection.ts';
import { hex } from '../../support/hex.ts';

type Row = readonly [type: number, descriptors?: readonly { tag: number; body: Uint8Array }[]];

/** PIDs count from 0x100. */
function select(rows: readonly Row[], refused: readonly number[] = []) {
  const streams = rows.map(([streamType, descriptors = []], index) => ({
    pid: 0x100 + index,
    streamType,
    descriptors,
  }));
  return selectStreams({ program: 1, pcrPid: 0x100, streams }, new Set(refused));
}

const registered = (name: string): Row => [
  0x06,
  [{ tag: 5, body: new TextEncoder().encode(name) }],
];
const described = (tag: number, body = hex`00`): Row => [0x06, [{ tag, body }]];

describe('what a stream is', () => {
  const video: readonly [string, Row, string][] = [
    ['H.264', [0x1b], 'h264'],
    ['H.265', [0x24], 'h265'],
    ['H.265 as private data', registered('HEVC'), 'h265'],
  ];
  for (const [name, row, codec] of video) {
    test(name, () => assert.equal(select([row]).video?.codec, codec));
  }

  const audio: readonly [string, Row, string][] = [
    ['AAC', [0x0f], 'adts'],
    ['AAC in LATM', [0x11], 'loas'],
    ['MPEG-1 audio', [0x03], 'mpeg-audio'],
    ['MPEG-2 audio', [0x04], 'mpeg-audio'],
    ['AC-3 of ATSC and Blu-ray', [0x81], 'ac3'],
    ['E-AC-3 of ATSC', [0x87], 'ac3'],
    ['AC-3, registered', registered('AC-3'), 'ac3'],
    ['AC-3 of DVB', described(0x6a), 'ac3'],
    ['E-AC-3 of DVB', described(0x7a), 'ac3'],
    ['Opus', registered('Opus'), 'opus'],
  ];
  for (const [name, row, format] of audio) {
    test(name, () => assert.equal(select([row]).audio?.format, format));
  }

  const leftOut: readonly [string, Row, string][] = [
    ['MPEG-2 video', [0x02], 'video MPEG-2'],
    ['teletext', described(0x56), 'teletext'],
    ['subtitles', described(0x59), 'subtitles'],
    ['DTS of DVB', described(0x7b), 'audio DTS'],
    ['KLV', registered('KLVA'), 'data KLV'],
    ['private data', [0x06], 'data of type 0x06'],
    ['SCTE-35', [0x86], 'data of type 0x86'],
    // ffmpeg's code for eight channels of family 1.
    [
      'Opus of many channels',
      [
        0x06,
        [
          { tag: 5, body: hex`4f707573` },
          { tag: 0x7f, body: hex`8008` },
        ],
      ],
      'audio Opus of many channels',
    ],
  ];
  for (const [name, row, words] of leftOut) {
    test(`${name} is left out`, () => assert.deepEqual(select([[0x1b], row]).leftOut, [words]));
  }

  test('Opus channels', () => {
    const opus = (code: Uint8Array): Row => [
      0x06,
      [
        { tag: 5, body: hex`4f707573` },
        { tag: 0x7f, body: code },
      ],
    ];
    assert.equal(select([opus(hex`8001`)]).audio?.channels, 1);
    assert.equal(select([opus(hex`8002`)]).audio?.channels, 2);
    assert.equal(select([registered('Opus')]).audio?.channels, 2);
  });
});

test('the first of each kind is taken, the others are named', () => {
  assert.deepEqual(select([[0x86], [0x0f], [0x24], [0x1b], [0x81]]), {
    video: { pid: 0x102, codec: 'h265' },
    audio: { pid: 0x101, format: 'adts', channels: 2 },
    leftOut: [
      'data of type 0x86',
      'video H.264, because another one is taken',
      'audio AC-3, because another one is taken',
    ],
  });
});

test('one that was refused makes room for the next', () => {
  const { audio, leftOut } = select([[0x1b], [0x03], [0x81]], [0x101]);
  assert.equal(audio?.pid, 0x102);
  assert.deepEqual(leftOut, []);
});
