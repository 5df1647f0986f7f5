import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { afterEach, describe, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { isBatchingAvailable, openBatchReceiver } from '../../drivers/udp/batch-receiver.ts';
import { openDgramReceiver } from '../../drivers/udp/dgram-receiver.ts';
import {
  openUdpReceiver,
  type UdpReceiver,
  type UdpReceiverOptions,
} from '../../drivers/udp-receiver.ts';
import { until } from '../support/until.ts';

const backends = [
  { name: 'dgram', open: openDgramReceiver },
  // `npm test` compiles it; without a compiler there is nothing to test.
  ...(isBatchingAvailable ? [{ name: 'the native addon', open: openBatchReceiver }] : []),
];

const LOOPBACK = { udp4: '127.0.0.1', udp6: '::1' } as const;
/** RFC 2365 §6.1 and RFC 7346 §2: never leave the machine. */
const GROUP = { udp4: '239.255.77.1', udp6: 'ff01::4d01' } as const;
const OTHER_GROUP = { udp4: '239.255.77.2', udp6: 'ff01::4d02' } as const;

const BURST_PACKETS = 2000;
/** What Linux counts for a small packet, its own overhead included. */
const COUNTED_BYTES = 1280;

for (const { name, open } of backends) {
  describe(`UDP by ${name}`, () => {
    const closing: (() => void)[] = [];
    const socketsBefore = openSockets();

    afterEach(async () => {
      for (const close of closing.splice(0)) close();
      await until(() => openSockets() === socketsBefore);
    });

    async function receive(options: Partial<UdpReceiverOptions> = {}) {
      const packets: Buffer[] = [];
      const errors: Error[] = [];
      const receiver = await openUdpReceiver(
        {
          family: 'udp4',
          port: 0,
          onPacket: (bytes, start, end) => packets.push(Buffer.from(bytes.slice(start, end))),
          onError: (error) => errors.push(error),
          ...options,
        },
        open,
      );
      closing.push(() => receiver.close());
      return { receiver, packets, errors };
    }

    async function sender(family: 'udp4' | 'udp6' = 'udp4', address?: string): Promise<Socket> {
      const socket = createSocket(family);
      socket.bind(0, address ?? LOOPBACK[family]);
      await once(socket, 'listening');
      closing.push(() => socket.close());
      return socket;
    }

    for (const family of ['udp4', 'udp6'] as const) {
      test(`${family}: packets of every length arrive whole and in order`, async () => {
        const { receiver, packets, errors } = await receive({ family });
        const socket = await sender(family);
        const sent = [0, 1, 12, 188, 1316, 1472, 9000, 65_000].map((length, index) =>
          Buffer.alloc(length, index + 1),
        );
        for (const packet of sent) await send(socket, packet, receiver, LOOPBACK[family]);
        await until(() => packets.length === sent.length);
        assert.deepEqual(packets, sent);
        assert.deepEqual(errors, []);
      });

      test(`${family}: takes nothing before a sender is named, and then only that one`, async () => {
        const { receiver, packets } = await receive({ family, accept: 'no-one' });
        const socket = await sender(family);
        await send(socket, Buffer.from('early'), receiver, LOOPBACK[family]);
        await settle(receiver, socket);
        assert.deepEqual(packets, []);
        receiver.acceptOnly(LOOPBACK[family]);
        await send(socket, Buffer.from('named'), receiver, LOOPBACK[family]);
        await until(() => packets.length === 1);
        receiver.acceptOnly(family === 'udp4' ? '127.0.0.2' : 'fe80::2');
        await send(socket, Buffer.from('foreign'), receiver, LOOPBACK[family]);
        await settle(receiver, socket);
        assert.deepEqual(packets.map(String), ['named']);
      });

      test(`${family}: sends from its own port`, async () => {
        const { receiver } = await receive({ family });
        const socket = await sender(family);
        const message = once(socket, 'message');
        receiver.send(Buffer.from('punch'), socket.address().port, LOOPBACK[family]);
        const [bytes, from] = await message;
        assert.equal(String(bytes), 'punch');
        assert.equal(from.port, receiver.port);
      });
    }

    test('a port that was closed can be opened again at once', async () => {
      const { receiver } = await receive();
      const { port } = receiver;
      receiver.close();
      const again = await receive({ port });
      assert.equal(again.receiver.port, port);
      again.receiver.close();
      again.receiver.acceptOnly('127.0.0.1');
      again.receiver.send(Buffer.from('late'), port, '127.0.0.1');
    });

    for (const { family, through, anyAddress } of multicastLinks()) {
      test(`${family}: takes the packets of a group, and of no other on the same port`, async () => {
        const multicast = { group: GROUP[family], interface: through };
        const { receiver, packets } = await receive({ family, multicast });
        const other = { group: OTHER_GROUP[family], interface: through };
        const { packets: others } = await receive({
          family,
          port: receiver.port,
          multicast: other,
        });
        const socket = await sender(family, anyAddress);
        socket.setMulticastInterface(family === 'udp4' ? '127.0.0.1' : `::%${through}`);
        const zone = family === 'udp4' ? '' : `%${through}`;
        await send(socket, Buffer.from('to the other'), receiver, `${other.group}${zone}`);
        await send(socket, Buffer.from('to the group'), receiver, `${multicast.group}${zone}`);
        await until(() => packets.length === 1);
        assert.deepEqual(packets.map(String), ['to the group']);
        assert.deepEqual(others.map(String), ['to the other']);
      });
    }

    test('two receivers share a group and a port', async () => {
      const multicast = { group: GROUP.udp4, interface: '127.0.0.1' };
      const first = await receive({ multicast });
      const second = await receive({ port: first.receiver.port, multicast });
      const socket = await sender();
      socket.setMulticastInterface('127.0.0.1');
      await send(socket, Buffer.from('both'), first.receiver, multicast.group);
      await until(() => first.packets.length + second.packets.length === 2);
      assert.deepEqual([...first.packets, ...second.packets].map(String), ['both', 'both']);
    });

    test('takes the packets of a group from one source only', async () => {
      // 232.0.0.0/8 is for source-specific multicast, RFC 4607 §1.
      const multicast = { group: '232.1.1.77', interface: 'lo', source: '127.0.0.1' };
      const { receiver, packets } = await receive({ multicast });
      for (const address of ['127.0.0.2', '127.0.0.1']) {
        const socket = await sender('udp4', address);
        socket.setMulticastInterface('127.0.0.1');
        await send(socket, Buffer.from(address), receiver, multicast.group);
      }
      await until(() => packets.length === 1);
      assert.deepEqual(packets.map(String), ['127.0.0.1']);
    });

    const refused = [
      { name: 'an interface that is not there', options: { interface: 'nosuch0' } },
      { name: 'a group that is none', options: { group: '10.0.0.1' } },
    ];
    for (const { name, options } of refused) {
      test(`refuses ${name}`, async () => {
        await assert.rejects(receive({ multicast: { group: GROUP.udp4, ...options } }));
      });
    }

    test('refuses a port that is taken', async () => {
      const { receiver } = await receive();
      await assert.rejects(receive({ port: receiver.port }), { code: 'EADDRINUSE' });
    });

    test('refuses an address that is not ours', async () => {
      await assert.rejects(receive({ address: '192.0.2.1' }), { code: 'EADDRNOTAVAIL' });
    });

    test('takes a burst of 2000 packets, or as many as the system has room for', async () => {
      const maxBytes = 2 * Number(readFileSync('/proc/sys/net/core/rmem_max', 'utf8'));
      const count = Math.min(BURST_PACKETS, Math.floor((0.9 * maxBytes) / COUNTED_BYTES));
      const { receiver, packets } = await receive();
      const socket = await sender();
      const sent = Array.from({ length: count }, (_, index) => {
        const packet = Buffer.alloc(200);
        packet.writeUInt32BE(index);
        return packet;
      });
      // Sent without waiting: they queue in the kernel while this process is busy sending.
      await Promise.all(sent.map((packet) => send(socket, packet, receiver, LOOPBACK.udp4)));
      await until(() => packets.length === sent.length);
      assert.deepEqual(
        packets.map((packet) => packet.readUInt32BE()),
        sent.map((_, index) => index),
      );
    });

    test('packets that may wait come by themselves, and before those that may not', async () => {
      const order: string[] = [];
      const onPacket = (bytes: Uint8Array, start: number, end: number) =>
        order.push(String(Buffer.from(bytes.slice(start, end))));
      const { receiver: patient } = await receive({ mayWait: true, onPacket });
      const { receiver: prompt } = await receive({ onPacket });
      const socket = await sender();
      await send(socket, Buffer.from('audio'), patient, LOOPBACK.udp4);
      await until(() => order.length === 1);
      socket.connect(patient.port, LOOPBACK.udp4);
      await once(socket, 'connect');
      // Connected sockets send at once: both wait in the kernel when the loop goes on.
      const second = createSocket('udp4');
      closing.push(() => second.close());
      second.connect(prompt.port, LOOPBACK.udp4);
      await once(second, 'connect');
      // What may wait was read just now, and is not read again so soon.
      await sleep(30);
      socket.send('audio');
      second.send('picture');
      await until(() => order.length === 3);
      assert.deepEqual(order, ['audio', 'audio', 'picture']);
    });

    test('the last that may wait is closed by another: the others go on', async () => {
      let received = 0;
      const { receiver: patient } = await receive({ mayWait: true });
      const { receiver: prompt } = await receive({
        onPacket: () => {
          received += 1;
          patient.close();
        },
      });
      const socket = await sender();
      await send(socket, Buffer.from('audio'), patient, LOOPBACK.udp4);
      await send(socket, Buffer.from('one'), prompt, LOOPBACK.udp4);
      await until(() => received === 1);
      const again = await receive({ mayWait: true });
      await send(socket, Buffer.from('audio'), again.receiver, LOOPBACK.udp4);
      await until(() => again.packets.length === 1);
      await send(socket, Buffer.from('two'), prompt, LOOPBACK.udp4);
      await until(() => received === 2);
    });

    test('what the owner throws is told to it, and ends nothing', async () => {
      let calls = 0;
      const { receiver, errors } = await receive({
        onPacket: () => {
          calls += 1;
          throw new Error('damaged');
        },
      });
      const socket = await sender();
      for (let n = 0; n < 3; n += 1) {
        await send(socket, Buffer.from('x'), receiver, LOOPBACK.udp4);
      }
      await until(() => calls === 3);
      assert.deepEqual(
        errors.map(({ message }) => message),
        ['damaged', 'damaged', 'damaged'],
      );
    });

    test('closed while it receives, it delivers no more', async () => {
      let calls = 0;
      const opened = await receive({
        onPacket: () => {
          calls += 1;
          opened.receiver.close();
        },
      });
      closing.splice(0); // It is closed already.
      const socket = await sender();
      await Promise.all(
        Array.from({ length: 20 }, () =>
          send(socket, Buffer.from('x'), opened.receiver, LOOPBACK.udp4),
        ),
      );
      await until(() => calls > 0);
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      assert.equal(calls, 1);
      assert.deepEqual(opened.errors, []);
    });
  });
}

/** Linux routes no IPv6 group through `lo`: where there is no other interface, there is no such test. */
function multicastLinks() {
  const links = [{ family: 'udp4' as const, through: 'lo', anyAddress: '127.0.0.1' }];
  const isIpv6 = ({ family, internal }: NetworkInterfaceInfo) => family === 'IPv6' && !internal;
  const [through] =
    Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some(isIpv6)) ?? [];
  if (through === undefined) return links;
  return [...links, { family: 'udp6' as const, through, anyAddress: '::' }];
}

function send(
  socket: Socket,
  packet: Buffer,
  { port }: UdpReceiver,
  address: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(packet, port, address, (error) => (error ? reject(error) : resolve()));
  });
}

/** What was sent before has been read when the answer to this has come: the port is served in order. */
async function settle(receiver: UdpReceiver, socket: Socket): Promise<void> {
  const { address, port } = socket.address();
  const answer = once(socket, 'message');
  for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  receiver.send(Buffer.from('?'), port, address);
  await answer;
}

/** Every socket of this process, whoever opened it. */
function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // Closed in between.
    }
  }).length;
}
