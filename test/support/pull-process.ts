/** Pulls a camera in a process of its own, for tests in another network: `node pull-process.js URL TRANSPORT SECONDS [INTERFACE]`. */
import { performance } from 'node:perf_hooks';
import { pino } from 'pino';
import type { AccessUnit } from '../../codecs/access-unit.ts';
import { RtspCamera } from '../../drivers/camera/rtsp-camera.ts';
import type { SourceStats } from '../../drivers/driver.ts';
import type { SeenUnit } from './compare-units.ts';
import { sha256 } from './flv-units.ts';

export interface PullReport {
  readonly units: readonly (SeenUnit & { readonly randomAccess: boolean })[];
  readonly stats: SourceStats;
  readonly notes: readonly string[];
  /** How long before the end the last unit came. */
  readonly lastUnitMs: number;
}

const [url = '', transport, seconds, through] = process.argv.slice(2);
const units: PullReport['units'][number][] = [];
let lastUnitAtMs = 0;
const sink = {
  start: () => {},
  stop: () => {},
  write: ({ track, ptsUs, dtsUs, randomAccess, data }: AccessUnit) => {
    lastUnitAtMs = performance.now();
    units.push({ kind: track.kind, ptsUs, dtsUs, randomAccess, sha256: sha256(data) });
  },
};
const driver = new RtspCamera(
  { url, transport: transport === 'udp' ? 'udp' : 'auto', interface: through },
  { log: pino({ level: 'silent' }), now: Date.now },
);
await driver.run(sink, AbortSignal.timeout(Number(seconds) * 1000)).catch((error: unknown) => {
  if (!(error instanceof Error && error.name === 'TimeoutError')) throw error;
});
const report: PullReport = {
  units,
  stats: driver.stats,
  notes: driver.notes,
  lastUnitMs: performance.now() - lastUnitAtMs,
};
process.stdout.write(JSON.stringify(report));
