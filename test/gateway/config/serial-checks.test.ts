import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../gateway/config/load.ts';

function parse(source: string) {
  return parseConfig(source, { file: 's.yaml', folder: '.', env: {} });
}

const serial = (...lines: readonly string[]) =>
  `serial: [${lines.map((keys) => `{${keys}}`).join(', ')}]`;
const MAST = 'name: mast, path: /dev/ttyUSB0, protocol: pelco-d, addresses: {yard: 1}';
const stream = (ptz: string) => `\nstreams: {a: {source: "rtsp://h/1", ptz: "${ptz}"}}`;

const good: readonly (readonly [name: string, source: string])[] = [
  [
    'a line of each protocol',
    serial(
      MAST,
      'name: roof, path: /dev/ttyUSB1, protocol: pelco-p, baudRate: 9600, addresses: {a: 1, b: 32}',
      'name: hall, path: /dev/ttyUSB2, protocol: visca, addresses: {a: 1, b: 7}',
      'name: gnss, path: /dev/ttyAMA0, protocol: nmea',
    ),
  ],
  [
    'the highest address of Pelco-D',
    serial('name: a, path: /dev/x, protocol: pelco-d, rs485: true, addresses: {y: 255}'),
  ],
  ['a stream with a head', serial(MAST) + stream('mast/yard')],
  ['a stream with a head over IP', stream('visca://10.0.0.9')],
  ['a port, and an IPv6 address', stream('visca://[fe80::1]:52381')],
];

/** What is written, and the one line that is answered. */
const bad: readonly (readonly [name: string, source: string, line: string])[] = [
  [
    'two GNSS receivers',
    serial('name: a, path: /dev/x, protocol: nmea', MAST, 'name: b, path: /dev/y, protocol: nmea'),
    's.yaml: serial[2].protocol: serial.0 is a GNSS receiver already',
  ],
  [
    'a name twice',
    serial(MAST, 'name: mast, path: /dev/x, protocol: nmea'),
    's.yaml: serial[1].name: mast is that of serial.0, too',
  ],
  [
    'a device twice',
    serial(MAST, 'name: b, path: /dev/ttyUSB0, protocol: nmea'),
    's.yaml: serial[1].path: /dev/ttyUSB0 is that of serial.0, too',
  ],
  [
    'no heads',
    serial('name: a, path: /dev/x, protocol: visca'),
    's.yaml: serial[0].addresses: expected the heads on the line, such as { yard: 1 }',
  ],
  [
    'heads of a GNSS receiver',
    serial('name: a, path: /dev/x, protocol: nmea, addresses: {y: 1}'),
    's.yaml: serial[0].addresses: a GNSS receiver has none; leave it out',
  ],
  [
    'address 0',
    serial('name: a, path: /dev/x, protocol: pelco-d, addresses: {y: 0}'),
    's.yaml: serial[0].addresses.y: expected 1 to 255 with pelco-d, got 0',
  ],
  [
    'address 0 of Pelco-P',
    serial('name: a, path: /dev/x, protocol: pelco-p, addresses: {y: 0}'),
    's.yaml: serial[0].addresses.y: expected 1 to 32 with pelco-p, got 0',
  ],
  [
    'address 33 of Pelco-P',
    serial('name: a, path: /dev/x, protocol: pelco-p, addresses: {y: 33}'),
    's.yaml: serial[0].addresses.y: expected 1 to 32 with pelco-p, got 33',
  ],
  [
    'address 8 of VISCA',
    serial('name: a, path: /dev/x, protocol: visca, addresses: {y: 8}'),
    's.yaml: serial[0].addresses.y: expected 1 to 7 with visca, got 8',
  ],
  [
    'an address twice',
    serial('name: a, path: /dev/x, protocol: visca, addresses: {y: 1, z: 1}'),
    's.yaml: serial[0].addresses.z: 1 is that of y, too',
  ],
  [
    'a head that is not there',
    serial(MAST) + stream('mast/dock'),
    's.yaml: streams.a.ptz: expected one of mast/yard, got mast/dock',
  ],
  [
    'a head without any line',
    stream('mast/yard'),
    's.yaml: streams.a.ptz: expected one of the heads of serial, which has none, got mast/yard',
  ],
  [
    'a protocol that nobody speaks',
    serial('name: a, path: /dev/x, protocol: pelco, addresses: {y: 1}'),
    's.yaml: serial[0].protocol: expected one of pelco-d, pelco-p, visca, nmea, got "pelco"',
  ],
  ['a name with a slash', serial('name: a/b, path: /dev/x, protocol: nmea'), ''],
];

describe('serial lines in the configuration', () => {
  for (const [name, source] of good) {
    it(`takes ${name}`, () => void parse(source));
  }
  for (const [name, source, line] of bad) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => parse(source),
        (error: Error) => {
          if (line === '') assert.match(error.message, /^s\.yaml: serial\[0\]\.name: /);
          else assert.equal(error.message, line);
          return true;
        },
      );
    });
  }
});
