/** `sluice relay SOURCE TARGET...`: no file, one source, several targets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageType, type RtmpMessage } from '../../protocols/rtmp/message.ts';
import { assertSameUnits, type CodedUnit } from '../support/compare-units.ts';
import { unitOf } from '../support/flv-units.ts';
import { startGstCamera } from '../support/gst-camera.ts';
import { RelayProcess } from '../support/relay-process.ts';
import { RtmpSink } from '../support/rtmp-sink.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'p@ss/w#rd';

/** A master that keeps what it is sent. */
async function openMaster(): Promise<{ sink: RtmpSink; units: CodedUnit[]; names: string[] }> {
  const units: CodedUnit[] = [];
  const names: string[] = [];
  const keep = ({ typeId, timestampMs, payload }: RtmpMessage): void => {
    if (typeId !== MessageType.video && typeId !== MessageType.audio) return;
    const unit = unitOf({ type: typeId, timestampMs, body: payload.slice() });
    if (unit !== undefined) units.push(unit);
  };
  const sink = await RtmpSink.listen({
    onMessage: (_session, message) => keep(message),
    onPublish: (session) => names.push(session.streamName),
  });
  return { sink, units, names };
}

test('one camera to two masters, credentials in the URL as typed; SIGTERM unpublishes and ends with 0', async () => {
  await using camera = await startGstCamera({
    audio: 'aac',
    bframes: 2,
    auth: 'digest',
    username: 'viewer',
    password: PASSWORD,
  });
  const first = await openMaster();
  const second = await openMaster();
  const source = camera.url.replace('rtsp://', `rtsp://viewer:${PASSWORD}@`);
  const targets = [`${first.sink.url('live')}/door`, `${second.sink.url('live')}/copy`];
  const relay = new RelayProcess(source, ...targets);
  try {
    await until(() => first.units.length > 300 && second.units.length > 300, 30_000);
  } catch (error) {
    await relay.stop();
    throw new Error(relay.log, { cause: error });
  }
  assert.equal(await relay.stop(), 0);
  const sent = await camera.dump();
  for (const { units } of [first, second]) assertSameUnits(sent, units, { fewest: 200 });
  assert.deepEqual([...first.names, ...second.names], ['door', 'copy']);
  for (const { sink } of [first, second]) {
    const said = sink.history[0]?.commands.map(({ name }) => name) ?? [];
    assert.ok(said.includes('FCUnpublish') && said.includes('deleteStream'), said.join(' '));
    await sink.close();
  }
  const { log } = relay;
  assert.ok(!log.includes(PASSWORD) && !log.includes(encodeURIComponent(PASSWORD)), log);
});
