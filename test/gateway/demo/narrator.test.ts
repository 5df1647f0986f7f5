import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Narrator } from '../../../gateway/demo/narrator.ts';
import { Board } from '../../../gateway/report/board.ts';
import type { FoundDevice, PublishStatus, StreamStatus } from '../../../gateway/report/status.ts';

const PORTS = { http: 1, mqtt: 2, masterHttp: 3, rtmp: 4, rtsp: 5 };
const FOUND: FoundDevice = {
  ...{ id: 'x', via: ['ws-discovery'], addresses: ['127.1.2.3'], lastSeenAt: '' },
  ...{ code: 'starting', reason: 'It was found just now.' },
};
const STATUS = { since: '', lastFrameAt: null, attempts: 0, nextRetryAt: null } as const;
const ONLINE: StreamStatus = { ...STATUS, state: 'online', code: 'ok', reason: 'Pictures arrive.' };
const LINK = {
  code: 'ok',
  reason: '',
  target: 'rtmp://127.0.0.1:4/live',
  queueMs: 0,
  droppedGops: 0,
  droppedUnits: 0,
  bytes: 0,
  since: '',
  attempts: 0,
  nextRetryAt: null,
} as const;

test('what stands in the way is told, once, in its own words', () => {
  const { gateway, said } = listen();
  gateway.setFound(FOUND);
  gateway.setFound({ ...FOUND, code: 'auth', reason: 'The password was refused.' });
  gateway.setFound({ ...FOUND, code: 'auth', reason: 'The password was refused.' });
  gateway.setFound({ ...FOUND, code: 'ok', adoptedAs: 'cam' });
  const refused: StreamStatus = {
    ...STATUS,
    state: 'unreachable',
    code: 'refused',
    reason: 'Off.',
  };
  gateway.setStreamStatus('cam', { ...STATUS, state: 'connecting', code: 'starting', reason: '' });
  gateway.setStreamStatus('cam', refused);
  gateway.setStreamStatus('cam', refused);
  gateway.setStreamStatus('cam', ONLINE);
  gateway.setStreamStatus('cam', refused);
  link(gateway, { ...LINK, state: 'waiting', reason: 'Nobody listens there.' });
  assert.deepEqual(said(), [
    'Found a device by ws-discovery at 127.1.2.3: a camera.',
    'The password was refused.',
    'Logged in to it, and adopted it: its stream is called cam from now on.',
    'cam: Off.',
    'cam: Off.',
    'cam: Nobody listens there.',
  ]);
});

test('people are invited once, when the picture is published and the master has it', () => {
  const { gateway, master, lines } = listen();
  const invitations = () => lines.filter((line) => line.includes('End it'));
  master.setStreamStatus('cam', ONLINE);
  assert.equal(invitations().length, 0);
  link(gateway, { ...LINK, state: 'publishing' });
  link(gateway, { ...LINK, state: 'publishing', bytes: 7 });
  master.setStreamStatus('cam', ONLINE);
  assert.equal(invitations().length, 1);
  assert.match(invitations()[0] ?? '', /http:\/\/127\.0\.0\.1:3\/live\/cam\n/);
});

function link(board: Board, status: PublishStatus): void {
  board.setPublish('cam', 'master', status, 'status');
}

function listen() {
  const gateway = new Board();
  const master = new Board();
  const lines: string[] = [];
  new Narrator(PORTS, (line) => lines.push(line)).follow(gateway, master);
  const said = () => lines.map((line) => line.replace(/^ +\d+\.\d s {2}/, ''));
  return { gateway, master, lines, said };
}
