/** What processes cost, as Linux tells in /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** sysconf(_SC_CLK_TCK); 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time of the processes and all below them, in ms. */
export function cpuMs(pids: readonly number[]): number {
  return withDescendants(pids).reduce((sum, pid) => {
    const stat = read(`/proc/${pid}/stat`);
    // The second field is a name that may hold anything; after its bracket comes the third field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [utime, stime] = [Number(fields[11] ?? 0), Number(fields[12] ?? 0)];
    return sum + ((utime + stime) * 1000) / TICKS_PER_SECOND;
  }, 0);
}

export interface Memory {
  readonly rssMb: number;
  /** What is its own: heap, stacks, buffers; without the program's text, which is shared and can be evicted. */
  readonly anonymousMb: number;
}

export function memory(pids: readonly number[]): Memory {
  const statuses = withDescendants(pids).map((pid) => read(`/proc/${pid}/status`));
  const sumMb = (field: string) =>
    statuses.reduce(
      (sum, status) => sum + Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0),
      0,
    ) / 1024;
  return { rssMb: sumMb('VmRSS'), anonymousMb: sumMb('RssAnon') };
}

function withDescendants(pids: readonly number[]): number[] {
  return pids.flatMap((pid) => [pid, ...withDescendants(childrenOf(pid))]);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return []; // It has just ended.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has just ended.
  }
}
