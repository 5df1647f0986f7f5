import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  GENERIC_NODE,
  positionVector,
  readPtzConfiguration,
  readPtzNode,
  velocityVector,
} from '../../../drivers/onvif/ptz-spaces.ts';
import { readXml } from '../../../protocols/soap/xml.ts';

const CONFIGURATION = { nodeToken: 'n', defaultSpaces: ['urn:second'] };
const range = (name: string, min: number | string, max: number | string) =>
  `<${name}><Min>${min}</Min><Max>${max}</Max></${name}>`;
const node = (spaces: string) =>
  readXml(`<B><PTZNode token="n"><SupportedPTZSpaces>${spaces}</SupportedPTZSpaces></PTZNode></B>`);
const positions = (uri: string, min: number | string, max: number | string) =>
  `<AbsolutePanTiltPositionSpace><URI>${uri}</URI>${range('XRange', min, max)}${range('YRange', min, max)}</AbsolutePanTiltPositionSpace>`;

test('the space that counts: the default, else the generic one, else the first', () => {
  const first = positions('urn:first', 0, 360);
  const generic = positions(
    'http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace',
    -1,
    1,
  );
  const second = positions('urn:second', -180, 180);
  const max = (spaces: string) => readPtzNode(node(spaces), CONFIGURATION)?.position.panTilt?.x.max;
  assert.equal(max(first + generic + second), 180);
  assert.equal(max(first + generic), 1);
  assert.equal(max(first), 360);
  assert.equal(max(''), undefined);
});

test('ranges that are none are the generic one', () => {
  const ranges: [string | number, string | number][] = [
    ['a', 'b'],
    ['', ''],
    [1, 1],
    [5, -5],
    ['-INF', 'INF'],
  ];
  for (const [min, max] of ranges) {
    const found = readPtzNode(node(positions('urn:second', min, max)), CONFIGURATION);
    assert.deepEqual(found?.position.panTilt?.x, { min: -1, max: 1 }, `${min} ${max}`);
  }
});

test('a node that is not told of, or not by its token', () => {
  assert.equal(readPtzNode(readXml('<B/>'), CONFIGURATION), undefined);
  const other = readXml(
    '<B><PTZNode token="other"><SupportedPTZSpaces/><HomeSupported>false</HomeSupported></PTZNode></B>',
  );
  assert.equal(readPtzNode(other, CONFIGURATION)?.hasHome, false);
});

test('the defaults of a configuration, whichever way they are spelt', () => {
  const xml =
    '<C><NodeToken> n </NodeToken><DefaultAbsolutePantTiltPositionSpace>urn:a</DefaultAbsolutePantTiltPositionSpace>' +
    '<DefaultContinuousZoomVelocitySpace>urn:b</DefaultContinuousZoomVelocitySpace><DefaultPTZTimeout>PT5S</DefaultPTZTimeout></C>';
  assert.deepEqual(readPtzConfiguration(readXml(xml)), {
    nodeToken: 'n',
    defaultSpaces: ['urn:a', 'urn:b'],
  });
  assert.equal(readPtzConfiguration(undefined), undefined);
});

test('any number stays in the range, and is written without an exponent', () => {
  const number = fc.oneof(fc.double(), fc.constantFrom(0, -0, 1, -1, 1e-9, Number.NaN));
  fc.assert(
    fc.property(
      number,
      number,
      number,
      fc.double({ min: 0.1, max: 1000, noNaN: true }),
      (pan, tilt, zoom, size) => {
        const space = { x: { min: -size, max: size }, y: { min: -size, max: size } };
        const parts = { panTilt: space, zoom: { min: 0, max: size } };
        const own = { ...GENERIC_NODE, position: parts, velocity: parts };
        for (const vector of [
          velocityVector({ pan, tilt, zoom }, own),
          positionVector({ pan, tilt, zoom }, own, undefined),
        ]) {
          for (const value of [vector.panTilt?.x, vector.panTilt?.y, vector.zoom]) {
            assert.ok(value !== undefined && Math.abs(value) <= size + 0.0001, `${value}`);
            assert.match(String(value), /^-?\d+(?:\.\d{1,4})?$/);
            assert.ok(!Object.is(value, -0));
          }
        }
      },
    ),
  );
});
