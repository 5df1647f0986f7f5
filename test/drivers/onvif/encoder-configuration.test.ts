import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changedConfiguration,
  encoderCodec,
  encoderGopFrames,
  readEncoderLimits,
} from '../../../drivers/onvif/encoder-configuration.ts';
import { readXml, writeXml } from '../../../protocols/soap/xml.ts';

const SCHEMA = 'xmlns="http://www.onvif.org/ver10/schema"';
const RANGE = (name: string, min: number, max: number) =>
  `<${name}><Min>${min}</Min><Max>${max}</Max></${name}>`;
const LIMITS = readEncoderLimits(
  readXml(
    `<B><Options><JPEG/><H264>${RANGE('GovLengthRange', 5, 100)}<H264ProfilesSupported>Main</H264ProfilesSupported></H264></Options></B>`,
  ),
  false,
);
const configuration = (inside: string, attributes = '') =>
  readXml(`<C ${SCHEMA}${attributes}>${inside}</C>`);

test('JPEG becomes H.264 by Media 1: the element that it wants is put in its place', () => {
  const jpeg = '<Encoding>JPEG</Encoding><RateControl/><Multicast/><SessionTimeout/>';
  const changed = changedConfiguration(configuration(jpeg), { codec: 'h264' }, LIMITS, false);
  assert.equal(
    writeXml(changed, ''),
    `<C ${SCHEMA}><Encoding>H264</Encoding><RateControl></RateControl>` +
      '<H264><GovLength>5</GovLength><H264Profile>Main</H264Profile></H264><Multicast></Multicast><SessionTimeout></SessionTimeout></C>',
  );
});

test('the length of a GOP: an attribute of Media 2, in the element of the codec by Media 1', () => {
  const inH264 =
    '<Encoding>H264</Encoding><MPEG4><GovLength>9</GovLength></MPEG4><H264><GovLength>30</GovLength></H264>';
  const cases: [string, string, number | undefined][] = [
    ['<Encoding>H265</Encoding>', ' GovLength="40"', 40],
    [inH264, '', 30],
    ['<Encoding>H264</Encoding>', '', undefined],
    ['<Encoding>H264</Encoding>', ' GovLength="0"', undefined],
    ['<Encoding>H264</Encoding><H264><GovLength>-1</GovLength></H264>', '', undefined],
    ['', ' GovLength="x"', undefined],
  ];
  for (const [inside, attributes, expected] of cases) {
    assert.equal(encoderGopFrames(configuration(inside, attributes)), expected, inside);
  }
});

test('codecs by the names of both', () => {
  const names: [string, string][] = [
    ['H264', 'h264'],
    ['H.265', 'h265'],
    ['MPV4-ES', 'mpv4es'],
    [' JPEG ', 'jpeg'],
  ];
  for (const [name, codec] of names) {
    assert.equal(encoderCodec(configuration(`<Encoding>${name}</Encoding>`)), codec);
  }
  assert.equal(encoderCodec(configuration('')), undefined);
});

test('where the camera has no place for what is to be set, it is unsupported', () => {
  const bare = configuration('<Encoding>H264</Encoding>');
  for (const change of [{ kbps: 1000 }, { gopFrames: 25 }]) {
    assert.throws(() => changedConfiguration(bare, change, new Map(), false), {
      name: 'UnsupportedError',
    });
  }
});

test('ranges that are none bind nobody', () => {
  const odd = readEncoderLimits(
    readXml(
      '<B><Options GovLengthRange="x y"><Encoding>H264</Encoding><BitrateRange><Min>9</Min><Max>1</Max></BitrateRange></Options></B>',
    ),
    true,
  );
  assert.deepEqual(odd.get('h264'), {
    kbps: undefined,
    gopFrames: undefined,
    profiles: [],
    resolutions: [],
  });
});
