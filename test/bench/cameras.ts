/** The process of all simulated cameras: `cameras.js COUNT`, spoken to over IPC. */
import { CameraServer } from './camera-server.ts';
import type { CamerasResult, Notice, Request } from './window.ts';

const server = new CameraServer(Number(process.argv[2]));
const say = (notice: Notice<CamerasResult>) => process.send?.(notice);

process.on('disconnect', () => process.exit());
process.on('message', (request: Request) => {
  if ('window' in request) server.window = request.window;
  else {
    const { sentVideo: video, sentAudio: audio, withheld } = server;
    say({ result: { video, audio, withheld } });
  }
});
// Ctrl-C is for the parent, which then disconnects.
process.on('SIGINT', () => undefined);
say({ port: await server.listen() });
