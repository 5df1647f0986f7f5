import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hlsAddress,
  playAddress,
} from '../../../../../gateway/http/dashboard/player/play-address.ts';

test('the local view plays beside itself', () => {
  assert.equal(playAddress({ isLocal: true }, 'box', 'cam'), './live/cam.flv');
});

test('the fleet plays where its configuration says, or nowhere', () => {
  const playUrl = 'https://play.example/live/{gateway}-{stream}.flv';
  const fleet = { isLocal: false, playUrl };
  assert.equal(playAddress(fleet, 'box', 'cam'), 'https://play.example/live/box-cam.flv');
  assert.equal(playAddress({ isLocal: false }, 'box', 'cam'), undefined);
});

test('HLS is beside FLV', () => {
  assert.equal(hlsAddress('./live/cam.flv'), './live/cam/index.m3u8');
  assert.equal(hlsAddress('https://x/live/cam.flv?a=b'), 'https://x/live/cam/index.m3u8?a=b');
  assert.equal(hlsAddress('https://x/cam'), undefined);
});
