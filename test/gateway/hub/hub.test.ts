import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import type { Track } from '../../../codecs/track.ts';
import { Hub } from '../../../gateway/hub/hub.ts';

const TRACK: Track = { kind: 'audio', codec: 'pcmu', sampleRate: 8_000, channels: 1 };

function makeHub() {
  const calls: string[] = [];
  const sink = {
    start: () => calls.push('start'),
    write: () => calls.push('write'),
    stop: () => calls.push('stop'),
  };
  return { hub: new Hub(0, () => 0), sink, calls };
}

function unit(): AccessUnit {
  return {
    track: TRACK,
    ptsUs: 0,
    dtsUs: 0,
    randomAccess: true,
    data: new Uint8Array(1),
    kept: false,
  };
}

describe('Hub.follow', () => {
  it('subscribes at once to a stream that is there', () => {
    const { hub, sink, calls } = makeHub();
    hub.open('yard').start([TRACK]);
    hub.follow('yard', sink);
    assert.deepEqual(calls, ['start']);
  });

  it('waits for a stream that is not there, through its removal and return', () => {
    const { hub, sink, calls } = makeHub();
    hub.follow('yard', sink);
    hub.open('gate').start([TRACK]);
    assert.deepEqual(calls, []);
    hub.open('yard').start([TRACK]);
    hub.get('yard')?.write(unit());
    hub.remove('yard');
    assert.deepEqual(calls, ['start', 'write', 'stop']);
    hub.open('yard').start([TRACK]);
    assert.deepEqual(calls, ['start', 'write', 'stop', 'start']);
  });

  it('hears nothing once disposed of, not even from a stream that comes later', () => {
    const { hub, sink, calls } = makeHub();
    const now = hub.open('yard');
    const follows = [hub.follow('yard', sink), hub.follow('later', sink)];
    for (const follow of follows) follow[Symbol.dispose]();
    now.start([TRACK]);
    hub.open('later').start([TRACK]);
    assert.deepEqual(calls, []);
  });

  it('may be disposed of by what a stream’s coming provokes', () => {
    const { hub, sink, calls } = makeHub();
    const second = { current: undefined as Disposable | undefined };
    hub.follow('yard', {
      ...sink,
      start: () => second.current?.[Symbol.dispose](),
    });
    second.current = hub.follow('yard', sink);
    hub.on('added', (stream) => stream.start([TRACK]));
    hub.open('yard');
    assert.deepEqual(calls, []);
  });
});
