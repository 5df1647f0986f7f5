/**
 * The process of all simulated cameras: `cameras.js COUNT SCENARIO [PORT,…]`, spoken to over IPC. Encoders send to the
 * ports, a port for each; RTSP cameras listen.
 */
import { cameraMedia } from './camera-media.ts';
import { Pacing } from './pacing.ts';
import { RtmpEncoder, rtmpMedia } from './rtmp-encoder.ts';
import { serveRtspCameras } from './rtsp-cameras.ts';
import { findScenario } from './scenario.ts';
import { TsEncoder, tsMedia } from './ts-encoder.ts';
import type { CamerasResult, Notice, Request } from './window.ts';

const count = Number(process.argv[2]);
const scenario = findScenario(process.argv[3] ?? '');
const pacing = new Pacing(count, scenario?.slowness);
const say = (notice: Notice<CamerasResult>) => process.send?.(notice);

process.on('disconnect', () => process.exit());
process.on('message', (request: Request) => {
  if ('window' in request) pacing.window = request.window;
  else say({ result: { ...pacing.sent, withheld: pacing.withheld } });
});
// Ctrl-C is for the parent, which then disconnects.
process.on('SIGINT', () => undefined);
if (scenario === undefined) throw new Error(`no scenario ${process.argv[3]}`);
pacing.start();
const ports = (process.argv[4] ?? '').split(',').map(Number);
const { source, videoBitsPerSecond } = scenario;
if (source === 'udp-ts') {
  const media = tsMedia(videoBitsPerSecond);
  for (const [camera, port] of ports.entries()) {
    pacing.add(await TsEncoder.open(camera, port, media));
  }
  say({ ports: [] });
} else if (source === 'rtmp') {
  const media = rtmpMedia(videoBitsPerSecond);
  say({ ports: [] });
  let publishing = 0;
  const publish = async (port: number, camera: number): Promise<void> => {
    pacing.add(await RtmpEncoder.open(camera, port, media));
    publishing += 1;
    say({ flowing: publishing });
  };
  await Promise.all(ports.map(publish));
} else {
  say({ ports: [await serveRtspCameras(count, cameraMedia(scenario), pacing)] });
}
