import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concat } from '../../../codecs/bytes.ts';
import type { ProtocolError } from '../../../codecs/errors.ts';
import {
  PublishSink,
  type PublishSocket,
  STALL_MS,
} from '../../../gateway/proxypublish/publish-sink.ts';
import { SinkQueue } from '../../../gateway/proxypublish/sink-queue.ts';
import { ChunkReader } from '../../../protocols/rtmp/chunk-reader.ts';
import { serializeMessage } from '../../../protocols/rtmp/chunk-writer.ts';
import { controlMessage } from '../../../protocols/rtmp/control.ts';
import { AUDIO_TRACK, audioUnit, VIDEO_TRACK, videoUnit } from '../../support/units.ts';

const CHUNK_SIZE = 65_536;

/** A socket whose kernel takes everything while `isFull` is false. */
class FakeSocket implements PublishSocket {
  writableLength = 0;
  isFull = false;
  readonly written: Uint8Array[] = [];
  readonly #flushed: (() => void)[] = [];

  write(bytes: Uint8Array, flushed?: () => void): boolean {
    this.written.push(bytes.slice());
    if (this.isFull) {
      this.writableLength += bytes.length;
      if (flushed !== undefined) this.#flushed.push(flushed);
    } else {
      process.nextTick(flushed ?? (() => undefined));
    }
    return !this.isFull;
  }

  cork(): void {}
  uncork(): void {}

  /** The kernel has taken all that waited. */
  flush(): void {
    this.isFull = false;
    this.writableLength = 0;
    for (const flushed of this.#flushed.splice(0)) flushed();
  }

  /** Type and timestamp of each message of media that is no header. */
  media(): string[] {
    const reader = new ChunkReader();
    reader.push(serializeMessage(controlMessage(1, CHUNK_SIZE), 2, 128));
    return reader
      .push(concat(...this.written))
      .filter(({ typeId, payload }) => typeId !== 18 && payload[1] !== 0)
      .map(({ typeId, timestampMs }) => `${typeId === 9 ? 'v' : 'a'}${timestampMs}`);
  }
}

class Fixture {
  readonly socket = new FakeSocket();
  readonly counters = { bytes: 0, unitsSent: 0 };
  readonly failures: unknown[] = [];
  readonly timesBack: number[] = [];
  nowMs = 0;
  readonly queue: SinkQueue;
  readonly sink: PublishSink;

  constructor(maxBytes?: number) {
    this.queue = new SinkQueue(maxBytes);
    const hevcForm = 'enhanced';
    const options = {
      messageStreamId: 1,
      chunkSize: CHUNK_SIZE,
      hevcForm,
      encoder: 'test',
    } as const;
    this.sink = new PublishSink(this.socket, this.queue, options, {
      counters: this.counters,
      now: () => this.nowMs,
      onTimesBack: (clampedUnits) => this.timesBack.push(clampedUnits),
      onFailure: (error) => this.failures.push(error),
    });
    this.sink.start([VIDEO_TRACK, AUDIO_TRACK]);
  }

  failureCodes(): string[] {
    return this.failures.map((error) => (error as ProtocolError).code);
  }

  video(dtsMs: number, randomAccess = false): boolean {
    const unit = videoUnit({ dtsUs: dtsMs * 1000, randomAccess });
    this.sink.write(unit);
    return unit.kept;
  }

