import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../gateway/config/load.ts';

function parse(source: string) {
  return parseConfig(source, { file: 's.yaml', folder: '.', env: {} });
}

const acceptors = (...all: readonly string[]) =>
  `acceptors: [${all.map((keys) => `{${keys}}`).join(', ')}]`;
const RTMP = 'protocol: rtmp, listen: "0.0.0.0:1935"';
const TARGET = (uri: string) => `\nproxypublish: {targets: [{targetUri: "${uri}"}]}`;

const good: readonly (readonly [name: string, source: string])[] = [
  [
    'one port on two addresses',
    acceptors('protocol: rtmp, listen: "10.0.0.1:1935"', 'protocol: rtmp, listen: "10.0.0.2:1935"'),
  ],
  [
    'any port, twice',
    acceptors('protocol: rtmp, listen: "0.0.0.0:0"', 'protocol: rtsp, listen: "0.0.0.0:0"'),
  ],
  [
    'one number for TCP and UDP',
    acceptors(
      'protocol: mpegts-tcp, listen: "0.0.0.0:9999"',
      'protocol: mpegts-udp, listen: "0.0.0.0:9999"',
    ),
  ],
  [
    'one port of two groups',
    acceptors(
      'protocol: mpegts-udp, listen: "239.1.1.1:5000", interface: eth0',
      'protocol: mpegts-udp, listen: "239.1.1.2:5000"',
    ),
  ],
  [
    'one name by two ways',
    acceptors(
      'protocol: mpegts-udp, listen: "0.0.0.0:1", localStreamName: a',
      'protocol: mpegts-tcp, listen: "0.0.0.0:1", localStreamName: a',
    ),
  ],
  ['a certificate of its own', acceptors('protocol: rtmps, listen: "0.0.0.0:443"')],
  ['a certificate', acceptors('protocol: rtmps, listen: "0.0.0.0:443", certFile: a, keyFile: b')],
  [
    'a list of addresses',
    acceptors(
      'protocol: mpegts-tcp, listen: "0.0.0.0:1", publish: {addresses: [10.0.0.0/8, "fd00::/8"]}',
    ),
  ],
  [
    'addresses and a token',
    acceptors(
      'protocol: liveflv, listen: "0.0.0.0:1", publish: {addresses: [10.0.0.1], token: abc}',
    ),
  ],
  [
    'one sender',
    acceptors('protocol: mpegts-udp, listen: "0.0.0.0:1", publish: {addresses: [10.0.0.1]}'),
  ],
  ['a target elsewhere', acceptors(RTMP) + TARGET('rtmp://10.0.0.9/live')],
  ['a target beside us', acceptors(RTMP) + TARGET('rtmp://127.0.0.1:1936/live')],
  [
    'no broker of our own',
    `${acceptors('protocol: rtmp, listen: "0.0.0.0:1883"')}\nmqtt: {url: "mqtt://b"}`,
  ],
];

