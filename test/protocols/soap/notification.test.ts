import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ParseError } from '../../../codecs/errors.ts';
import { readNotifications } from '../../../protocols/soap/notification.ts';
import { readXml } from '../../../protocols/soap/xml.ts';

const read = (xml: string) => readNotifications(readXml(xml));

/** As a Hikvision DS-2CD2423G0 sends it (Edge-ONVIF-Driver#2, HA#36111). */
const HIKVISION =
  '<env:Body xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2"' +
  ' xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><tev:PullMessagesResponse>' +
  '<tev:CurrentTime>2022-11-25T05:16:40Z</tev:CurrentTime><tev:TerminationTime>2022-11-25T05:26:40Z</tev:TerminationTime>' +
  '<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">' +
  'tns1:RuleEngine/CellMotionDetector/Motion</wsnt:Topic><wsnt:Message>' +
  '<tt:Message UtcTime="2022-11-25T05:16:39Z" PropertyOperation="Initialized"><tt:Source>' +
  '<tt:SimpleItem Name="VideoSourceConfigurationToken" Value="VideoSourceToken"/>' +
  '<tt:SimpleItem Name="Rule" Value="MyMotionDetectorRule"/></tt:Source><tt:Key><tt:SimpleItem Name="K" Value="1"/></tt:Key>' +
  '<tt:Data><tt:SimpleItem Name="IsMotion" Value="false"/></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>' +
  '</tev:PullMessagesResponse></env:Body>';

test('topic, operation, source with key, data', () => {
  assert.deepEqual(read(HIKVISION), [
    {
      topic: 'RuleEngine/CellMotionDetector/Motion',
      operation: 'Initialized',
      source: new Map([
        ['VideoSourceConfigurationToken', 'VideoSourceToken'],
        ['Rule', 'MyMotionDetectorRule'],
        ['K', '1'],
      ]),
      data: new Map([['IsMotion', 'false']]),
    },
  ]);
});

test('namespaces of the parts, blanks, empty parts', () => {
  const topics: [string, string][] = [
    [' tns1:VideoAnalytics/tnsaxis:MotionDetection ', 'VideoAnalytics/MotionDetection'],
    ['RuleEngine/A', 'RuleEngine/A'],
    ['tns1:RuleEngine//A//.', 'RuleEngine/A'],
  ];
  for (const [topic, expected] of topics) {
    const xml = `<B><NotificationMessage><Topic>${topic}</Topic></NotificationMessage></B>`;
    assert.equal(read(xml)[0]?.topic, expected);
  }
});

test('messages without a topic or without their end, items without a name or of enormous length', () => {
  const item = (name: string, value: string) => `<SimpleItem Name="${name}" Value="${value}"/>`;
  const message = (topic: string, data: string) =>
    `<NotificationMessage>${topic}<Message><Message><Data>${data}</Data></Message></Message></NotificationMessage>`;
  assert.deepEqual(read(`<B>${message('', item('A', '1'))}</B>`), []);
  assert.deepEqual(read(`<B>${message(`<Topic>${'x'.repeat(300)}</Topic>`, '')}</B>`), []);
  assert.deepEqual(read('<B><NotificationMessage><Topic>a</Topic><Message>'), []);
  const data = `${item('A', 'x'.repeat(300))}<SimpleItem Name="B"/><SimpleItem Value="c"/><ElementItem Name="D"/>${item('E', '1')}`;
  assert.deepEqual(
    [...(read(`<B>${message('<Topic>a</Topic>', data)}</B>`)[0]?.data ?? [])],
    [['E', '1']],
  );
});

test('no more than it bears: messages, and items of one', () => {
  const message = (items: number) =>
    `<NotificationMessage><Topic>a</Topic><Message><Message><Data>${Array.from(
      { length: items },
      (_none, at) => `<SimpleItem Name="n${at}" Value="1"/>`,
    ).join('')}</Data></Message></Message></NotificationMessage>`;
  assert.equal(read(`<B>${message(0).repeat(5000)}</B>`).length, 1024);
  assert.equal(read(`<B>${message(1000)}</B>`)[0]?.data.size, 32);
});

test('any text gives notifications or a ParseError', () => {
  const damaged = fc
    .tuple(
      fc.nat(HIKVISION.length),
      fc.constantFrom('<', '>', '"', '&', '</', '/>', '\0', ':', '//'),
    )
    .map(([at, by]) => HIKVISION.slice(0, at) + by + HIKVISION.slice(at + by.length));
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string()), (text) => {
      try {
        for (const { topic } of read(text)) assert.ok(topic.length <= 256);
      } catch (error) {
        assert.ok(error instanceof ParseError, String(error));
      }
    }),
  );
});
