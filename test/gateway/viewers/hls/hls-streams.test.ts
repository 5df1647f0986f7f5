import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Hub } from '../../../../gateway/hub/hub.ts';
import { HlsStreams } from '../../../../gateway/viewers/hls/hls-streams.ts';
import { collectingLog } from '../../../support/reporting.ts';
import { AUDIO_TRACK, audioUnit, VIDEO_TRACK, videoUnit } from '../../../support/units.ts';

class Setup {
  nowMs = Date.UTC(2026, 10, 25);
  readonly hub = new Hub(0, () => this.nowMs);
  readonly logged = collectingLog();
  readonly streams: HlsStreams;

  constructor(context: TestContext, maxBytes: number) {
    context.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    this.streams = new HlsStreams({
      hub: this.hub,
      maxBytes,
      log: this.logged.log,
      now: () => this.nowMs,
      wallClock: () => this.nowMs,
    });
    context.after(() => this.streams.stop());
  }

  /** Keyframes of this size, one a second: a segment each two. */
  send(name: string, seconds: number, byteLength = 1000): void {
    for (let n = 0; n < seconds; n += 1) {
      this.hub.open(name).write(videoUnit({ dtsUs: this.nowMs * 1000, byteLength }));
      this.nowMs += 1000;
    }
  }

  online(name: string): void {
    this.hub.open(name).start([VIDEO_TRACK]);
  }

  segments(name: string): number {
    return this.streams.open(name, 'me')?.segmenter.segments.length ?? 0;
  }
}

test('only a stream that is there, and whose source is', (context) => {
  const setup = new Setup(context, 1e6);
  assert.equal(setup.streams.open('cam', 'me'), undefined);
  setup.hub.open('cam');
  assert.equal(setup.streams.open('cam', 'me'), undefined);
  setup.online('cam');
  assert.notEqual(setup.streams.open('cam', 'me'), undefined);
});

test('it is the same for all who ask, and lives through a loss of the source', (context) => {
  const setup = new Setup(context, 1e6);
  setup.online('cam');
  const stream = setup.streams.open('cam', 'me');
  setup.send('cam', 5);
  setup.hub.remove('cam');
  assert.equal(setup.streams.open('cam', 'me'), stream);
  setup.online('cam');
  setup.send('cam', 5);
  assert.ok(stream!.segmenter.segments.some(({ isDiscontinuity }) => isDiscontinuity));
});

test('sound alone becomes a picture: until there is something of it nobody can begin', (context) => {
  const setup = new Setup(context, 1e6);
  const camera = setup.hub.open('cam');
  camera.start([AUDIO_TRACK]);
  const stream = setup.streams.open('cam', 'me')!;
  const sound = (count: number) => {
    for (let n = 0; n < count; n += 1) {
      camera.write(audioUnit({ dtsUs: setup.nowMs * 1000 }));
      setup.nowMs += 20;
    }
  };
  sound(100);
  assert.ok(stream.isReady && stream.isLive);
  setup.send('cam', 1);
  assert.deepEqual([stream.isReady, stream.isLive], [false, false]);
  setup.send('cam', 2);
  assert.deepEqual([stream.isReady, stream.isLive], [true, true]);
});

test('a minute after the last request it ends, and its numbers go on when it begins again', (context) => {
  const setup = new Setup(context, 1e6);
  setup.online('cam');
  const first = setup.streams.open('cam', 'me')!;
  setup.send('cam', 30);
  context.mock.timers.tick(5_000);
  assert.equal(setup.streams.open('cam', 'me'), first);
  setup.send('cam', 61);
  context.mock.timers.tick(5_000);
  const lastNumber = first.segmenter.nextPart.segment;
  const second = setup.streams.open('cam', 'me')!;
  assert.notEqual(second, first);
  assert.ok(second.segmenter.nextPart.segment > lastNumber);
  setup.send('cam', 3);
  assert.equal(first.segmenter.nextPart.segment, lastNumber);
});

test('so many segments are kept, listed and a little longer', (context) => {
  const setup = new Setup(context, 1e6);
  setup.online('cam');
  setup.streams.open('cam', 'me');
  setup.send('cam', 60);
  assert.equal(setup.segments('cam'), 10);
});

test('when the memory is spent the oldest segment of all goes first', (context) => {
  const setup = new Setup(context, 100_000);
  setup.online('old');
  setup.streams.open('old', 'me');
  setup.send('old', 10, 10_000);
  const before = setup.segments('old');
  setup.online('new');
  setup.streams.open('new', 'me');
  setup.send('new', 6, 10_000);
  assert.ok(before >= 5);
  assert.ok(setup.segments('old') < before);
  assert.equal(setup.segments('new'), 4);
});

test('a stream keeps its last whole segment; where not even those fit, the largest ends, loudly', (context) => {
  const setup = new Setup(context, 50_000);
  for (const name of ['large', 'small']) {
    setup.online(name);
    setup.streams.open(name, 'me');
  }
  setup.send('small', 3, 5_000);
  const large = setup.streams.open('large', 'me')!;
  setup.send('large', 5, 30_000);
  assert.equal(setup.hub.get('large')!.isOnline, true);
  assert.equal(large.isHopeless, true);
  assert.ok(setup.segments('small') >= 1);
  assert.ok(setup.logged.lines.some(({ msg }) => /hlsMaxBytes/.test(String(msg))));
});

test('whoever waits is told at once when it ends', async (context) => {
  const setup = new Setup(context, 1e6);
  setup.online('cam');
  const stream = setup.streams.open('cam', 'me')!;
  const waiting = stream.waitUntil(() => stream.isReady, 20_000, new AbortController().signal);
  setup.streams.stop();
  assert.equal(await waiting, false);
});

test('whoever waits is told when the time is over, and when the viewer is gone', async (context) => {
  const setup = new Setup(context, 1e6);
  setup.online('cam');
  const stream = setup.streams.open('cam', 'me')!;
  const gone = new AbortController();
  const waiting = [
    stream.waitUntil(() => stream.isReady, 1_000, new AbortController().signal),
    stream.waitUntil(() => stream.isReady, 20_000, gone.signal),
  ];
  context.mock.timers.tick(1_000);
  gone.abort();
  assert.deepEqual(await Promise.all(waiting), [false, false]);
});