const bad: readonly (readonly [name: string, source: string, line: string])[] = [
  [
    'two on one port',
    acceptors(RTMP, 'protocol: rtsp, listen: "0.0.0.0:1935"'),
    'acceptors[1].listen: acceptors[0].listen listens on port 1935 already',
  ],
  [
    'two on one port, one of them on all addresses',
    acceptors(RTMP, 'protocol: rtsp, listen: "10.0.0.1:1935"'),
    'acceptors[1].listen: acceptors[0].listen listens on port 1935 already',
  ],
  [
    'the port of our page',
    acceptors('protocol: rtmp, listen: "0.0.0.0:8080"'),
    'acceptors[0].listen: http.listen listens on port 8080 already',
  ],
  [
    'the port of our broker',
    acceptors('protocol: rtmp, listen: "[::]:1883"'),
    'acceptors[0].listen: mqtt.embedded.listen listens on port 1883 already',
  ],
  [
    'the port of a source',
    `streams: {a: {source: "udp://@:5000"}}\n${acceptors('protocol: mpegts-udp, listen: "10.0.0.1:5000"')}`,
    'acceptors[0].listen: streams.a.source listens on port 5000 already',
  ],
  [
    'the group of a source',
    `streams: {a: {source: "udp://@239.1.1.1:5000"}}\n${acceptors('protocol: mpegts-udp, listen: "239.1.1.1:5000"')}`,
    'acceptors[0].listen: streams.a.source listens on port 5000 already',
  ],
  [
    'the name of a source',
    `streams: {a: {source: "rtsp://h/"}}\n${acceptors('protocol: liveflv, listen: "0.0.0.0:1", localStreamName: a')}`,
    'acceptors[0].localStreamName: streams.a has this name already',
  ],
  [
    'a name where clients have their own',
    acceptors(`${RTMP}, localStreamName: a`),
    'acceptors[0].localStreamName: rtmp clients say what their stream is called; leave it out',
  ],
  [
    'a certificate without TLS',
    acceptors(`${RTMP}, certFile: a, keyFile: b`),
    'acceptors[0].certFile: only rtmps and rtsp have a certificate; leave it out',
  ],
  [
    'a key without TLS',
    acceptors(`${RTMP}, keyFile: b`),
    'acceptors[0].keyFile: only rtmps and rtsp have a certificate; leave it out',
  ],
  [
    'half a certificate',
    acceptors('protocol: rtmps, listen: "0.0.0.0:1", certFile: a'),
    'acceptors[0].keyFile: expected beside the other half of the pair, got nothing',
  ],
  [
    'players where nobody plays',
    acceptors('protocol: liveflv, listen: "0.0.0.0:1", play: {token: a}'),
    'acceptors[0].play: nobody plays from liveflv; leave it out',
  ],
  [
    'a login in MPEG-TS',
    acceptors('protocol: mpegts-tcp, listen: "0.0.0.0:1", publish: {token: abc}'),
    'acceptors[0].publish: mpegts-tcp has no room for a login; addresses say who may',
  ],
  [
    'addresses of RTMP publishers',
    acceptors(`${RTMP}, publish: {addresses: [10.0.0.1]}`),
    'acceptors[0].publish.addresses: rtmp clients have a login; leave it out',
  ],
  [
    'many senders over UDP',
    acceptors(
      'protocol: mpegts-udp, listen: "0.0.0.0:1", publish: {addresses: [10.0.0.1, 10.0.0.2]}',
    ),
    'acceptors[0].publish.addresses: expected one address of a sender over UDP',
  ],
  [
    'a range of senders over UDP',
    acceptors('protocol: mpegts-udp, listen: "0.0.0.0:1", publish: {addresses: [10.0.0.0/24]}'),
    'acceptors[0].publish.addresses: expected one address of a sender over UDP',
  ],
  [
    'no address',
    acceptors('protocol: mpegts-tcp, listen: "0.0.0.0:1", publish: {addresses: []}'),
    'acceptors[0].publish.addresses: expected at least one address, got a list',
  ],
  [
    'what is no address',
    acceptors('protocol: mpegts-tcp, listen: "0.0.0.0:1", publish: {addresses: [10.0.0.0/33]}'),
    'acceptors[0].publish.addresses[0]: expected an address such as 10.0.0.5, or a range such as 10.0.0.0/24, got "10.0.0.0/33"',
  ],
  [
    'nobody',
    acceptors('protocol: liveflv, listen: "0.0.0.0:1", publish: {}'),
    'acceptors[0].publish: expected username and password, or token; left out altogether: everybody may',
  ],
  [
    'a name without its password',
    acceptors(`${RTMP}, publish: {username: a}`),
    'acceptors[0].publish.password: expected a password beside the user name, got nothing',
  ],
  [
    'two tokens',
    acceptors(`${RTMP}, play: {token: a, tokenFile: b}`),
    'acceptors[0].play.tokenFile: expected token or tokenFile, got both',
  ],
  [
    'any UDP port',
    acceptors('protocol: mpegts-udp, listen: "0.0.0.0:0"'),
    'acceptors[0].listen: expected a port from 1 to 65535, got 0',
  ],
  [
    'an interface of TCP',
    acceptors(`${RTMP}, interface: eth0`),
    'acceptors[0].interface: only mpegts-udp joins groups; leave it out',
  ],
  [
    'an interface without a group',
    acceptors('protocol: mpegts-udp, listen: "0.0.0.0:1", interface: eth0'),
    'acceptors[0].interface: only a group is joined on an interface; leave it out',
  ],
  [
    'a target that is ourselves',
    acceptors(RTMP) + TARGET('rtmp://localhost/live'),
    'proxypublish.targets[0].targetUri: this is acceptors[0] of this service itself: a stream would go in circles',
  ],
  [
    'a target that is ourselves by address',
    acceptors('protocol: rtmp, listen: "10.0.0.1:1"') + TARGET('rtmp://10.0.0.1:1/live'),
    'proxypublish.targets[0].targetUri: this is acceptors[0] of this service itself: a stream would go in circles',
  ],
];

describe('acceptors beside the rest of the configuration', () => {
  for (const [name, source] of good) {
    it(`may be: ${name}`, () => void parse(source));
  }
  for (const [name, source, line] of bad) {
    it(`may not be: ${name}`, () => {
      assert.throws(() => parse(source), { name: 'ConfigError', message: `s.yaml: ${line}` });
    });
  }
});
