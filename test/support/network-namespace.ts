/** Networks of a test's own (`ip netns`): one whose loopback loses packets (netem, or iptables), two with a cable between (veth). */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export class NetworkNamespace {
  readonly name: string;

  static #made = 0;

  private constructor(name: string) {
    this.name = name;
  }

  /** Throws where that is not possible. */
  static async make(): Promise<NetworkNamespace> {
    const namespace = new NetworkNamespace(`sluice-${process.pid}-${NetworkNamespace.#made++}`);
    await run('ip', ['netns', 'add', namespace.name]);
    await namespace.run('ip', 'link', 'set', 'lo', 'up');
    return namespace;
  }

  /** What it says on standard output. */
  async run(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await run('ip', ['netns', 'exec', this.name, program, ...args]);
    return stdout;
  }

  /** `percent` of the UDP packets on its loopback are lost; with netem those of TCP, too. */
  async lose(percent: number): Promise<void> {
    try {
      await this.run('tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'loss', `${percent}%`);
    } catch {
      // A kernel without netem: the packet filter throws dice, too.
      const dice = ['-m', 'statistic', '--mode', 'random', '--probability', String(percent / 100)];
      await this.run('iptables', '-A', 'INPUT', '-p', 'udp', ...dice, '-j', 'DROP');
    }
  }

  /** A cable between two: `cam` here with 10.99.0.1, `gw` there with 10.99.0.2. */
  async connect(other: NetworkNamespace): Promise<void> {
    const far = ['peer', 'name', 'gw', 'netns', other.name];
    await run('ip', [...['link', 'add', 'cam', 'netns', this.name, 'type', 'veth'], ...far]);
    await this.run('ip', 'address', 'add', '10.99.0.1/24', 'dev', 'cam');
    await other.run('ip', 'address', 'add', '10.99.0.2/24', 'dev', 'gw');
    await this.run('ip', 'link', 'set', 'cam', 'up');
    await other.run('ip', 'link', 'set', 'gw', 'up');
    // The kernel takes up to a second to say so, and until then Node does not list them.
    for (const [namespace, device] of [[this, 'cam'] as const, [other, 'gw'] as const]) {
      while (!(await namespace.run('ip', 'link', 'show', 'dev', device)).includes('state UP'));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await run('ip', ['netns', 'delete', this.name]);
  }
}

/** Why it cannot be done here; undefined when it can. */
export async function whyNot(
  attempt: (namespace: NetworkNamespace) => Promise<void>,
): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  let namespace: NetworkNamespace | undefined;
  try {
    namespace = await NetworkNamespace.make();
    await attempt(namespace);
    return undefined;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    return `not on this machine: ${said.trim()}`;
  } finally {
    await namespace?.[Symbol.asyncDispose]();
  }
}
