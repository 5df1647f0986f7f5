import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { ParseError } from '../../../codecs/errors.ts';
import type { Track } from '../../../codecs/track.ts';
import { Hub } from '../../../gateway/hub/hub.ts';
import { BacklogBudget } from '../../../gateway/viewers/backlog-budget.ts';
import { FanOut, type Framer } from '../../../gateway/viewers/fan-out.ts';
import { ScriptedViewer } from '../../support/scripted-viewer.ts';
import {
  AUDIO_TRACK,
  audioUnit,
  OTHER_VIDEO_TRACK,
  VIDEO_TRACK,
  videoUnit,
} from '../../support/units.ts';

const MIB = 1024 * 1024;

/** Frames are `K` and `p` for pictures, `a` for sound, with the milliseconds of their time; headers tell the tracks. */
class TextFramer implements Framer {
  frames = 0;
  isDamaged = false;
  carriesVideo = true;
  cannotRead: Track | undefined;
  #header = '';

  start(tracks: readonly Track[]): void {
    if (tracks.some((track) => track === this.cannotRead)) throw new ParseError('damaged');
    const names = tracks.map((track) => (track === OTHER_VIDEO_TRACK ? 'other' : track.codec));
    this.#header = `[${names.join('+')}]`;
  }

  header(): Uint8Array {
    return Buffer.from(this.#header);
  }

  frame({ track, dtsUs, randomAccess, data }: AccessUnit): Uint8Array | undefined {
    if (this.isDamaged) throw new ParseError('damaged');
    if (track.kind === 'video' && !this.carriesVideo) return undefined;
    this.frames += 1;
    const kind = track.kind === 'audio' ? 'a' : randomAccess ? 'K' : 'p';
    return new Uint8Array(Buffer.from(`${kind}${dtsUs / 1000}`.padEnd(data.length, '.')));
  }
}

function setUp({ budgetBytes = 1024 * MIB, tracks = [VIDEO_TRACK] as readonly Track[] } = {}) {
  const clock = { ms: 0 };
  const now = () => clock.ms;
  const hub = new Hub(16 * MIB, now);
  const framer = new TextFramer();
  const budget = new BacklogBudget(budgetBytes);
  const fanOut = new FanOut(hub, () => framer, { now, budget });
  const stream = hub.open('cam');
  stream.start(tracks);
  let ms = 0;
  const tick = (
    kind: 'K' | 'p' | 'a',
    { byteLength = 1, track = VIDEO_TRACK, stepMs = 40 } = {},
  ) => {
    const dtsUs = ms * 1000;
    if (kind === 'a') stream.write(audioUnit({ dtsUs, byteLength }));
    else {
      stream.write(videoUnit({ dtsUs, byteLength, track, randomAccess: kind === 'K' }));
      ms += stepMs;
      clock.ms += stepMs;
    }
  };
  return { hub, stream, framer, fanOut, clock, budget, tick };
}

test('a viewer that throws is out, and the others do not notice', () => {
  const { fanOut, tick, stream } = setUp();
  const [before, bad, after] = [new ScriptedViewer(), new ScriptedViewer(), new ScriptedViewer()];
  for (const viewer of [before, bad, after]) fanOut.join('cam', viewer);
  bad.onSend = () => {
    throw new Error('EPIPE');
  };
  tick('K');
  tick('p');
  assert.equal(bad.news(), '[h264] K0 <closed: it failed: EPIPE>');
  assert.equal(before.news(), '[h264] K0 p40');
  assert.equal(after.news(), '[h264] K0 p40');
  assert.equal(stream.viewers, 2);
});

test('a viewer that throws while it joins, is told of the source or is closed disturbs nobody', () => {
  const { fanOut, tick, stream } = setUp();
  const good = new ScriptedViewer();
  fanOut.join('cam', good);
  tick('K');
  const bad = new ScriptedViewer();
  const fail = () => {
    throw new Error('no');
  };
  bad.onSend = fail;
  bad.close = fail;
  fanOut.join('cam', bad);
  const deaf = new ScriptedViewer();
  deaf.sourceChanged = fail;
  fanOut.join('cam', deaf);
  tick('p');
  stream.stop();
  assert.equal(good.news(), '[h264] K0 p40 <offline>');
  assert.equal(stream.viewers, 1);
});

test('viewers that leave within send, also within their first, are sent nothing more; leaving twice is once', () => {
  const { fanOut, tick, stream } = setUp();
  const stays = new ScriptedViewer();
  const leaves = new ScriptedViewer();
  const viewing = fanOut.join('cam', leaves);
  fanOut.join('cam', stays);
  leaves.onSend = () => viewing[Symbol.dispose]();
  tick('K');
  tick('p');
  viewing[Symbol.dispose]();
  assert.equal(leaves.news(), '[h264] K0');
  const leavesAtOnce = new ScriptedViewer();
  leavesAtOnce.onSend = () => {
    throw new Error('EPIPE');
  };
  fanOut.join('cam', leavesAtOnce);
  assert.equal(leavesAtOnce.news(), '[h264] <closed: it failed: EPIPE>');
  assert.equal(stays.news(), '[h264] K0 p40');
  assert.equal(stream.viewers, 1);
});

test('a viewer that others put out while a frame is handed round is not sent it', () => {
  const { fanOut, tick } = setUp();
  const first = new ScriptedViewer();
  const second = new ScriptedViewer();
  fanOut.join('cam', first);
  const viewing = fanOut.join('cam', second);
  second.news();
  first.onSend = () => viewing[Symbol.dispose]();
  tick('K');
  assert.equal(second.news(), '');
});

test('a viewer beyond its bytes loses whole GOPs, counted, and goes on at a random access point', () => {
  const { fanOut, tick } = setUp();
  const quick = new ScriptedViewer();
  const slow = new ScriptedViewer();
  slow.isSlow = true;
  fanOut.join('cam', quick);
  const viewing = fanOut.join('cam', slow);
  tick('K', { byteLength: 8 * MIB });
  assert.equal(slow.news(), '[h264] K0');
  tick('p'); // lost: 8 MiB and the header wait
  tick('K'); // lost: they still do
  tick('p');
  assert.equal(slow.news(), '');
  assert.equal(viewing.droppedGops, 2);
  slow.take(slow.backlogBytes - 256 * 1024);
  tick('p'); // its random access point is gone
  tick('K');
  tick('p');
  assert.equal(slow.news(), 'K200 p240');
  assert.equal(viewing.droppedGops, 2);
  assert.equal(quick.news(), '[h264] K0 p40 K80 p120 p160 K200 p240');
});

test('a viewer that is more than 10 s late loses GOPs, however few its bytes', () => {
  const { fanOut, tick } = setUp();
  const slow = new ScriptedViewer();
  slow.isSlow = true;
  const viewing = fanOut.join('cam', slow);
  tick('K', { stepMs: 4_000 });
  slow.take(1);
  tick('p', { stepMs: 4_000 });
  slow.take(1);
  tick('p', { stepMs: 4_000 });
  assert.equal(slow.news(), '[h264] K0 p4000 p8000');
  tick('p');
  assert.equal(slow.news(), '');
  assert.equal(viewing.droppedGops, 1);
  slow.take();
  slow.isSlow = false;
  tick('K');
  assert.equal(slow.news(), 'K12040');
});

test('a viewer that always lags a little loses nothing', () => {
  const { fanOut, tick } = setUp();
  const slow = new ScriptedViewer();
  const viewing = fanOut.join('cam', slow);
  slow.isSlow = true;
  for (let round = 0; round < 20; round += 1) {
    tick('K', { byteLength: 1000, stepMs: 2_000 });
    slow.take(Math.max(0, slow.backlogBytes - 2000));
  }
  assert.equal(viewing.droppedGops, 0);
});

test('a viewer that takes nothing for 30 s is closed, whether the source sends or not', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { fanOut, tick, clock, stream } = setUp();
  const [dead, slow, quick] = [new ScriptedViewer(), new ScriptedViewer(), new ScriptedViewer()];
  for (const viewer of [dead, slow, quick]) fanOut.join('cam', viewer);
  dead.isSlow = true;
  slow.isSlow = true;
  tick('K', { byteLength: 100 });
  for (let second = 0; second < 29; second += 1) {
    clock.ms += 1_000;
    if (second % 10 === 0) slow.take(1);
    t.mock.timers.tick(1_000);
  }
  assert.equal(dead.news(), '[h264] K0');
  clock.ms += 1_000;
  t.mock.timers.tick(1_000);
  assert.equal(dead.news(), '<closed: nothing could be sent for 30 s>');
  assert.equal(slow.news(), '[h264] K0');
  assert.equal(stream.viewers, 2);
});

