/**
 * Whether this process is started again when it ends with `RESTART_EXIT_CODE`. A wrong yes takes a box away until somebody goes
 * there: systemd is asked about the unit where it answers, and a container, which is not told its restart policy, has to be
 * started with `--supervised`.
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** EX_TEMPFAIL of sysexits.h. Not 0, on which Restart=on-failure does nothing, and neither 1 nor 2, which have a meaning. */
export const RESTART_EXIT_CODE = 75;

const ASK_TIMEOUT_MS = 2_000;
const MAX_ANSWER_BYTES = 16 * 1024;

/** How this process was started. */
export interface Start {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly ppid: number;
  /** Properties of our unit as `systemctl show` writes them; undefined: not to be had. */
  readonly askSystemd: () => Promise<string | undefined>;
}

export async function isStartedAgain(start: Start): Promise<boolean> {
  const invocation = start.env['INVOCATION_ID'];
  if (invocation === undefined || invocation === '' || !isMainProcess(start)) return false;
  const properties = await start.askSystemd();
  // Not an answer about us: it is taken for our unit, or one that is like it in this.
  if (properties?.includes(`InvocationID=${invocation}`) !== true) return true;
  return /^Restart=(?:always|on-failure)$|^RestartForceExitStatus=.*\b75\b/m.test(properties);
}

/** systemd.exec(5): what a unit's process starts inherits INVOCATION_ID, a terminal of the desktop for example. */
function isMainProcess({ env, pid, ppid }: Start): boolean {
  const main = env['SYSTEMD_EXEC_PID'];
  // Before systemd 248 there was none.
  return main === undefined ? ppid === 1 : Number(main) === pid;
}

/** Whichever unit it is by this process's control group. */
export async function askSystemd(): Promise<string | undefined> {
  try {
    const groups = await readFile('/proc/self/cgroup', 'utf8');
    // cgroup v2, or systemd's own hierarchy of v1.
    const path = /^(?:0:|\d+:name=systemd):(.*)$/m.exec(groups)?.[1] ?? '';
    const unit = /[^/]+\.service$/.exec(path)?.[0];
    if (unit === undefined) return undefined;
    const manager = path.includes('/user@') ? ['--user'] : [];
    const what = '--property=InvocationID,Restart,RestartForceExitStatus';
    const { execFile } = await import('node:child_process');
    const { stdout } = await promisify(execFile)(
      'systemctl',
      [...manager, 'show', what, '--', unit],
      { timeout: ASK_TIMEOUT_MS, maxBuffer: MAX_ANSWER_BYTES },
    );
    return stdout;
  } catch {
    // No systemctl, no bus, or none that answers: there is nobody to ask.
    return undefined;
  }
}
