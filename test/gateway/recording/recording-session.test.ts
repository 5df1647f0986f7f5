import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccessUnit } from '../../../codecs/access-unit.ts';
import { ParseError } from '../../../codecs/errors.ts';
import type { RecordingFile } from '../../../gateway/recording/recording-file.ts';
import {
  type FileBeginning,
  type OpeningMode,
  RecordingSession,
} from '../../../gateway/recording/recording-session.ts';
import type { RecordingStatus } from '../../../gateway/report/status.ts';
import { AUDIO_TRACK, OTHER_VIDEO_TRACK, VIDEO_TRACK } from '../../support/units.ts';
import { cameraUnits, unitLine } from '../../support/vod-units.ts';

class TestFile implements RecordingFile {
  readonly lines: string[] = [];
  readonly leftOut = [];
  backlogBytes = 0;
  isClosed = false;
  refuses: unknown;
  breaksAt: AccessUnit | undefined;

  get byteLength(): number {
    return this.lines.length;
  }

  takes({ track }: AccessUnit): boolean {
    return track !== this.refuses;
  }

  write(unit: AccessUnit): void {
    if (unit === this.breaksAt) throw new ParseError('no SPS');
    this.lines.push(unitLine(unit));
  }

  flush(): void {}

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

class Recorder {
  readonly files: TestFile[] = [];
  readonly modes: OpeningMode[] = [];
  readonly beginnings: FileBeginning[] = [];
  status: RecordingStatus | undefined;
  nowMs = 0;
  /** What opening ends with; undefined: a file. */
  error: unknown;
  failures: ((error: unknown) => void)[] = [];
  readonly session = new RecordingSession({
    stream: 'cam',
    type: 'record',
    now: () => this.nowMs,
    onStatus: (status) => {
      this.status = status;
    },
    open: async (mode, beginning, onFailure) => {
      this.modes.push(mode);
      this.beginnings.push(beginning);
      await new Promise(setImmediate);
      if (this.error !== undefined) throw this.error;
      const file = new TestFile();
      this.files.push(file);
      this.failures.push(onFailure);
      return { file, name: `cam-${this.files.length}.flv` };
    },
  });

  constructor() {
    this.session.start([VIDEO_TRACK, AUDIO_TRACK]);
  }

