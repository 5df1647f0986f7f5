import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import type { StreamSink } from '../../../codecs/stream-sink.ts';
import type { Track } from '../../../codecs/track.ts';
import { SlabPool } from '../../../gateway/hub/slab-pool.ts';
import { Stream } from '../../../gateway/hub/stream.ts';

const VIDEO: Track = {
  kind: 'video',
  codec: 'h264',
  sps: new Uint8Array(4),
  pps: new Uint8Array(4),
};

function unit(dtsUs: number, randomAccess = false, track = VIDEO): AccessUnit {
  const data = Uint8Array.of(0, 0, 0, 1, 9);
  return { track, ptsUs: dtsUs + 40_000, dtsUs, randomAccess, data, kept: false };
}

class Recorder implements StreamSink {
  readonly seen: string[] = [];
  start(tracks: readonly Track[]): void {
    this.seen.push(`start ${tracks.length}`);
  }
  write({ dtsUs, ptsUs }: AccessUnit): void {
    this.seen.push(`${dtsUs}/${ptsUs}`);
  }
  stop(): void {
    this.seen.push('stop');
  }
}

function makeStream(): { stream: Stream; clock: { ms: number } } {
  const clock = { ms: 1000 };
  return { stream: new Stream('cam', new SlabPool(1 << 20), () => clock.ms), clock };
}

test('the first source begins at zero and PTS − DTS is kept', () => {
  const { stream } = makeStream();
  const sink = new Recorder();
  stream.subscribe(sink);
  stream.start([VIDEO]);
  stream.write(unit(5_000_000, true));
  stream.write(unit(5_040_000));
  assert.deepEqual(sink.seen, ['start 1', '0/40000', '40000/80000']);
});

/** mediamtx#1307 (open since 2022), #4225. */
test('a source that returns continues the time line after the time it was away', () => {
  const { stream, clock } = makeStream();
  const sink = new Recorder();
  stream.subscribe(sink);
  stream.start([VIDEO]);
  stream.write(unit(9_000_000, true));
  stream.write(unit(9_040_000));
  stream.stop();
  clock.ms += 3000;
  stream.start([VIDEO]);
  stream.write(unit(100, true));
  stream.write(unit(40_100));
  assert.deepEqual(sink.seen.slice(3), ['stop', 'start 1', '3040000/3080000', '3080000/3120000']);
});

test('a late subscriber gets tracks and the current GOP when one was expected', () => {
  const { stream } = makeStream();
  stream.start([VIDEO]);
  stream.write(unit(0, true));
  const expected = stream.expectSubscriber();
  stream.write(unit(40_000));
  stream.write(unit(80_000, true));
  stream.write(unit(120_000));
  const late = new Recorder();
  stream.subscribe(late);
  assert.deepEqual(late.seen, ['start 1', '80000/120000', '120000/160000']);
  expected[Symbol.dispose]();
  const later = new Recorder();
  stream.subscribe(later);
  assert.deepEqual(later.seen, ['start 1']);
});

test('a sink that leaves while a unit is handed out neither disturbs the others nor is called again', () => {
  const { stream } = makeStream();
  const stays = new Recorder();
  const leaves = new Recorder();
  let subscription: Disposable | undefined;
  stream.subscribe({
    start: () => undefined,
    stop: () => undefined,
    write: () => subscription?.[Symbol.dispose](),
  });
  subscription = stream.subscribe(leaves);
  stream.subscribe(stays);
  stream.start([VIDEO]);
  stream.write(unit(0, true));
  stream.write(unit(40_000));
  assert.equal(stays.seen.length, 3);
  assert.equal(leaves.seen.length, 2);
});

test('new parameter sets within a source are told once, and late joiners get the new ones', () => {
  const { stream } = makeStream();
  const told: number[] = [];
  stream.on('tracks', (tracks) => told.push(tracks.length));
  stream.start([VIDEO]);
  stream.write(unit(0, true));
  const changed: Track = { ...VIDEO };
  stream.write(unit(40_000, true, changed));
  stream.write(unit(80_000, false, changed));
  assert.deepEqual(told, [1, 1]);
  assert.equal(stream.tracks[0], changed);
});
