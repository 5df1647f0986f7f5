import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { it } from 'node:test';
import { WaitingRoom } from '../../../gateway/http/waiting-room.ts';

it('when it is full the one that has waited longest goes', () => {
  const room = new WaitingRoom();
  const sockets = Array.from({ length: 1_026 }, () => new Socket());
  const [served, longest, ...others] = sockets;
  room.enter(served!);
  room.leave(served!);
  for (const socket of [longest!, ...others]) room.enter(socket);
  assert.deepEqual(
    sockets.filter(({ destroyed }) => destroyed),
    [longest],
  );
});