test('when the budget of the process is spent, those who hold much lose GOPs, and no GOP is kept', () => {
  const { fanOut, tick, budget } = setUp({ budgetBytes: MIB });
  const [quick, slow] = [new ScriptedViewer(), new ScriptedViewer()];
  slow.isSlow = true;
  fanOut.join('cam', quick);
  const viewing = fanOut.join('cam', slow);
  tick('K', { byteLength: MIB });
  assert.ok(budget.isSpent);
  tick('p');
  tick('p');
  assert.equal(viewing.droppedGops, 1);
  const late = new ScriptedViewer();
  fanOut.join('cam', late);
  tick('p');
  assert.equal(late.news(), '[h264]');
  assert.equal(quick.news(), '[h264] K0 p40 p80 p120');
  slow.take();
  tick('p');
  assert.ok(!budget.isSpent);
});

test('bytes that viewers share count once in the budget, copies for each', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { fanOut, tick, budget, stream, clock } = setUp();
  const viewers = [false, false, true, true].map((holdsCopies) => {
    const viewer = new ScriptedViewer({ holdsCopies });
    viewer.isSlow = true;
    return viewer;
  });
  const viewings = viewers.map((viewer) => fanOut.join('cam', viewer));
  for (const viewer of viewers) viewer.take();
  tick('K', { byteLength: 1000 });
  tick('p', { byteLength: 1000 });
  // Once the GOP, once for the two that share what waited, twice for the two that do not.
  assert.equal(budget.usedBytes, 2000 + 1000 + 2 * 1000);
  for (const viewing of viewings) viewing[Symbol.dispose]();
  clock.ms += 10_000;
  t.mock.timers.tick(1_000);
  assert.equal(budget.usedBytes, 0);
  tick('K');
  assert.equal(budget.usedBytes, 0);
  assert.equal(stream.viewers, 0);
});

