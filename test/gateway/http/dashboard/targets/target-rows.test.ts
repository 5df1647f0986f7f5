import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  countsOf,
  groupsOf,
  type TargetRow,
  type Wanted,
} from '../../../../../gateway/http/dashboard/targets/target-rows.ts';
import type { PublishStatus } from '../../../../../gateway/report/status.ts';

const WANTED: Wanted = { by: 'stream', isReversed: false, state: undefined };

function row(stream: string, target: string, status: Partial<PublishStatus> = {}): TargetRow {
  return {
    gateway: 'box',
    stream,
    target,
    status: {
      state: 'publishing',
      code: 'ok',
      reason: '',
      target: `rtmp://${target}/live`,
      queueMs: 0,
      droppedGops: 0,
      droppedUnits: 0,
      bytes: 0,
      since: '2026-11-25T12:00:00.000Z',
      attempts: 0,
      nextRetryAt: null,
      ...status,
    },
  };
}

function streams(rows: readonly TargetRow[], wanted: Partial<Wanted>): string[] {
  return groupsOf(rows, { ...WANTED, ...wanted }).flatMap((group) =>
    group.rows.map(({ stream }) => stream),
  );
}

describe('pushes as they are shown', () => {
  it('are grouped by target, each with how many publish', () => {
    const rows = [row('b', 'two'), row('a', 'one'), row('b', 'one', { state: 'waiting' })];
    assert.deepEqual(
      groupsOf(rows, WANTED).map(({ target, publishing, total, rows }) => [
        target,
        publishing,
        total,
        rows.map(({ stream }) => stream),
      ]),
      [
        ['one', 1, 2, ['a', 'b']],
        ['two', 1, 1, ['b']],
      ],
    );
  });

  it('stay apart where two gateways call different masters the same', () => {
    const other = row('a', 'master', { target: 'rtmp://elsewhere/live' });
    assert.equal(groupsOf([row('a', 'master'), other], WANTED).length, 2);
  });

  it('are sorted as people count', () => {
    const rows = ['cam-10', 'cam-2', 'cam-1'].map((stream) => row(stream, 't'));
    assert.deepEqual(streams(rows, { by: 'stream' }), ['cam-1', 'cam-2', 'cam-10']);
  });

  it('are sorted by each column, what needs somebody first', () => {
    const rows = [
      row('a', 't', { queueMs: 10, droppedGops: 1, bytes: 5, since: '2026-11-25T10:00:00.000Z' }),
      row('b', 't', { state: 'refused', droppedGops: 1, droppedUnits: 9 }),
      row('c', 't', { state: 'waiting', queueMs: 90, bytes: 9 }),
    ];
    assert.deepEqual(streams(rows, { by: 'stream', isReversed: true }), ['c', 'b', 'a']);
    assert.deepEqual(streams(rows, { by: 'state' }), ['b', 'c', 'a']);
    assert.deepEqual(streams(rows, { by: 'queueMs' }), ['c', 'a', 'b']);
    assert.deepEqual(streams(rows, { by: 'dropped' }), ['b', 'a', 'c']);
    assert.deepEqual(streams(rows, { by: 'bytes' }), ['c', 'a', 'b']);
    assert.deepEqual(streams(rows, { by: 'since' }), ['b', 'c', 'a']);
  });

  it('are filtered by state, without changing the counts', () => {
    const rows = [row('a', 't'), row('b', 't', { state: 'waiting' }), row('c', 'u')];
    const groups = groupsOf(rows, { ...WANTED, state: 'waiting' });
    assert.deepEqual(
      groups.map(({ target, total }) => [target, total]),
      [['t', 2]],
    );
    assert.deepEqual(groupsOf(rows, { ...WANTED, state: 'spooling' }), []);
    assert.deepEqual(
      [...countsOf(rows)],
      [
        ['publishing', 2],
        ['waiting', 1],
      ],
    );
  });
});
