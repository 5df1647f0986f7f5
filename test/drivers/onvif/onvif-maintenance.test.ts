import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthenticationError, UnsupportedError } from '../../../codecs/errors.ts';
import { SIGNAL, startControlled } from '../../support/controlled-camera.ts';

const HOUR_MS = 3_600_000;
const NS = 'xmlns="http://www.onvif.org/ver10/device/wsdl"';
const T = 'xmlns="http://www.onvif.org/ver10/schema"';

test('a reboot goes to the device service, once', async (t) => {
  const { virtual, controls } = await startControlled(t);
  await controls.reboot(SIGNAL);
  assert.equal(virtual.device.reboots, 1);
  assert.equal(virtual.lastBody('SystemReboot'), `<SystemReboot ${NS}/>`);
});

/** HA#121952: a clock that is wrong after a power cut. */
test('the clock: how far it is off, who sets it, and set to ours with its time zone kept', async (t) => {
  const { virtual, controls } = await startControlled(t, { clockOffsetMs: -3 * HOUR_MS });
  const before = await controls.clock(SIGNAL);
  assert.ok(Math.abs(before.offsetMs + 3 * HOUR_MS) < 2000, String(before.offsetMs));
  assert.deepEqual([before.setBy, before.ntpServers], ['manual', []]);
  virtual.device.daylightSavings = true;
  await controls.setClock(SIGNAL);
  assert.match(
    virtual.lastBody('SetSystemDateAndTime'),
    new RegExp(
      `^<SetSystemDateAndTime ${NS}><DateTimeType>Manual</DateTimeType><DaylightSavings>true</DaylightSavings>` +
        `<TimeZone><TZ ${T}>CET-1CEST,M3\\.5\\.0,M10\\.5\\.0/3</TZ></TimeZone>` +
        `<UTCDateTime><Time ${T}><Hour>\\d+</Hour><Minute>\\d+</Minute><Second>\\d+</Second></Time>` +
        `<Date ${T}><Year>\\d{4}</Year><Month>\\d+</Month><Day>\\d+</Day></Date></UTCDateTime></SetSystemDateAndTime>$`,
    ),
  );
  assert.ok(Math.abs(virtual.clockOffsetMs) < 2000);
  assert.ok(Math.abs((await controls.clock(SIGNAL)).offsetMs) < 2000);
  assert.equal(virtual.refusals, 0, 'the next request is stamped with the new time');
});

test('a time server by address and by name; the clock then follows it', async (t) => {
  const { virtual, controls } = await startControlled(t);
  await controls.setNtp('10.0.0.1', SIGNAL);
  assert.equal(
    virtual.lastBody('SetNTP'),
    `<SetNTP ${NS}><FromDHCP>false</FromDHCP><NTPManual><Type ${T}>IPv4</Type><IPv4Address ${T}>10.0.0.1</IPv4Address></NTPManual></SetNTP>`,
  );
  assert.equal(
    virtual.lastBody('SetSystemDateAndTime'),
    `<SetSystemDateAndTime ${NS}><DateTimeType>NTP</DateTimeType><DaylightSavings>false</DaylightSavings>` +
      `<TimeZone><TZ ${T}>CET-1CEST,M3.5.0,M10.5.0/3</TZ></TimeZone></SetSystemDateAndTime>`,
  );
  assert.deepEqual((await controls.clock(SIGNAL)).ntpServers, ['10.0.0.1']);
  await controls.setNtp('pool.ntp.org', SIGNAL);
  assert.match(virtual.lastBody('SetNTP'), /<Type [^>]*>DNS<.*<DNSname [^>]*>pool\.ntp\.org</);
  const clock = await controls.clock(SIGNAL);
  assert.deepEqual([clock.setBy, clock.ntpServers], ['ntp', ['pool.ntp.org']]);
  await controls.setNtp('fe80::1', SIGNAL);
  assert.match(virtual.lastBody('SetNTP'), /<Type [^>]*>IPv6<.*<IPv6Address [^>]*>fe80::1</);
  const asked = virtual.requests.length;
  for (const server of ['', 'a b', '<x/>', 'a'.repeat(300)]) {
    await assert.rejects(controls.setNtp(server, SIGNAL), { code: 'NTP_SERVER' }, server);
  }
  assert.equal(virtual.requests.length, asked, 'nothing was sent');
});

test('ActionNotSupported is an UnsupportedError; NotAuthorized for one operation says whose right is missing', async (t) => {
  const mangle = (xml: string, operation: string) =>
    operation === 'SystemReboot' || operation === 'SetNTP' || operation === 'GetNTP'
      ? xml.replace(/<s:Body>.*<\/s:Body>/, FAULT)
      : xml;
  const FAULT =
    '<s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>ter:ActionNotSupported</s:Value>' +
    '</s:Subcode></s:Code></s:Fault></s:Body>';
  const { controls } = await startControlled(t, { mangle });
  await assert.rejects(controls.reboot(SIGNAL), UnsupportedError);
  await assert.rejects(controls.setNtp('10.0.0.1', SIGNAL), UnsupportedError);
  assert.deepEqual((await controls.clock(SIGNAL)).ntpServers, [], 'does without');
  const viewer = await startControlled(t, { forbidden: ['SystemReboot', 'SetSystemDateAndTime'] });
  await assert.rejects(viewer.controls.reboot(SIGNAL), {
    code: 'ONVIF_NOT_AUTHORIZED',
    message: /"admin" may not call .*SystemReboot/,
  });
  await assert.rejects(viewer.controls.setClock(SIGNAL), { code: 'ONVIF_NOT_AUTHORIZED' });
  assert.equal(viewer.virtual.refusals, 0);
});

test('one session serves many requests, and several at once; a new one where it failed', async (t) => {
  let isDown = false;
  const { virtual, controls } = await startControlled(t, {
    answer: (_operation, response) => {
      if (isDown) response.destroy();
      return isDown;
    },
  });
  const logins = () => virtual.requests.filter((name) => name === 'GetProfiles').length;
  await Promise.all([controls.clock(SIGNAL), controls.clock(SIGNAL), controls.encoder(SIGNAL)]);
  assert.equal(logins(), 1);
  isDown = true;
  await assert.rejects(controls.clock(SIGNAL), { code: 'ECONNRESET' });
  isDown = false;
  await controls.clock(SIGNAL);
  assert.equal(logins(), 2, 'it may be elsewhere: found anew');
});

test('a wrong password: three refusals in all, then nothing is sent', async (t) => {
  const { virtual, controls } = await startControlled(t, { password: 'other' });
  for (let count = 0; count < 5; count += 1) {
    await assert.rejects(controls.clock(SIGNAL), AuthenticationError);
  }
  assert.equal(virtual.refusals, 3);
  const asked = virtual.requests.length;
  await assert.rejects(controls.reboot(SIGNAL), AuthenticationError);
  await assert.rejects(
    controls.watchMotion(() => {}, SIGNAL),
    AuthenticationError,
  );
  assert.equal(virtual.requests.length, asked);
});

test('who gives up is let go at once; the others are served', async (t) => {
  const { virtual, controls } = await startControlled(t);
  const impatient = new AbortController();
  const first = controls.clock(impatient.signal);
  const second = controls.clock(SIGNAL);
  impatient.abort(new Error('gave up'));
  await assert.rejects(first, /gave up/);
  assert.ok((await second).offsetMs < 2000);
  assert.equal(virtual.requests.filter((name) => name === 'GetProfiles').length, 1);
  await assert.rejects(controls.clock(impatient.signal), /gave up/);
});