  write(units: Iterable<AccessUnit>): this {
    for (const unit of units) this.session.write(unit);
    return this;
  }
}

/** What is under way is done. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

const UNITS = [...cameraUnits(40)];
const LINES = UNITS.map((unit) => unitLine(unit));

describe('a recording session', () => {
  it('waits for a keyframe, and loses nothing while the file is opened', async () => {
    const recorder = new Recorder().write(UNITS.slice(1, 30));
    assert.equal(recorder.status?.state, 'waiting');
    await settle();
    recorder.write(UNITS.slice(30));
    await recorder.session.close();
    assert.deepEqual(recorder.files[0]?.lines, LINES.slice(20));
    assert.ok(recorder.files[0].isClosed);
  });

  it('that is closed while the file is opened writes what came', async () => {
    const recorder = new Recorder().write(UNITS);
    await recorder.session.close();
    assert.deepEqual(recorder.files[0]?.lines, LINES);
    assert.ok(recorder.files[0].isClosed);
  });

  it('loses whole GOPs when a file takes long to be opened', async () => {
    const recorder = new Recorder();
    const large = [...cameraUnits(45, { pictureBytes: 256 * 1024 })];
    const lines = large.map((unit) => unitLine(unit));
    recorder.write(large.slice(0, 75));
    await settle();
    recorder.write(large.slice(75));
    const written = recorder.files[0]?.lines ?? [];
    const whole = written.findIndex((line, index) => line !== lines[index]);
    assert.equal(written[whole], lines[80], 'goes on with a keyframe');
    assert.deepEqual(written.slice(whole), lines.slice(80));
    await recorder.session.close();
  });

  it('that fails while the file is opened closes it', async () => {
    const recorder = new Recorder().write(UNITS.slice(0, 20));
    await Promise.resolve();
    recorder.session.fail(Object.assign(new Error('x'), { code: 'ENOSPC' }));
    await recorder.session.close();
    await settle();
    assert.equal(recorder.files.length, 1);
    assert.ok(recorder.files[0]?.isClosed);
  });

  it('loses whole GOPs while the disk is slow, and counts them', async () => {
    const recorder = new Recorder().write(UNITS.slice(0, 20));
    await settle();
    const [file] = recorder.files;
    file!.backlogBytes = 8 * 1024 * 1024;
    recorder.write(UNITS.slice(20, 25));
    recorder.write(UNITS.slice(25, 45));
    file!.backlogBytes = 0;
    recorder.write(UNITS.slice(45));
    assert.deepEqual(file?.lines, [...LINES.slice(0, 20), ...LINES.slice(60)]);
    assert.equal(recorder.session.droppedGops, 2);
    await recorder.session.close();
  });

  it('stops when the disk fails, tries again later, and goes on in the same file', async () => {
    const recorder = new Recorder().write(UNITS.slice(0, 20));
    await settle();
    recorder.failures[0]?.(Object.assign(new Error('x'), { code: 'ENOSPC' }));
    assert.equal(recorder.status?.state, 'stopped');
    assert.match(recorder.status.reason, /The disk is full/);
    recorder.write(UNITS.slice(20, 40));
    await settle();
    assert.ok(recorder.files[0]?.isClosed);
    assert.deepEqual(recorder.modes, ['record']);
    recorder.nowMs = 30_000;
    recorder.write(UNITS.slice(40));
    await settle();
    assert.deepEqual(recorder.modes, ['record', 'append']);
    assert.deepEqual(recorder.files[1]?.lines, LINES.slice(40));
    assert.equal(recorder.status.state, 'recording');
    await recorder.session.close();
  });

  const troubles = [
    ['EDQUOT', 'disk-full', /quota/],
    ['EROFS', 'disk', /read-only/],
    ['EACCES', 'disk', /may not be written \(EACCES\)/],
    ['EIO', 'disk', /reports an error/],
    ['EWHATEVER', 'disk', /cannot be written \(EWHATEVER\)/],
  ] as const;
  for (const [code, want, words] of troubles) {
    it(`says in plain words what ${code} means`, async () => {
      const recorder = new Recorder();
      recorder.error = Object.assign(new Error('x'), { code });
      recorder.write(UNITS);
      await settle();
      assert.equal(recorder.status?.code, want);
      assert.match(recorder.status.reason, words);
      assert.match(recorder.status.reason, /Trying again/);
      assert.notEqual(recorder.status.nextRetryAt, null);
      await recorder.session.close();
    });
  }

  it('begins another file with the GOP that a new track begins', async () => {
    const recorder = new Recorder().write(UNITS.slice(0, 40));
    await settle();
    recorder.files[0]!.refuses = OTHER_VIDEO_TRACK;
    const others = [...cameraUnits(20, { fromUs: 800_000, video: OTHER_VIDEO_TRACK })];
    recorder.write(others);
    await settle();
    assert.deepEqual(recorder.modes, ['record', 'another']);
    assert.ok(recorder.files[0]?.isClosed);
    assert.deepEqual(
      recorder.files[1]?.lines,
      others.map((unit) => unitLine(unit)),
    );
    await recorder.session.close();
  });

  it('tells the next file of the tracks that are there, and of no others', async () => {
    const recorder = new Recorder().write(UNITS.slice(0, 40));
    await settle();
    const audio = { ...AUDIO_TRACK };
    recorder.write(cameraUnits(10, { fromUs: 800_000, audio }));
    recorder.files[0]!.refuses = OTHER_VIDEO_TRACK;
    recorder.write(cameraUnits(10, { fromUs: 1_200_000, video: OTHER_VIDEO_TRACK, audio }));
    await settle();
    const known = [...(recorder.beginnings[1]?.samples.keys() ?? [])];
    assert.deepEqual(
      known.map((track) => track === audio || track === OTHER_VIDEO_TRACK),
      [true, true],
    );
    await recorder.session.close();
  });

  it('does not throw at the stream for what cannot be written', async () => {
    const recorder = new Recorder().write(UNITS.slice(0, 20));
    await settle();
    recorder.files[0]!.breaksAt = UNITS[21];
    recorder.write(UNITS.slice(20));
    assert.equal(recorder.status?.code, 'codec');
    assert.match(recorder.status.reason, /no SPS/);
    await recorder.session.close();
  });
});
