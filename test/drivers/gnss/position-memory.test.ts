import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PositionMemory } from '../../../drivers/gnss/position-memory.ts';
import { parseNavigation } from '../../../protocols/nmea/navigation-report.ts';
import { NmeaFramer } from '../../../protocols/nmea/sentence-framer.ts';
import {
  asSent,
  FURUNO,
  QUECTEL_FIX,
  QUECTEL_SEARCHING,
  TELIT,
} from '../../protocols/nmea/receiver-logs.ts';

const TELIT_TIME = Date.UTC(2025, 8, 4, 4, 35, 39);

function hear(memory: PositionMemory, log: string, atMs: number, clockMs = 0): void {
  for (const sentence of new NmeaFramer().push(asSent(log))) {
    const report = parseNavigation(sentence);
    if (report !== undefined) memory.add(report, atMs, clockMs);
  }
}

test('puts together what the sentences of a receiver say', () => {
  const memory = new PositionMemory();
  hear(memory, QUECTEL_FIX, 1000);
  const fix = memory.fix(1000);
  assert.ok(fix);
  assert.deepEqual(
    { ...fix, speedKmh: fix.speedKmh?.toFixed(4) },
    {
      latitude: 36 + 45.876324 / 60,
      longitude: 31 + 24.67028 / 60,
      dimensions: 3,
      altitudeM: -6.7,
      satellites: 8,
      hdop: 1.3,
      speedKmh: '2.4076',
    },
  );
});

test('believes the sentence that counts the satellites of all systems', () => {
  for (const [log, satellites, dimensions] of [
    [TELIT, 14, 2],
    [FURUNO, 11, 3],
    [withOnly(TELIT, 'GGA'), 5, 3],
    [withOnly(TELIT, 'RMC'), undefined, 2],
  ] as const) {
    const memory = new PositionMemory();
    hear(memory, log, 0);
    const fix = memory.fix(0);
    assert.deepEqual([fix?.satellites, fix?.dimensions], [satellites, dimensions]);
  }
});

test('forgets a place that is not said again', () => {
  const memory = new PositionMemory();
  hear(memory, TELIT, 0);
  hear(memory, QUECTEL_SEARCHING, 4_000);
  assert.ok(memory.fix(5_000));
  hear(memory, QUECTEL_SEARCHING, 5_001);
  assert.equal(memory.fix(5_001), undefined);
  assert.equal(memory.clockOffsetMs(5_001), undefined);
});

test('the clock is compared with the sentence that came fastest', () => {
  const memory = new PositionMemory();
  assert.equal(memory.clockOffsetMs(0), undefined);
  for (const [index, lateMs] of [700, 480, 950].entries()) {
    hear(memory, withOnly(TELIT, 'GPRMC'), index * 1000, TELIT_TIME + 2_000 + lateMs);
  }
  assert.equal(memory.clockOffsetMs(2_000), 2_480);
});

test('a clock that is set is compared anew', () => {
  const memory = new PositionMemory();
  hear(memory, withOnly(TELIT, 'GPRMC'), 0, TELIT_TIME - 3_600_000);
  hear(memory, withOnly(TELIT, 'GPRMC'), 1_000, TELIT_TIME + 300);
  assert.equal(memory.clockOffsetMs(1_000), 300);
});

function withOnly(log: string, type: string): string {
  return log
    .split('\n')
    .filter((line) => line.includes(`${type},`))
    .join('\n');
}
