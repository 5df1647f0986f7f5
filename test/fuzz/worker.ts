/** One subject in a thread of its own: an input that never ends is seen from outside, and named. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { fuzz } from './run.ts';
import { ALL_SUBJECTS } from './subjects/all-subjects.ts';

export interface FuzzOrder {
  readonly name: string;
  readonly inputs: number;
  readonly seed: number;
  /** Shared: the number of the input at work and its length, and then its bytes. */
  readonly progress: SharedArrayBuffer;
}

export const PROGRESS_HEADER_BYTES = 8;
export const MAX_PROGRESS_BYTES = 64 * 1024;

async function work(order: FuzzOrder): Promise<void> {
  const subject = ALL_SUBJECTS.find(({ name }) => name === order.name);
  if (subject === undefined) throw new Error(`there is no parser called ${order.name}`);
  const header = new Int32Array(order.progress, 0, 2);
  const bytes = new Uint8Array(order.progress, PROGRESS_HEADER_BYTES);
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const result = await fuzz(subject, {
    inputs: order.inputs,
    seed: order.seed,
    usedBytes: () => {
      // Twice: buffers that the first one found dead are given back by the second.
      collect();
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    },
    onInput: (index, input) => {
      bytes.set(input);
      Atomics.store(header, 1, input.length);
      Atomics.store(header, 0, index + 1);
    },
  });
  parentPort?.postMessage(result);
}

// Only as a thread: tests and main.ts import what this file names.
if (workerData !== null && workerData !== undefined) await work(workerData as FuzzOrder);