test('a unit that is damaged costs the rest of its GOP', () => {
  const { fanOut, framer, tick } = setUp();
  const viewer = new ScriptedViewer();
  fanOut.join('cam', viewer);
  tick('K');
  framer.isDamaged = true;
  tick('p');
  framer.isDamaged = false;
  tick('p');
  tick('K');
  assert.equal(viewer.news(), '[h264] K0 K120');
});

test('a keyframe that is damaged: neither the rest of its GOP nor sound that begins without it', () => {
  const { fanOut, framer, tick } = setUp({ tracks: [VIDEO_TRACK, AUDIO_TRACK] });
  const viewer = new ScriptedViewer();
  fanOut.join('cam', viewer);
  tick('K');
  framer.isDamaged = true;
  tick('K');
  framer.isDamaged = false;
  tick('a');
  tick('p');
  tick('K');
  assert.equal(viewer.news(), '[h264+aac] K0 K120');
});

test('a picture that was announced and does not come: after 5 s sound alone, until a keyframe', () => {
  const { fanOut, stream } = setUp({ tracks: [VIDEO_TRACK, AUDIO_TRACK] });
  const viewer = new ScriptedViewer();
  fanOut.join('cam', viewer);
  const sound = (ms: number) => stream.write(audioUnit({ dtsUs: ms * 1000, byteLength: 1 }));
  const picture = (ms: number, randomAccess: boolean) =>
    stream.write(videoUnit({ dtsUs: ms * 1000, byteLength: 1, randomAccess }));
  for (let ms = 0; ms < 5_000; ms += 500) sound(ms);
  assert.equal(viewer.news(), '[h264+aac]');
  sound(5_000);
  sound(5_020);
  const late = new ScriptedViewer();
  fanOut.join('cam', late);
  assert.equal(late.news(), '[h264+aac] a5020');
  picture(5_040, false);
  sound(5_060);
  picture(5_080, true);
  sound(5_100);
  picture(5_120, false);
  assert.equal(viewer.news(), 'a5000 a5020 a5060 K5080 a5100p5120');
});

test('a source that returns is waited for anew: 5 s without a picture are counted from there', () => {
  const { fanOut, stream } = setUp({ tracks: [VIDEO_TRACK, AUDIO_TRACK] });
  const viewer = new ScriptedViewer();
  fanOut.join('cam', viewer);
  const sound = (ms: number) => stream.write(audioUnit({ dtsUs: ms * 1000, byteLength: 1 }));
  for (const ms of [0, 6_000]) sound(ms);
  stream.stop();
  stream.start([VIDEO_TRACK, AUDIO_TRACK]);
  for (const ms of [20_000, 24_999]) sound(ms);
  assert.equal(viewer.news(), '[h264+aac] a6000 <offline> <online>');
});

