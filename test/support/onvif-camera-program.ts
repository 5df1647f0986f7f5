/** A virtual ONVIF camera as a process of its own, in a network namespace of its own; onvif-camera-process.ts steers it. */
import { createServer, type Server } from 'node:net';
import { VirtualOnvif, type VirtualOnvifOptions } from './virtual-onvif.ts';

export type CameraRequest =
  | { readonly do: 'start'; readonly options: VirtualOnvifOptions }
  /** Answers every RTSP request with 200, and nothing else. */
  | { readonly do: 'rtsp'; readonly address: string }
  | { readonly do: 'hello' | 'bye' | 'close' };

let camera: VirtualOnvif | undefined;
let rtsp: Server | undefined;

async function perform(request: CameraRequest): Promise<void> {
  switch (request.do) {
    case 'start':
      camera = await VirtualOnvif.start(request.options);
      break;
    case 'rtsp': {
      const { address } = request;
      rtsp = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', () => socket.write('RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n'));
      });
      rtsp.listen(554, address);
      break;
    }
    case 'hello':
      await camera?.hello();
      break;
    case 'bye':
      await camera?.bye();
      break;
    case 'close':
      rtsp?.close();
      await camera?.close();
      break;
  }
}

process.on('message', (request: CameraRequest) => {
  perform(request).then(
    () => process.send?.('done'),
    (error: unknown) => process.send?.(String(error)),
  );
});
