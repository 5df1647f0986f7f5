import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RtpTimeline } from '../../../protocols/rtp/timeline.ts';

test('the first timestamp is 0', () => {
  const timeline = new RtpTimeline(90_000, 0x8000_0000);
  assert.equal(timeline.advance(0x8000_0000), 0);
  assert.equal(timeline.advance(0x8000_0000 + 3600), 40_000);
});

test('a stated origin is 0, before and behind the first packet', () => {
  assert.equal(new RtpTimeline(90_000, 1000).advance(1000 + 9000), 100_000);
  assert.equal(new RtpTimeline(90_000, 9000).advance(0), -100_000);
});

test('the counter wraps', () => {
  const timeline = new RtpTimeline(90_000, 0xffff_ffff - 1799);
  timeline.advance(0xffff_ffff - 1799);
  assert.equal(timeline.advance(1800), 40_000);
});

test('B-frames go back and forth over the wrap', () => {
  const timeline = new RtpTimeline(90_000, 0xffff_f000);
  const ticks = [0, 10_800, 3600, 7200, 21_600, 14_400, 18_000];
  const times = ticks.map((tick) => timeline.advance((0xffff_f000 + tick) >>> 0));
  assert.deepEqual(
    times,
    ticks.map((tick) => Math.round((tick * 1_000_000) / 90_000)),
  );
});

test('months of 48 kHz audio stay exact to the microsecond', () => {
  const timeline = new RtpTimeline(44_100, 7);
  let timestamp = 7;
  timeline.advance(timestamp);
  const step = 44_100 * 9;
  let last = 0;
  for (let n = 0; n < 900_000; n += 1) {
    timestamp = (timestamp + step) >>> 0;
    last = timeline.advance(timestamp);
  }
  assert.equal(last, 900_000 * 9 * 1_000_000);
});

test('nothing is summed: odd clock rates do not drift', () => {
  const timeline = new RtpTimeline(44_100, 0);
  timeline.advance(0);
  for (let n = 1; n <= 1000; n += 1) {
    assert.equal(timeline.advance(n * 1024), Math.round((n * 1024 * 1_000_000) / 44_100));
  }
});

test('placing a timestamp does not follow it', () => {
  const timeline = new RtpTimeline(90_000, 90_000);
  timeline.advance(90_000);
  assert.equal(timeline.place(0), -1_000_000);
  assert.equal(timeline.place(180_000), 1_000_000);
  assert.equal(timeline.advance(93_600), 40_000);
});

test('how far a timestamp is from the last one, over the wrap too', () => {
  const timeline = new RtpTimeline(90_000, 0xffff_ffff);
  timeline.advance(0xffff_ffff);
  assert.equal(timeline.distanceUs(89_999), 1_000_000);
  assert.equal(timeline.distanceUs(0xffff_ffff - 90_000), 1_000_000);
});