test('each unit is framed once, and all viewers get the same bytes', () => {
  const { fanOut, tick, framer } = setUp();
  const [a, b] = [new ScriptedViewer(), new ScriptedViewer()];
  fanOut.join('cam', a);
  fanOut.join('cam', b);
  tick('K');
  tick('p');
  const late = new ScriptedViewer();
  fanOut.join('cam', late);
  assert.equal(framer.frames, 2);
  assert.equal(late.news(), '[h264] K0 p40');
  for (const index of [0, 1, 2]) {
    assert.equal(a.blocks[index], b.blocks[index]);
    assert.equal(a.blocks[index], late.blocks[index]);
  }
});

test('nothing is framed for nobody; a few seconds after the last has left the GOP is still there', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { fanOut, tick, framer, clock } = setUp();
  tick('K');
  assert.equal(framer.frames, 0);
  const viewing = fanOut.join('cam', new ScriptedViewer());
  tick('K');
  viewing[Symbol.dispose]();
  tick('p');
  t.mock.timers.tick(1_000);
  const back = new ScriptedViewer();
  const again = fanOut.join('cam', back);
  assert.equal(back.news(), '[h264] K40 p80');
  again[Symbol.dispose]();
  clock.ms += 5_000;
  t.mock.timers.tick(1_000);
  tick('K');
  assert.equal(framer.frames, 2);
});

test('the first viewer begins with the GOP that the hub has kept', () => {
  const { fanOut, tick, stream } = setUp();
  using _expected = stream.expectSubscriber();
  tick('K');
  tick('p');
  const viewer = new ScriptedViewer();
  fanOut.join('cam', viewer);
  assert.equal(viewer.news(), '[h264] K0 p40');
});

test('a GOP that grows past 4 MiB is not kept: who joins waits for the next', () => {
  const { fanOut, tick } = setUp();
  fanOut.join('cam', new ScriptedViewer());
  tick('K', { byteLength: 3 * MIB });
  tick('p', { byteLength: 2 * MIB });
  tick('p');
  const late = new ScriptedViewer();
  fanOut.join('cam', late);
  assert.equal(late.news(), '[h264]');
  tick('p');
  tick('K');
  assert.equal(late.news(), 'K160');
});

test('viewers of a stream that goes and comes back, or does not exist yet, are told and go on', () => {
  const { fanOut, hub, tick, stream } = setUp();
  const viewer = new ScriptedViewer();
  fanOut.join('cam', viewer);
  tick('K');
  viewer.news();
  stream.stop();
  stream.start([VIDEO_TRACK]);
  tick('p');
  tick('K');
  assert.equal(viewer.news(), '<offline> <online> K80', 'the same header is not sent again');
  hub.remove('cam');
  assert.equal(stream.viewers, 0);
  const second = hub.open('cam');
  assert.equal(second.viewers, 0);
  second.start([OTHER_VIDEO_TRACK]);
  assert.equal(second.viewers, 1);
  second.write(videoUnit({ track: OTHER_VIDEO_TRACK, byteLength: 1 }));
  assert.equal(viewer.news(), '<offline> <online> [other] K0');

  const early = new ScriptedViewer();
  using _viewing = fanOut.join('not-yet', early);
  assert.equal(early.news(), '');
  hub.open('not-yet').start([VIDEO_TRACK]);
  assert.equal(hub.get('not-yet')?.viewers, 1);
  assert.equal(early.news(), '<online>');
});

test('a source that begins anew without an end: nothing until its first random access point', () => {
  const { fanOut, tick, stream } = setUp();
  const viewer = new ScriptedViewer();
  fanOut.join('cam', viewer);
  tick('K');
  stream.start([VIDEO_TRACK]);
  tick('p');
  const late = new ScriptedViewer();
  fanOut.join('cam', late);
  tick('K');
  assert.equal(viewer.news(), '[h264] K0 <online> K80');
  assert.equal(late.news(), '[h264] K80');
});

