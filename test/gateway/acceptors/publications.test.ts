import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import type { Track } from '../../../codecs/track.ts';
import { PublicationRefused, Publications } from '../../../gateway/acceptors/publications.ts';
import { PushedNames } from '../../../gateway/acceptors/pushed-names.ts';
import { type Publisher, SILENCE_MS } from '../../../gateway/acceptors/pushed-stream.ts';
import { Hub } from '../../../gateway/hub/hub.ts';
import { Board } from '../../../gateway/report/board.ts';

const TRACK: Track = { kind: 'audio', codec: 'pcmu', sampleRate: 8_000, channels: 1 };
const STALL_MS = 8_000;

function makePublications(names?: PushedNames) {
  let nowMs = 1_000_000;
  const hub = new Hub(0, () => nowMs);
  const board = new Board();
  const publications = new Publications({
    hub,
    board,
    log: pino({ level: 'silent' }),
    now: () => nowMs,
    gatewayId: 'here',
    stallMs: STALL_MS,
    isReserved: (name) => name === 'camera',
    names,
  });
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      nowMs += 1_000;
      publications.tick(nowMs);
    }
  };
  const statusOf = (name: string) => board.streams.get(name)?.status;
  return { hub, board, publications, pass, statusOf };
}

function publisher(changes: Partial<Publisher> = {}): Publisher {
  return {
    name: 'yard',
    protocol: 'RTMP',
    peer: '10.0.0.7',
    via: [],
    publishType: 'live',
    duplicate: 'reject',
    end: () => assert.fail('ended'),
    ...changes,
  };
}

function unit(dtsUs = 0): AccessUnit {
  return { track: TRACK, ptsUs: dtsUs, dtsUs, randomAccess: true, data: Buffer.of(1), kept: false };
}

function refusedWith(code: string) {
  return (error: unknown) => error instanceof PublicationRefused && error.code === code;
}

describe('Publications refuse', () => {
  const cases: readonly [string, string, Partial<Publisher>][] = [
    ['a name without a letter or digit', 'bad-name', { name: '../..' }],
    ['the name of a camera', 'name-taken', { name: 'Camera' }],
    ['a stream that has been here', 'loop', { via: ['edge', 'here', 'master'] }],
  ];
  for (const [what, code, changes] of cases) {
    it(what, () => {
      const { publications, hub } = makePublications();
      assert.throws(() => publications.open(publisher(changes)), refusedWith(code));
      assert.deepEqual([...hub.streams], []);
    });
  }

  it('a second publisher of a name, who does not disturb the first', () => {
    const { publications, hub } = makePublications();
    const first = publications.open(publisher());
    first.start([TRACK]);
    assert.throws(() => publications.open(publisher()), refusedWith('name-taken'));
    assert.ok(hub.get('yard')?.isOnline);
  });

  it('more streams than there is room for; names that nobody uses any more make room', () => {
    const { publications, hub, pass } = makePublications();
    const all = Array.from({ length: 1_024 }, (_, n) =>
      publications.open(publisher({ name: `cam-${n}` })),
    );
    assert.throws(() => publications.open(publisher()), refusedWith('busy'));
    all[7]?.close('test');
    pass(1_000);
    all[5]?.close('test');
    assert.equal(publications.open(publisher()).name, 'yard');
    assert.ok(hub.get('cam-5'), 'the one that was idle for longer has gone');
    assert.equal(hub.get('cam-7'), undefined);
  });
});

