/** What systemd does with its socket: takes datagrams. Node has none on Unix sockets, hence Python. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { until } from './until.ts';

const LISTEN = `
import socket, sys
path = sys.argv[1]
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind('\\0' + path[1:] if path[0] == '@' else path)
print('listening', flush=True)
while True:
    print(repr(listener.recv(4096).decode()), flush=True)
`;

export class ServiceManager {
  /** One entry a datagram; newlines as \n. */
  readonly heard: string[] = [];
  readonly #process: ChildProcessWithoutNullStreams;

  private constructor(path: string) {
    this.#process = spawn('python3', ['-c', LISTEN, path]);
    let text = '';
    this.#process.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      this.heard.push(...lines.map((line) => line.replace(/^'|'$/g, '')));
    });
  }

  /** `path`: as NOTIFY_SOCKET has it. */
  static async listen(path: string): Promise<ServiceManager> {
    const manager = new ServiceManager(path);
    await until(() => manager.heard[0] === 'listening');
    manager.heard.length = 0;
    return manager;
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
  }
}