  audio(dtsMs: number): void {
    this.sink.write(audioUnit({ dtsUs: dtsMs * 1000 }));
  }
}

test('a socket that keeps up gets every unit at once, and keeps none', () => {
  const f = new Fixture();
  assert.equal(f.video(0, true), false);
  assert.equal(f.video(40), false);
  assert.deepEqual(f.socket.media(), ['v0', 'v40']);
  assert.equal(f.counters.unitsSent, 2);
  assert.equal(f.counters.bytes, concat(...f.socket.written).length);
});

test('nothing before the first random access picture', () => {
  const f = new Fixture();
  f.audio(0);
  f.video(40);
  f.video(80, true);
  f.audio(70);
  f.audio(90);
  f.video(120);
  assert.deepEqual(f.socket.media(), ['v0', 'a10', 'v40']);
});

/** mediamtx#5209, #5226, #995, #2330, #1002, #2053, #5233: "not monotonically increasing" ends the session there. */
test('times that go backwards end nothing; they are told once a minute', () => {
  const fixture = new Fixture();
  fixture.video(0, true);
  for (let n = 1; n <= 200; n += 1) {
    fixture.nowMs = n * 1000;
    fixture.video(n % 2 === 0 ? n * 1000 : n * 1000 - 1500);
  }
  const times = fixture.socket.media().map((text) => Number(text.slice(1)));
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.equal(times.length, 201);
  assert.deepEqual(fixture.timesBack, [1, 31, 61, 91]);
  assert.deepEqual(fixture.failures, []);
});

test('a socket that is full keeps the unit it has; those after it wait in the queue', () => {
  const f = new Fixture();
  f.video(0, true);
  f.socket.isFull = true;
  assert.equal(f.video(40), true);
  assert.equal(f.video(80), false);
  f.audio(90);
  assert.equal(f.video(120), false);
  assert.deepEqual(f.socket.media(), ['v0', 'v40']);
  f.socket.flush();
  assert.deepEqual(f.socket.media(), ['v0', 'v40', 'v80', 'a90', 'v120']);
  assert.equal(f.queue.isEmpty, true);
  f.video(160);
  assert.deepEqual(f.socket.media().at(-1), 'v160');
});

test('the queue is drained also when the socket held bytes of the dialogue only', () => {
  const f = new Fixture();
  f.socket.writableLength = 16; // an acknowledgement that the kernel did not take
  f.video(0, true);
  assert.deepEqual(f.socket.media(), []);
  f.socket.writableLength = 0; // and no callback of ours
  f.video(40);
  assert.deepEqual(f.socket.media(), ['v0', 'v40']);
});

test('a slow target loses whole GOPs and the session goes on', () => {
  const f = new Fixture(20_000);
  f.video(0, true);
  f.socket.isFull = true;
  for (let ms = 40; ms < 2000; ms += 40) f.video(ms, ms % 200 === 0);
  assert.ok(f.queue.droppedGops > 0);
  f.socket.flush();
  const [first, second, third] = f.socket.media();
  assert.deepEqual([first, second], ['v0', 'v40']);
  assert.equal(Number(third?.slice(1)) % 200, 0, 'goes on at a random access picture');
  assert.deepEqual(f.failures, []);
});

test('a target that takes nothing for 30 s is given up, once', () => {
  const f = new Fixture();
  f.video(0, true);
  f.socket.isFull = true;
  f.video(40);
  f.nowMs = STALL_MS - 1;
  f.video(80);
  assert.deepEqual(f.failures, []);
  f.nowMs = STALL_MS;
  f.video(120);
  f.video(160);
  assert.deepEqual(f.failureCodes(), ['RTMP_STALLED']);
});

test('a target that is slow but reads is not given up', () => {
  const f = new Fixture();
  f.video(0, true);
  for (let second = 1; second < 100; second += 1) {
    f.nowMs = second * 1000;
    f.socket.isFull = true;
    f.video(second * 1000);
    f.video(second * 1000 + 40);
    f.nowMs += 20_000 / 100;
    f.socket.flush();
  }
  assert.deepEqual(f.failures, []);
});

test('a quiet source does not make its target look dead', () => {
  const f = new Fixture();
  f.video(0, true);
  f.nowMs = 10 * STALL_MS;
  f.video(40);
  f.socket.isFull = true;
  f.video(80);
  f.video(120);
  assert.deepEqual(f.failures, []);
});

test('audio that waits goes out when the source stops', () => {
  const f = new Fixture();
  f.video(0, true);
  f.audio(10);
  f.sink.stop();
  assert.deepEqual(f.socket.media(), ['v0', 'a10']);
});

test('after close nothing is written', () => {
  const f = new Fixture();
  f.video(0, true);
  f.sink.close();
  f.video(40);
  f.sink.stop();
  assert.deepEqual(f.socket.media(), ['v0']);
});

test('a track that cannot be described ends the session, not the source', () => {
  const f = new Fixture();
  const track = { ...VIDEO_TRACK, sps: new Uint8Array(0) };
  f.sink.write(videoUnit({ track }));
  assert.equal(f.failures.length, 1);
  f.video(40, true);
  assert.deepEqual(f.socket.written, []);
});
