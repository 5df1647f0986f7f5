/** The systems that are compared: one gateway for all cameras, one nginx for all, and one `ffmpeg -c copy` for each. */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/free-port.ts';
import { launch } from './children.ts';
import { type Options, OUT_FOLDER, type Place, type System } from './measurement.ts';

/** What users run, see deploy/build.mjs. npm runs the bench in the repository's root. */
const BUNDLE = 'dist/gateway/main.js';
/** ffmpegs that all begin at once would fight for the processor and miss their cameras' patience. */
const FFMPEG_STAGGER_MS = 50;
/** Of publishers and players together. */
const MAX_CONNECTIONS = 4096;

export const gateway: System = {
  name: 'gateway',
  sharesPort: true,
  async start(place) {
    return [await launchGateway(place, [await embeddedBroker(), ...targetLines(place)])];
  },
};

/** Of the configuration: all cameras, and where they go. */
export function targetLines(place: Place): string[] {
  const { rtmpPort } = place;
  return [
    ...gatewaySources(place),
    ...(rtmpPort === undefined
      ? []
      : [
          'proxypublish:',
          '  targets:',
          `    - { targetUri: "rtmp://127.0.0.1:${rtmpPort}/live" }`,
        ]),
  ];
}

async function embeddedBroker(): Promise<string> {
  return `mqtt: { embedded: { listen: "127.0.0.1:${await freePort()}" } }`;
}

export function visitorCommand(httpPort: number): string[] {
  const program = fileURLToPath(new URL('page-visitor.js', import.meta.url));
  return [process.execPath, program, String(httpPort)];
}

function gatewaySources({ scenario, cameras, sourcePorts }: Place): string[] {
  const [port] = sourcePorts;
  const sourceOf = (camera: number): string => {
    switch (scenario.source) {
      case 'rtsp-tcp':
        return `source: "rtsp://127.0.0.1:${port}/${camera}", transport: tcp`;
      case 'rtsp-udp':
        return `source: "rtsp://127.0.0.1:${port}/${camera}", transport: udp`;
      case 'udp-ts':
        return `source: "udp://@127.0.0.1:${sourcePorts[camera]}"`;
      case 'rtmp':
        throw new TypeError('RTMP is pushed in');
    }
  };
  if (scenario.source !== 'rtmp') {
    return [
      'streams:',
      ...range(cameras).map((camera) => `  cam-${camera}: { ${sourceOf(camera)} }`),
    ];
  }
  const limits = `{ connections: ${MAX_CONNECTIONS}, connectionsPerAddress: ${MAX_CONNECTIONS} }`;
  return ['acceptors:', `  - { protocol: rtmp, listen: "127.0.0.1:${port}", limits: ${limits} }`];
}

/** As it comes, but for the number of connections; one process, as the gateway is. */
export const nginx: System = {
  name: 'nginx-rtmp',
  sharesPort: true,
  async start({ sourcePorts, rtmpPort, cpu }) {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    const push = rtmpPort === undefined ? '' : `push rtmp://127.0.0.1:${rtmpPort}/live;`;
    const config = join(folder, 'nginx.conf');
    writeFileSync(
      config,
      `load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log error;
events { worker_connections ${MAX_CONNECTIONS}; }
rtmp { server { listen 127.0.0.1:${sourcePorts[0]}; application live { live on; ${push} } } }
`,
    );
    const command = ['nginx', '-c', config, '-p', folder];
    return [launch({ command, cpu, logFile: `${OUT_FOLDER}/bench-nginx.log` })];
  },
};

export function startIdleGateway(cpu: number | undefined, options: Options): Promise<ChildProcess> {
  return embeddedBroker().then((broker) => launchGateway({ cpu, options }, [broker]));
}

export const ffmpeg: System = {
  name: 'ffmpeg -c copy',
  sharesPort: false,
  async start(place) {
    const children: ChildProcess[] = [];
    for (const camera of range(place.cameras)) {
      const command = [
        ...['ffmpeg', '-nostdin', '-loglevel', 'error'],
        ...ffmpegInput(place, camera),
        ...['-c', 'copy'],
        ...ffmpegOutput(place, camera),
      ];
      const logFile = `${OUT_FOLDER}/bench-ffmpeg.log`;
      children.push(launch({ command, cpu: place.cpu, logFile }));
      await sleep(FFMPEG_STAGGER_MS);
    }
    return children;
  },
};

function ffmpegInput({ scenario, sourcePorts }: Place, camera: number): string[] {
  const rtsp = `rtsp://127.0.0.1:${sourcePorts[0]}/${camera}`;
  switch (scenario.source) {
    case 'rtsp-tcp':
      return ['-rtsp_transport', 'tcp', '-i', rtsp];
    case 'rtsp-udp':
      return ['-rtsp_transport', 'udp', '-i', rtsp];
    case 'udp-ts':
      return ['-i', `udp://127.0.0.1:${sourcePorts[camera]}`];
    case 'rtmp':
      return ['-listen', '1', '-i', `rtmp://127.0.0.1:${sourcePorts[camera]}/live/cam-${camera}`];
  }
}

/** FLV has H.265 from ffmpeg 6.1 on. MPEG-TS is what Debian's 5.1 can send of it over a connection. */
function ffmpegOutput({ scenario, rtmpPort, tsPort }: Place, camera: number): string[] {
  return scenario.codec === 'h265'
    ? ['-f', 'mpegts', `tcp://127.0.0.1:${tsPort}`]
    : ['-f', 'flv', `rtmp://127.0.0.1:${rtmpPort}/live/cam-${camera}`];
}

export async function launchGateway(
  { cpu, options }: Pick<Place, 'cpu' | 'options'>,
  more: readonly string[],
  httpPort?: number,
): Promise<ChildProcess> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const config = join(dataFolder, 'sluice.yaml');
  const lines = [
    'gateway: { id: bench }',
    'discovery: { onvif: false, mdns: false }',
    `http: { listen: "127.0.0.1:${httpPort ?? (await freePort())}" }`,
    ...more,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const commandLine = [BUNDLE, 'run', '--config', config, '--data-dir', dataFolder];
  const command = [process.execPath, ...options.nodeOptions, ...commandLine];
  return launch({ command, cpu, logFile: `${OUT_FOLDER}/bench-gateway.log` });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
