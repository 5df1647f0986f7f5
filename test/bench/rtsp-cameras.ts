/** N cameras behind one port, rtsp://127.0.0.1:PORT/0 to N-1. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { CameraMedia } from './camera-media.ts';
import type { Pacing } from './pacing.ts';
import { Viewer } from './viewer.ts';

export async function serveRtspCameras(
  cameras: number,
  media: CameraMedia,
  pacing: Pacing,
): Promise<number> {
  const server = createServer((socket) => {
    const viewer = new Viewer(socket, cameras, media, () => pacing.add(viewer));
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      pacing.remove(viewer);
      viewer.close();
    });
  });
  server.listen(0, '127.0.0.1', 1024);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
