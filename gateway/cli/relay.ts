/** `sluice relay SOURCE TARGET...`: one source to one or more targets, with no file. */
import { ConfigError } from '../config/config-error.ts';
import { parseConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { Gateway } from '../gateway.ts';
import { GatewayLog } from '../log.ts';
import { splitStreamName } from '../proxypublish/target-url.ts';
import type { Board } from '../report/board.ts';
import { untilStopped } from './until-stopped.ts';

const USAGE = `usage: sluice relay SOURCE TARGET...

  SOURCE   rtsp://[user:password@]camera/path, rtmp://server/application/stream-name, http://camera/path.flv,
           udp://@239.1.1.1:5000 or tcp://encoder:port (MPEG-TS), sdp:///path/of/a/file.sdp (RTP)
  TARGET   rtmp://master/application/stream-name`;
const STREAM = 'relay';
const PROGRESS_MS = 1_000;

export async function relay(args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const config = readArguments(args);
  if (config === undefined) return 2;
  const isTerminal = process.stderr.isTTY === true;
  const gatewayLog = new GatewayLog(isTerminal ? 'warn' : 'info');
  const { log } = gatewayLog;
  let progress: NodeJS.Timeout | undefined;
  const exitCode = await untilStopped(log, ({ fail }) => {
    const gateway = new Gateway({
      config,
      log,
      setLogLevel: (level) => gatewayLog.setLevel(level),
      onFatal: fail,
      isQuiet: true,
    });
    if (isTerminal) progress = setInterval(() => showProgress(gateway.board), PROGRESS_MS);
    return gateway;
  });
  clearInterval(progress);
  if (isTerminal) process.stderr.write('\n');
  return exitCode;
}

function readArguments(args: readonly string[]): Config | undefined {
  const [source, ...targets] = args;
  if (source === undefined || targets.length === 0) {
    process.stderr.write(`${USAGE}\n`);
    return undefined;
  }
  try {
    const text = JSON.stringify({
      streams: { [STREAM]: { source } },
      proxypublish: { targets: targets.map((target) => splitStreamName(target)) },
      discovery: { onvif: false, mdns: false, motion: false },
    });
    return parseConfig(text, { file: 'relay', folder: process.cwd(), env: {} });
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof Error && error.name === 'Error'))
      throw error;
    process.stderr.write(`sluice relay: ${asArgument(error.message)}\n`);
    return undefined;
  }
}

/** People gave arguments, not a file with keys. */
function asArgument(message: string): string {
  return message
    .replace(/^relay: streams\.relay\.source/, 'SOURCE')
    .replace(/^relay: proxypublish\.targets\[\d+\]\.\w+/, 'TARGET');
}

function showProgress(board: Board): void {
  const stream = board.streams.get(STREAM);
  const source =
    stream?.status.state === 'online' ? 'online' : (stream?.status.reason ?? 'starting');
  const targets = [...board.publishes.values()].map(({ target, status }) => {
    const seconds = Math.round((Date.now() - Date.parse(status.since)) / 1000);
    const megabytes = (status.bytes / 1_000_000).toFixed(1);
    return status.state === 'publishing'
      ? `${target}: publishing ${seconds} s, ${megabytes} MB, ${status.droppedGops} GOPs dropped`
      : `${target}: ${status.reason}`;
  });
  process.stderr.write(
    `\r\x1b[K${[source, ...targets].join(' · ').slice(0, (process.stderr.columns ?? 80) - 1)}`,
  );
}
