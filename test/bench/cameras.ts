/**
 * The process of all simulated cameras: `cameras.js COUNT SCENARIO [PORT,…]`, spoken to over IPC. Encoders send to the
 * ports, one each; RTSP cameras listen.
 */
import { cameraMedia } from './camera-media.ts';
import { Pacing } from './pacing.ts';
import { serveRtspCameras } from './rtsp-cameras.ts';
import { findScenario } from './scenario.ts';
import { TsEncoder, tsMedia } from './ts-encoder.ts';
import type { CamerasResult, Notice, Request } from './window.ts';

const count = Number(process.argv[2]);
const scenario = findScenario(process.argv[3] ?? '');
const pacing = new Pacing(count);
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
if (scenario.source === 'udp-ts') {
  const media = tsMedia();
  for (const [camera, port] of (process.argv[4] ?? '').split(',').entries()) {
    pacing.add(await TsEncoder.open(camera, Number(port), media));
  }
  say({ ports: [] });
} else {
  say({ ports: [await serveRtspCameras(count, cameraMedia(scenario.codec), pacing)] });
}
