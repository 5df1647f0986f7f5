import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StartGate } from '../../../protocols/mpegts/start-gate.ts';
import { RecordingSink } from '../../support/recording-sink.ts';
import { audioUnit, videoUnit } from '../../support/units.ts';

function open(kinds: readonly ('video' | 'audio')[]) {
  const sink = new RecordingSink();
  const notes: string[] = [];
  const clock = { nowMs: 0 };
  const gate = new StartGate(
    sink,
    () => clock.nowMs,
    (words) => notes.push(words),
  );
  gate.expect(kinds);
  return { sink, notes, clock, gate };
}

const ms = (unit: { dtsUs: number }) => unit.dtsUs / 1000;

describe('the start', () => {
  test('waits for both tracks, and loses no picture', () => {
    const { sink, gate } = open(['video', 'audio']);
    const lent = videoUnit({ dtsUs: 0, fill: 1 });
    gate.write(lent);
    lent.data.fill(0xee);
    gate.write(videoUnit({ dtsUs: 40_000 }));
    assert.equal(sink.starts, 0);
    gate.write(audioUnit({ dtsUs: 50_000 }));
    assert.equal(sink.starts, 1);
    assert.deepEqual(
      sink.tracks?.map(({ kind }) => kind),
      ['video', 'audio'],
    );
    assert.deepEqual(sink.units.map(ms), [0, 40, 50]);
    assert.equal(sink.units[0]?.data[0], 1);
    gate.write(videoUnit({ dtsUs: 80_000 }));
    assert.deepEqual(sink.units.map(ms), [0, 40, 50, 80]);
    assert.equal(sink.starts, 1);
  });

  test('leaves out sound from before the first picture', () => {
    const { sink, gate } = open(['video', 'audio']);
    for (const dtsUs of [0, 20_000, 40_000, 60_000]) gate.write(audioUnit({ dtsUs }));
    gate.write(videoUnit({ dtsUs: 40_000 }));
    assert.deepEqual(
      sink.units.map((unit) => `${unit.kind} ${ms(unit)}`),
      ['audio 40', 'audio 60', 'video 40'],
    );
  });

  test('of sound alone is at once', () => {
    const { sink, gate } = open(['audio']);
    gate.write(audioUnit());
    assert.equal(sink.units.length, 1);
  });

  test('does not wait for audio that never comes; when it comes late it is let through', () => {
    const { sink, gate, clock, notes } = open(['video', 'audio']);
    for (let n = 0; n < 50; n += 1) {
      clock.nowMs = n * 40;
      gate.write(videoUnit({ dtsUs: n * 40_000 }));
    }
    assert.equal(sink.starts, 0);
    clock.nowMs = 2000;
    gate.write(videoUnit({ dtsUs: 2_000_000 }));
    assert.deepEqual(
      sink.tracks?.map(({ kind }) => kind),
      ['video'],
    );
    assert.equal(sink.units.length, 51);
    assert.deepEqual(notes, ['Started without audio: the source announces it and sends none.']);
    gate.write(audioUnit({ dtsUs: 2_010_000 }));
    assert.equal(sink.units.length, 52);
    assert.equal(sink.starts, 1);
  });

  test('counts what tiny sounds take, not what they hold', () => {
    const { sink, gate } = open(['video', 'audio']);
    const tiny = { ...audioUnit(), data: new Uint8Array(1) };
    let count = 0;
    while (sink.starts === 0 && count < 100_000) {
      gate.write(tiny);
      count += 1;
    }
    assert.ok(count < 10_000, `${count} are held`);
  });

  test('waits longer for a keyframe', () => {
    const { sink, gate, clock, notes } = open(['video', 'audio']);
    gate.write(audioUnit());
    clock.nowMs = 11_999;
    gate.write(audioUnit({ dtsUs: 11_999_000 }));
    assert.equal(sink.starts, 0);
    clock.nowMs = 12_000;
    gate.write(audioUnit({ dtsUs: 12_000_000 }));
    assert.equal(sink.starts, 1);
    assert.match(notes.join(), /without video/);
  });

  test('what is held is bounded', () => {
    const { sink, gate } = open(['video', 'audio']);
    for (let n = 0; n < 11 && sink.starts === 0; n += 1)
      gate.write(videoUnit({ byteLength: 1024 * 1024 }));
    assert.equal(sink.starts, 1);
  });

  test('follows the programme: audio that is announced no more', () => {
    const { sink, gate } = open(['video', 'audio']);
    gate.write(videoUnit());
    gate.expect(['video']);
    gate.write(videoUnit({ dtsUs: 40_000 }));
    assert.equal(sink.units.length, 2);
  });
});
