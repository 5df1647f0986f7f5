/** `sluice probe SOURCE`: connects, measures for a while, and says what is wrong. */
import { parseArgs } from 'node:util';
import { ConfigError } from '../config/config-error.ts';
import { parseConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { openConfiguredSource } from '../configured-source.ts';
import { GatewayLog } from '../log.ts';
import { probe } from '../probe/probe.ts';
import { reportJson, reportText } from '../probe/report-text.ts';
import { scrub } from '../secrets.ts';

const DEFAULT_SECONDS = 10;
const MAX_SECONDS = 600;
const STREAM = 'source';

const USAGE = `usage: sluice probe SOURCE [--json] [--seconds N] [--transport NAME]

  SOURCE            what "source" may be in sluice.yaml: rtsp://[user:password@]camera/path, onvif://camera, …
  --json            the whole report as one JSON object
  --seconds N       how long to measure, from the first picture on (default ${DEFAULT_SECONDS})
  --transport NAME  as in sluice.yaml (default auto)

exit codes: 0 pictures or sound came, 1 none came, 2 wrong arguments`;

interface Arguments {
  readonly config: Config;
  readonly json: boolean;
  readonly seconds: number;
}

export async function probeCommand(argv: string[]): Promise<number> {
  const parsed = readArguments(argv);
  if (typeof parsed === 'number') return parsed;
  const { config, json, seconds } = parsed;
  const stream = config.streams[STREAM];
  if (stream === undefined) throw new TypeError('the configuration was just made with this stream');
  const { log } = new GatewayLog('fatal');
  const source = openConfiguredSource(undefined, stream, config, { log, now: Date.now });
  const stopping = new AbortController();
  const stop = () => stopping.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const progress = json ? undefined : showProgress(seconds);
  try {
    const report = await probe(source, seconds * 1000, stopping.signal);
    progress?.[Symbol.dispose]();
    process.stdout.write(json ? reportJson(report) : scrub(reportText(report)));
    return report.ok ? 0 : 1;
  } finally {
    progress?.[Symbol.dispose]();
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function readArguments(argv: string[]): Arguments | number {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        seconds: { type: 'string', default: String(DEFAULT_SECONDS) },
        transport: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const [source, ...others] = positionals;
    if (source === undefined || others.length > 0) {
      process.stderr.write(`${USAGE}\n`);
      return 2;
    }
    const seconds = Number(values.seconds);
    if (!(seconds >= 1 && seconds <= MAX_SECONDS)) {
      throw new ConfigError(`--seconds: expected a number from 1 to ${MAX_SECONDS}`);
    }
    const { transport } = values;
    const stream = { source, ...(transport === undefined ? {} : { transport }) };
    const text = JSON.stringify({ streams: { [STREAM]: stream } });
    const config = parseConfig(text, { file: 'probe', folder: process.cwd(), env: {} });
    return { config, json: values.json, seconds };
  } catch (error) {
    const isArguments =
      error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE');
    if (!(error instanceof ConfigError) && !isArguments) throw error;
    // People gave arguments, not a file with keys.
    const words = error.message
      .replace(/^probe: streams\.source\.source/, 'SOURCE')
      .replace(/^probe: streams\.source\.transport/, '--transport');
    process.stderr.write(`sluice probe: ${words}\n`);
    return 2;
  }
}

/** On a terminal only. */
function showProgress(seconds: number): Disposable | undefined {
  if (process.stderr.isTTY !== true) return undefined;
  const begun = Date.now();
  const show = () => {
    const passed = Math.round((Date.now() - begun) / 1000);
    process.stderr.write(`\rconnecting and measuring ${seconds} s … ${passed} s `);
  };
  const timer = setInterval(show, 250);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      process.stderr.write('\r\x1b[K');
    },
  };
}