test('new parameter sets are a new header before their first picture, also for who joins or comes back later', () => {
  const { fanOut, tick } = setUp();
  const [steady, slow] = [new ScriptedViewer(), new ScriptedViewer()];
  fanOut.join('cam', steady);
  fanOut.join('cam', slow);
  slow.isSlow = true;
  tick('K', { byteLength: 9 * MIB });
  tick('p');
  slow.news();
  tick('K', { track: OTHER_VIDEO_TRACK });
  slow.take();
  tick('K', { track: OTHER_VIDEO_TRACK });
  assert.equal(steady.news(), '[h264] K0 p40 [other] K80 K120');
  assert.equal(slow.news(), '[other] K120');
  // Not where decoding begins, but cameras do.
  tick('p');
  const late = new ScriptedViewer();
  fanOut.join('cam', late);
  tick('p');
  assert.equal(late.news(), '[other] K120 [h264] p160 p200');
});

test('sound rides with the next picture, in one block, but not into the next GOP, and not for longer than 100 ms', () => {
  const { fanOut, tick } = setUp({ tracks: [VIDEO_TRACK, AUDIO_TRACK] });
  const viewer = new ScriptedViewer();
  fanOut.join('cam', viewer);
  tick('K');
  tick('a');
  tick('a');
  tick('p');
  tick('a');
  tick('K');
  tick('a');
  assert.deepEqual(viewer.seen, ['[h264+aac]', 'K0', 'a40a40p40', 'a80', 'K80']);
  const late = new ScriptedViewer();
  fanOut.join('cam', late);
  tick('p', { stepMs: 100 });
  tick('a');
  assert.deepEqual(late.seen, ['[h264+aac]', 'K80', 'a120p120']);
  viewer.news();
});

test('pictures that do not come hold sound back for 100 ms at most; an end lets it go', () => {
  const { fanOut, stream, tick } = setUp({ tracks: [VIDEO_TRACK, AUDIO_TRACK] });
  const viewer = new ScriptedViewer();
  fanOut.join('cam', viewer);
  tick('K');
  viewer.news();
  for (const ms of [50, 100, 149, 150, 200])
    stream.write(audioUnit({ dtsUs: ms * 1000, byteLength: 1 }));
  assert.equal(viewer.news(), 'a50a100a149a150');
  stream.stop();
  assert.equal(viewer.news(), 'a200 <offline>');
});

test('sound alone goes at once, and so does that of a stream whose pictures the protocol has no form for', () => {
  const alone = setUp({ tracks: [AUDIO_TRACK] });
  const listener = new ScriptedViewer();
  alone.fanOut.join('cam', listener);
  alone.tick('a');
  assert.equal(listener.news(), '[aac] a0');

  const blind = setUp({ tracks: [VIDEO_TRACK, AUDIO_TRACK] });
  blind.framer.carriesVideo = false;
  const viewer = new ScriptedViewer();
  blind.fanOut.join('cam', viewer);
  blind.tick('K');
  blind.tick('a');
  assert.equal(viewer.news(), '[h264+aac] a40');
});

test('nobody there: no timer runs', () => {
  const { fanOut } = setUp();
  const set = mock.method(globalThis, 'setInterval');
  fanOut.join('cam', new ScriptedViewer())[Symbol.dispose]();
  assert.equal(set.mock.callCount(), 1);
  fanOut.join('other', new ScriptedViewer())[Symbol.dispose]();
  assert.equal(set.mock.callCount(), 1);
  set.mock.restore();
});

test('a publisher’s damaged parameter sets fail nobody who joins, and are over with the next', () => {
  const { fanOut, tick, framer } = setUp();
  framer.cannotRead = VIDEO_TRACK;
  const [first, second] = [new ScriptedViewer(), new ScriptedViewer()];
  fanOut.join('cam', first);
  tick('K');
  fanOut.join('cam', second);
  tick('p');
  tick('K', { track: OTHER_VIDEO_TRACK });
  tick('p', { track: OTHER_VIDEO_TRACK });
  assert.equal(first.news(), '[other] K80 p120');
  assert.equal(second.news(), '[other] K80 p120');
});

test('a name that nobody publishes is forgotten with its last viewer', () => {
  const { fanOut, hub } = setUp();
  const followed = mock.method(hub, 'follow');
  for (let n = 0; n < 3; n += 1) fanOut.join('nothing', new ScriptedViewer())[Symbol.dispose]();
  assert.equal(followed.mock.callCount(), 3);
  const viewing = fanOut.join('nothing', new ScriptedViewer());
  fanOut.join('nothing', new ScriptedViewer())[Symbol.dispose]();
  assert.equal(followed.mock.callCount(), 4);
  viewing[Symbol.dispose]();
});
