import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import {
  descendants,
  escapeXml,
  MAX_XML_DEPTH,
  MAX_XML_ELEMENTS,
  readXml,
  textAt,
  writeXml,
} from '../../../protocols/soap/xml.ts';

test('prefixes are dropped, text and attributes are kept', () => {
  const root = readXml('<s:A xmlns:s="urn:x"><t:B tt:token="1"> two &amp; more </t:B></s:A>');
  assert.equal(root.name, 'A');
  assert.equal(root.attributes.size, 0);
  assert.equal(textAt(root, 'B'), 'two & more');
  assert.equal(root.children[0]?.attributes.get('token'), '1');
});

test('a default namespace stays readable as xmlns', () => {
  assert.equal(readXml('<a xmlns="urn:x"/>').attributes.get('xmlns'), 'urn:x');
});

test('damage that cameras send is read through', () => {
  const cases = [
    { name: 'byte order mark, blank line, C string end', xml: '\uFEFF\r\n<a><b>1</b></a>\0\0' },
    { name: 'undeclared prefix', xml: '<x:a><y:b>1</y:b></x:a>' },
    { name: 'text after the root', xml: '<a><b>1</b></a>trailing' },
    { name: 'a bare ampersand elsewhere', xml: '<a><b>1</b><c>R&D</c></a>' },
    { name: 'CDATA', xml: '<a><b><![CDATA[1]]></b></a>' },
  ];
  for (const { name, xml } of cases) assert.equal(textAt(readXml(xml), 'b'), '1', name);
});

test('what was cut off is not closed', () => {
  const root = readXml('<a><b>whole</b><c>http://192.168.1.6');
  assert.equal(root.closed, false);
  assert.equal(root.children[0]?.closed, true);
  assert.notEqual(root.children[1]?.closed, true);
});

test('a DOCTYPE is refused, so that no entity can be declared', () => {
  const bomb = '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>';
  assert.throws(() => readXml(bomb), ParseError);
});

test('depth and number of elements are limited', () => {
  const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);
  assert.equal(readXml(nested(MAX_XML_DEPTH)).name, 'a');
  assert.throws(() => readXml(nested(MAX_XML_DEPTH + 1)), ParseError);
  assert.throws(() => readXml(`<a>${'<b/>'.repeat(MAX_XML_ELEMENTS)}</a>`), ParseError);
});

test('nothing at all is a ParseError', () => {
  for (const text of ['', '   ', 'HTTP/1.1 200 OK', '<', '<!-- -->', '<?xml version="1.0"?>']) {
    assert.throws(() => readXml(text), ParseError, JSON.stringify(text));
  }
});

test('descendants come in document order', () => {
  const root = readXml('<a><b n="1"><b n="2"/></b><c><b n="3"/></c></a>');
  assert.deepEqual(
    [...descendants(root, 'b')].map((each) => each.attributes.get('n')),
    ['1', '2', '3'],
  );
});

test('any text gives a tree or a ParseError', () => {
  const pieces = fc.constantFrom(
    '<a>',
    '</a>',
    '<b x="',
    '"',
    '>',
    '&',
    '<![CDATA[',
    ']]>',
    '<?',
    '<!--',
    '<!DOCTYPE',
    ' ',
    '\0',
    'é',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((parts) => parts.join('')),
      ),
      (text) => {
        try {
          readXml(text);
        } catch (error) {
          assert.ok(error instanceof ParseError, String(error));
        }
      },
    ),
  );
});

test('escaped text reads back as it was', () => {
  const printable = fc.string().filter((text) => /^[\x20-\x7e]*$/.test(text));
  fc.assert(
    fc.property(printable, (text) => {
      assert.equal(readXml(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`).text, text);
    }),
  );
});

test('namespaces: declared outside, within, anew, and nowhere', () => {
  const root = readXml(
    '<s:A xmlns:s="urn:s" xmlns="urn:d"><B/><t:C xmlns:t="urn:t"><t:D xmlns:t="urn:u"/></t:C><t:E/></s:A>',
  );
  const [b, c, e] = root.children;
  assert.deepEqual(
    [root, b, c, c?.children[0], e].map((each) => each?.namespace),
    ['urn:s', 'urn:d', 'urn:t', 'urn:u', undefined],
  );
});

test('many declarations at many elements are read in no more than a moment', () => {
  const declarations = Array.from({ length: 20_000 }, (_none, at) => ` xmlns:p${at}="u"`).join('');
  const xml = `<a${declarations}>${'<p1:b xmlns:q="v"/>'.repeat(20_000)}</a>`;
  const started = performance.now();
  assert.equal(readXml(xml).children[0]?.namespace, 'u');
  assert.ok(performance.now() - started < 2000);
});

test('written again as it was read: order, attributes, text, namespaces of others', () => {
  const xml =
    '<trt:C xmlns:trt="urn:trt" xmlns:tt="urn:tt" xmlns:v="urn:v" token="a&amp;&quot;b" GovLength="50">' +
    '<tt:Name> R&amp;D </tt:Name><tt:Empty/><x:Lost/><v:Extra a="1"><v:In>2</v:In></v:Extra></trt:C>';
  const written =
    '<C xmlns="urn:trt" token="a&amp;&quot;b" GovLength="50">' +
    '<Name xmlns="urn:tt">R&amp;D</Name><Empty xmlns="urn:tt"></Empty><Lost></Lost>' +
    '<Extra xmlns="urn:v" a="1"><In>2</In></Extra></C>';
  assert.equal(writeXml(readXml(xml), ''), written);
  assert.equal(writeXml(readXml(written), ''), written);
});
