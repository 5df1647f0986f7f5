import assert from 'node:assert/strict';
import type { FileHandle } from 'node:fs/promises';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FileAppender } from '../../../gateway/recording/file-appender.ts';

/** A disk that takes what it likes of each write, and no more than fits. */
class Disk {
  bytes: number[] = [];
  writes = 0;
  readonly #mostAtOnce: number;
  readonly #size: number;

  constructor(mostAtOnce = Number.POSITIVE_INFINITY, size = Number.POSITIVE_INFINITY) {
    this.#mostAtOnce = mostAtOnce;
    this.#size = size;
  }

  get handle(): FileHandle {
    const write = async (block: Uint8Array, from: number, length: number, position: number) => {
      await new Promise(setImmediate);
      this.writes += 1;
      const bytesWritten = Math.min(length, this.#mostAtOnce, this.#size - position);
      if (bytesWritten === 0) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      for (let at = 0; at < bytesWritten; at += 1) this.bytes[position + at] = block[from + at]!;
      return { bytesWritten, buffer: block };
    };
    return { write } as unknown as FileHandle;
  }
}

const never = (error: unknown) => assert.fail(String(error));

describe('FileAppender', () => {
  it('writes everything in order, however it comes and however little the disk takes', async () => {
    const piece = fc.uint8Array({ maxLength: 300 });
    const flush = fc.constant('flush' as const);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(piece, flush)),
        fc.integer({ min: 1, max: 200 }),
        async (steps, most) => {
          const disk = new Disk(most);
          const appender = new FileAppender(disk.handle, 0, never);
          const want: number[] = [];
          for (const step of steps) {
            if (step === 'flush') appender.flush();
            else {
              appender.append(step);
              want.push(...step);
              // The caller's memory is its own again.
              step.fill(0xee);
            }
            assert.equal(appender.position, want.length);
          }
          await appender.drained();
          assert.deepEqual(disk.bytes, want);
          assert.equal(appender.backlogBytes, 0);
          assert.equal(appender.writtenBytes, want.length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gathers: a megabyte in small pieces is eight writes', async () => {
    const disk = new Disk();
    const appender = new FileAppender(disk.handle, 0, never);
    for (let index = 0; index < 1024; index += 1) appender.append(new Uint8Array(1024).fill(index));
    await appender.drained();
    assert.equal(disk.writes, 8);
    assert.equal(disk.bytes[1_000_000], Math.floor(1_000_000 / 1024) % 256);
  });

  it('tells once that the disk has failed, how far it came, and takes nothing more', async () => {
    const disk = new Disk(100, 250);
    const errors: unknown[] = [];
    const appender = new FileAppender(disk.handle, 0, (error) => errors.push(error));
    appender.append(new Uint8Array(300));
    await appender.drained();
    appender.append(new Uint8Array(300));
    await appender.drained();
    assert.equal(errors.length, 1);
    assert.equal(appender.writtenBytes, 250);
    assert.equal(appender.backlogBytes, 0);
  });
});