describe('a publication', () => {
  it('puts its media into the stream of its name, and says so', () => {
    const { publications, hub, statusOf } = makePublications();
    const publication = publications.open(publisher({ name: 'Yard_Cam', via: ['edge'] }));
    assert.equal(publication.name, 'yard-cam');
    assert.equal(statusOf('yard-cam')?.code, 'starting');
    publication.start([TRACK]);
    publication.write(unit());
    assert.equal(statusOf('yard-cam')?.state, 'online');
    assert.equal(hub.get('yard-cam')?.counters.audioUnits, 1);
    assert.deepEqual(hub.get('yard-cam')?.via, ['edge']);
  });

  it('that was there is told to be gone for a day; its name can be given up before', () => {
    const { publications, board, pass, statusOf } = makePublications();
    for (const name of ['yard', 'gate']) {
      const publication = publications.open(publisher({ name }));
      publication.start([TRACK]);
      publication.write(unit());
      assert.equal(publications.giveUp(name), false, 'it is published');
      publication.close('it closed the connection');
      assert.equal(publications.isAway(name), true);
    }
    pass(24 * 3600_000 - 1_000);
    assert.equal(statusOf('yard')?.code, 'ended');
    assert.equal(publications.giveUp('gate'), true);
    assert.equal(publications.giveUp('gate'), false);
    assert.deepEqual([...board.streams.keys()], ['yard']);
    pass(1_000);
    assert.equal(board.streams.size, 0);
  });

  it('that was there is missed after a restart, too; what was forgotten is not', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-pushed-'));
    t.after(() => rm(folder, { recursive: true }));
    const names = () => new PushedNames(folder, pino({ level: 'silent' }));
    const kept = names();
    const before = makePublications(kept);
    before.publications.expect('ts1');
    for (const name of ['yard', 'gate', 'ts1', 'unseen']) {
      const publication = before.publications.open(publisher({ name, end: () => undefined }));
      publication.start([TRACK]);
      if (name !== 'unseen') publication.write(unit());
      if (name === 'gate') publication.close('it closed the connection');
    }
    before.pass(1_000);
    assert.equal(before.publications.giveUp('gate'), true);
    before.publications.stop();
    await kept.written();

    const after = makePublications(names());
    after.publications.recall();
    assert.deepEqual([...after.board.streams.keys()], ['yard']);
    assert.equal(after.statusOf('yard')?.code, 'no-source');
    after.pass(120_000);
    assert.ok(after.statusOf('yard'));
    after.pass(24 * 3600_000);
    assert.equal(after.statusOf('yard'), undefined);
  });

  for (const text of ['{', '"yard"', '[1,"../up","","Yard"]']) {
    it(`nothing is recalled of ${text}`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'sluice-pushed-'));
      t.after(() => rm(folder, { recursive: true }));
      await writeFile(join(folder, 'pushed.json'), text);
      assert.deepEqual(new PushedNames(folder, pino({ level: 'silent' })).read(), []);
    });
  }

  it('takes nothing after its close; a name without a picture is kept a minute, then forgotten', () => {
    const { publications, hub, board, pass, statusOf } = makePublications();
    const publication = publications.open(publisher());
    publication.start([TRACK]);
    publication.close('it closed the connection');
    publication.start([TRACK]);
    publication.write(unit());
    assert.equal(hub.get('yard')?.isOnline, false);
    assert.equal(statusOf('yard')?.code, 'ended');
    pass(59_000);
    assert.ok(hub.get('yard'));
    pass(1_000);
    assert.equal(hub.get('yard'), undefined);
    assert.equal(board.streams.size, 0);
  });

  it('is ended when another replaces it, and then no longer heard', () => {
    const { publications, hub } = makePublications();
    const ends: string[] = [];
    const older = publications.open(publisher({ end: (words) => ends.push(words) }));
    older.start([TRACK]);
    const newer = publications.open(publisher({ peer: '10.0.0.8', duplicate: 'replace' }));
    newer.start([TRACK]);
    older.stop();
    older.close('late');
    assert.deepEqual(ends, ['10.0.0.8 publishes the same name']);
    assert.ok(hub.get('yard')?.isOnline);
  });

  it('begins anew: its publisher is sent away, and may come back; nobody is not', () => {
    const { publications, statusOf } = makePublications();
    const ends: string[] = [];
    publications.open(publisher({ end: (words) => ends.push(words) })).start([TRACK]);
    assert.equal(publications.restart('yard'), true);
    assert.deepEqual(ends, ['the stream is to begin anew']);
    assert.equal(statusOf('yard')?.code, 'ended');
    assert.equal(publications.restart('yard'), false);
    assert.equal(publications.restart('nowhere'), false);
    publications.open(publisher()).start([TRACK]);
  });

  it('can be asked for, but has no camera', () => {
    const { publications } = makePublications();
    publications.open(publisher());
    const { who, ptz, controls } = publications.steered('yard') ?? {};
    assert.deepEqual(
      [who, ptz, controls],
      ['The RTMP publisher at 10.0.0.7', undefined, undefined],
    );
    assert.equal(publications.steered('nowhere'), undefined);
  });

  it('is told of as stalled without media, online again with it, and ended in silence', () => {
    const { publications, pass, statusOf } = makePublications();
    const ends: string[] = [];
    const publication = publications.open(publisher({ end: (words) => ends.push(words) }));
    publication.start([TRACK]);
    publication.write(unit());
    pass(STALL_MS + 1_000);
    assert.equal(statusOf('yard')?.code, 'no-data');
    publication.write(unit(1_000_000));
    publication.received(10);
    pass(1_000);
    assert.equal(statusOf('yard')?.state, 'online');
    pass(SILENCE_MS);
    assert.deepEqual(ends, ['it has sent nothing for 30 s']);
    assert.equal(statusOf('yard')?.state, 'unreachable');
  });

  it('is recorded when it asks for it, until it goes', () => {
    const { publications } = makePublications();
    const calls: string[] = [];
    publications.record = (stream, type) => {
      calls.push(`${type} ${stream.name}`);
      return { [Symbol.dispose]: () => void calls.push('end') };
    };
    publications.open(publisher({ name: 'a' }));
    publications.open(publisher({ name: 'b', publishType: 'append' })).close('test');
    assert.deepEqual(calls, ['append b', 'end']);
  });
});

describe('a name that is expected', () => {
  it('is there before anybody publishes it, and stays', () => {
    const { publications, hub, pass, statusOf } = makePublications();
    publications.expect('ts1');
    assert.equal(statusOf('ts1')?.code, 'no-source');
    publications.open(publisher({ name: 'ts1' })).close('test');
    pass(120_000);
    assert.ok(hub.get('ts1'));
    assert.equal(publications.giveUp('ts1'), false);
  });
});
