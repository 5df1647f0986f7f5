import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import { parseMpegtsUrl } from '../../../drivers/encoder/mpegts-url.ts';

const plain = { scheme: 'udp', host: undefined, port: 5000, sender: undefined, isMulticast: false };

describe('where MPEG-TS comes', () => {
  const cases: readonly [string, object][] = [
    ['udp://@239.1.1.1:5000', { ...plain, host: '239.1.1.1', isMulticast: true }],
    ['udp://239.1.1.1:5000', { ...plain, host: '239.1.1.1', isMulticast: true }],
    ['UDP://@224.0.0.9:5000/', { ...plain, host: '224.0.0.9', isMulticast: true }],
    [
      'udp://10.0.0.5@239.1.1.1:5000',
      { ...plain, host: '239.1.1.1', sender: '10.0.0.5', isMulticast: true },
    ],
    ['udp://@:5000', plain],
    [' udp://:5000 ', plain],
    ['udp://0.0.0.0:5000', plain],
    ['udp://@[::]:5000', plain],
    ['udp://10.0.0.5@:5000', { ...plain, sender: '10.0.0.5' }],
    ['udp://@10.0.0.2:5000', { ...plain, host: '10.0.0.2' }],
    ['udp://@[ff15::1]:5000', { ...plain, host: 'ff15::1', isMulticast: true }],
    [
      'udp://[2001:db8::5]@[ff35::1]:5000',
      { ...plain, host: 'ff35::1', sender: '2001:db8::5', isMulticast: true },
    ],
    ['rtp://@239.1.1.1:5000', { ...plain, scheme: 'rtp', host: '239.1.1.1', isMulticast: true }],
    ['tcp://encoder.local:5000', { ...plain, scheme: 'tcp', host: 'encoder.local' }],
    ['tcp://[2001:db8::5]:5000', { ...plain, scheme: 'tcp', host: '2001:db8::5' }],
  ];
  for (const [text, want] of cases) {
    test(text.trim(), () => assert.deepEqual(parseMpegtsUrl(text), want));
  }

  const wrong: readonly [string, RegExp][] = [
    ['udp://@239.1.1.1', /udp:\/\/@group:port/],
    ['udp://@239.1.1.1:0', /a port from 1 to 65535/],
    ['udp://@239.1.1.1:70000', /a port from 1 to 65535/],
    ['udp://@239.1.1.1:5000?localaddr=10.0.0.2', /udp:\/\/@group:port/],
    ['udp://@encoder.local:5000', /an address and no name/],
    ['udp://encoder@239.1.1.1:5000', /the address of the sender/],
    ['tcp://:5000', /tcp:\/\/host:port/],
    ['tcp://user@host:5000', /tcp:\/\/host:port/],
    ['http://host:5000', /udp:\/\//],
    ['', /udp:\/\//],
  ];
  for (const [text, words] of wrong) {
    test(`not ${text || 'nothing'}`, () => {
      assert.throws(
        () => parseMpegtsUrl(text),
        (error) => error instanceof ParseError && words.test(error.message),
      );
    });
  }

  test('arbitrary text: a value or a ParseError', () => {
    const rest = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f.:@[\]/]{0,40}$/));
    fc.assert(
      fc.property(fc.constantFrom('udp', 'rtp', 'tcp'), rest, (scheme, text) => {
        try {
          parseMpegtsUrl(`${scheme}://${text}`);
        } catch (error) {
          assert.ok(error instanceof ParseError);
        }
      }),
    );
  });
});
