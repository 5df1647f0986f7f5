/** A GNSS receiver on a serial line, as the bundle tells of it over MQTT. The receiver is a pseudo-terminal that says what real ones said. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PositionStatus } from '../../gateway/report/status.ts';
import {
  asSent,
  QUECTEL_FIX,
  QUECTEL_SEARCHING,
  UBLOX_START,
} from '../protocols/nmea/receiver-logs.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { MqttWatcher } from '../support/mqtt-watcher.ts';
import { PseudoTerminal } from '../support/pseudo-terminal.ts';

/** A receiver reports once a second; the test is in a hurry. */
const REPORT_MS = 200;
const B = 'sluice/box';

it('finds itself, is unplugged, and finds itself again', async () => {
  await using terminal = await PseudoTerminal.make();
  const port = await freePort();
  await using gateway = await GatewayProcess.start(
    `mqtt: { embedded: { listen: "127.0.0.1:${port}" } }
serial: [{ name: roof, path: "${terminal.path}", protocol: nmea, baudRate: 9600, rs485: true }]`,
  );
  const watcher = await MqttWatcher.open(`mqtt://127.0.0.1:${port}`, 4);
  const position = (code: string) =>
    gateway.until(`position: ${code}`, async () => {
      const text = watcher.state.get(`${B}/position`);
      const status: PositionStatus | undefined = text === undefined ? undefined : JSON.parse(text);
      return status?.code === code ? status : undefined;
    });
  let log = Buffer.concat([asSent(UBLOX_START), asSent(QUECTEL_SEARCHING)]);
  const receiver = setInterval(() => terminal.say(log), REPORT_MS);
  try {
    assert.equal((await position('no-fix')).fix, 'none');
    // The start of a sentence is lost, as it is when a port is opened in the middle.
    log = Buffer.concat([asSent(QUECTEL_FIX).subarray(20), asSent(QUECTEL_FIX)]);
    const { since, at, time, ...fix } = await position('ok');
    assert.deepEqual(fix, {
      receiver: 'roof',
      state: 'fix',
      code: 'ok',
      reason: 'The receiver knows where it is.',
      fix: '3d',
      latitude: 36.764605,
      longitude: 31.411171,
      altitudeM: -6.7,
      satellites: 8,
      hdop: 1.3,
      speedKmh: 2.4,
    });
    // A pseudo-terminal has no direction to switch; the line works all the same.
    assert.match(gateway.log, /TIOCSRS485.*the kernel does not switch the direction/);
    assert.ok(Date.parse(since) <= Date.parse(at));
    assert.equal(time.source, 'gnss');
    // The log is of 2022; within the minutes that this test may take.
    const age = Date.parse(at) - Date.UTC(2022, 8, 11, 19, 15, 3, 10);
    assert.ok(Math.abs((time.offsetMs ?? 0) - age) < 120_000);

    await terminal.unplug();
    const gone = await gateway.until('it is missed', async () => {
      const status: PositionStatus = JSON.parse(watcher.state.get(`${B}/position`) ?? '{}');
      return status.state === 'waiting' ? status : undefined;
    });
    assert.deepEqual([gone.fix, gone.latitude], ['none', null]);
    assert.match(gone.reason, /tty/);
    await terminal.plugIn();
    assert.equal((await position('ok')).latitude, 36.764605);
    assert.deepEqual(await gateway.api('position'), [await position('ok')]);
  } finally {
    clearInterval(receiver);
    await watcher.close();
  }
  assert.equal((await gateway.stop()).code, 0);
});
