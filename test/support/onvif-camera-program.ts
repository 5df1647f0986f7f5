/** A virtual ONVIF camera as a process of its own, in a network namespace of its own; onvif-camera-process.ts steers it. */
import { createServer, type Server } from 'node:net';
import createMulticastDns from 'multicast-dns';
import { VirtualOnvif, type VirtualOnvifOptions } from './virtual-onvif.ts';

export type CameraRequest =
  | { readonly do: 'start'; readonly options: VirtualOnvifOptions }
  /** Answers every RTSP request with 200, and nothing else. */
  | { readonly do: 'rtsp'; readonly address: string }
  /** By mDNS, as an encoder that sends MPEG-TS to a group. */
  | {
      readonly do: 'announce';
      readonly address: string;
      readonly group: string;
      readonly port: number;
    }
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
    case 'announce':
      announce(request.address, request.group, request.port);
      break;
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

function announce(address: string, group: string, port: number): void {
  const [type, name, host] = ['_mpegts._udp.local', 'Rack 7._mpegts._udp.local', 'rack7.local'];
  const txt = [`group=${group}`, 'serial=RACK7001', 'model=R7'];
  const answers = [
    { name: type, type: 'PTR', ttl: 120, data: name },
    { name, type: 'SRV', ttl: 120, data: { target: host, port } },
    { name, type: 'TXT', ttl: 120, data: txt },
    { name: host, type: 'A', ttl: 120, flush: true, data: address },
  ];
  const mdns = createMulticastDns({ interface: address, bind: '0.0.0.0' }) as Responder;
  mdns.on('query', ({ questions }) => {
    if (questions.some((question) => question.name === type)) mdns.respond({ answers });
  });
}

type Responder = ReturnType<typeof createMulticastDns> & {
  respond(answer: object): void;
  on(event: 'query', listener: (query: { questions: { name: string }[] }) => void): void;
};

process.on('message', (request: CameraRequest) => {
  perform(request).then(
    () => process.send?.('done'),
    (error: unknown) => process.send?.(String(error)),
  );
});
