/** Acceptors beside one another and beside the rest: ports, names, logins and certificates that cannot be. */
import { parseMpegtsUrl } from '../../drivers/encoder/mpegts-url.ts';
import { isMulticastAddress } from '../../protocols/rtsp/transport.ts';
import { parseTargetUri } from '../proxypublish/target-url.ts';
import { checkCertificatePair } from './certificate-check.ts';
import { failAt, formatPath, type KeyPath } from './config-error.ts';
import { type HostPort, isLoopback, parseAddressRange, parseHostPort } from './fields.ts';
import { checkWholeLogin, hasLogin } from './login-check.ts';
import type { AcceptorConfig, AcceptorProtocol, Config } from './schema.ts';
import { schemeOf } from './urls.ts';

/** What a protocol has room for. */
interface Abilities {
  readonly tls: boolean;
  /** Clients say who they are. */
  readonly login: boolean;
  readonly play: boolean;
  /** Clients say what their stream is called, always. */
  readonly names: boolean;
}

const RTMP: Abilities = { tls: false, login: true, play: true, names: true };
const ABILITIES: Readonly<Record<AcceptorProtocol, Abilities>> = {
  rtmp: RTMP,
  rtmps: { ...RTMP, tls: true },
  rtmpt: RTMP,
  rtsp: { ...RTMP, tls: true },
  liveflv: { tls: false, login: true, play: false, names: false },
  'mpegts-tcp': { tls: false, login: false, play: false, names: false },
  'mpegts-udp': { tls: false, login: false, play: false, names: false },
};

export function checkAcceptors(config: Config, file: string): void {
  for (const [index, acceptor] of config.acceptors.entries()) {
    const path = ['acceptors', index];
    checkAbilities(acceptor, path, file);
    checkCertificate(acceptor, path, file);
    checkUdp(acceptor, path, file);
    const { localStreamName: name } = acceptor;
    if (name !== undefined && config.streams[name] !== undefined) {
      failAt(file, [...path, 'localStreamName'], `streams.${name} has this name already`);
    }
  }
  checkPorts(config, file);
  checkTargets(config, file);
}

function checkAbilities(acceptor: AcceptorConfig, path: KeyPath, file: string): void {
  const { protocol, publish, play, localStreamName } = acceptor;
  const abilities = ABILITIES[protocol];
  const fail = (keys: KeyPath, words: string) => failAt(file, [...path, ...keys], words);
  if (localStreamName !== undefined && abilities.names) {
    fail(['localStreamName'], `${protocol} clients say what their stream is called; leave it out`);
  }
  if (play !== undefined && !abilities.play) {
    fail(['play'], `nobody plays from ${protocol}; leave it out`);
  }
  if (publish !== undefined) {
    if (!abilities.login && hasLogin(publish)) {
      fail(['publish'], `${protocol} has no room for a login; addresses say who may`);
    }
    if (abilities.play && publish.addresses !== undefined) {
      fail(['publish', 'addresses'], `${protocol} clients have a login; leave it out`);
    }
    checkWholeLogin(publish, [...path, 'publish'], file);
  }
  if (play !== undefined) {
    checkWholeLogin(play, [...path, 'play'], file);
  }
}

function checkCertificate(acceptor: AcceptorConfig, path: KeyPath, file: string): void {
  const { protocol, certFile, keyFile } = acceptor;
  // Both left out: rtmps makes a certificate of its own, rtsp is without TLS.
  if (certFile === undefined && keyFile === undefined) return;
  const given = certFile === undefined ? 'keyFile' : 'certFile';
  if (!ABILITIES[protocol].tls) {
    failAt(file, [...path, given], 'only rtmps and rtsp have a certificate; leave it out');
  }
  checkCertificatePair(acceptor, path, file);
}

function checkUdp(acceptor: AcceptorConfig, path: KeyPath, file: string): void {
  const { protocol, listen, publish } = acceptor;
  if (protocol !== 'mpegts-udp') {
    if (acceptor.interface === undefined) return;
    failAt(file, [...path, 'interface'], 'only mpegts-udp joins groups; leave it out');
  }
  const { host = '', port } = parseHostPort(listen) ?? {};
  if (port === 0) failAt(file, [...path, 'listen'], 'expected a port from 1 to 65535, got 0');
  if (acceptor.interface !== undefined && !isMulticastAddress(host)) {
    failAt(file, [...path, 'interface'], 'only a group is joined on an interface; leave it out');
  }
  const [first, second] = publish?.addresses ?? [];
  if (first === undefined) return;
  if (second !== undefined || first !== parseAddressRange(first)?.address) {
    failAt(file, [...path, 'publish', 'addresses'], 'expected one address of a sender over UDP');
  }
}

interface Port extends HostPort {
  readonly path: KeyPath;
  readonly isUdp: boolean;
}

function checkPorts(config: Config, file: string): void {
  const ports: Port[] = [];
  const add = (path: KeyPath, address: HostPort | undefined, isUdp: boolean) => {
    if (address === undefined || address.port === 0) return;
    const port = { ...address, path, isUdp };
    const other = ports.find((one) => clash(one, port));
    if (other !== undefined) {
      failAt(file, path, `${formatPath(other.path)} listens on port ${port.port} already`);
    }
    ports.push(port);
  };
  add(['http', 'listen'], parseHostPort(config.http.listen), false);
  if (config.mqtt.url === undefined) {
    add(['mqtt', 'embedded', 'listen'], parseHostPort(config.mqtt.embedded.listen), false);
  }
  // Two streams from one port may be of two senders; only acceptors are checked against them.
  for (const [name, { source }] of Object.entries(config.streams)) {
    const address = udpAddress(source);
    if (address !== undefined) {
      ports.push({ ...address, path: ['streams', name, 'source'], isUdp: true });
    }
  }
  for (const [index, { protocol, listen }] of config.acceptors.entries()) {
    add(['acceptors', index, 'listen'], parseHostPort(listen), protocol === 'mpegts-udp');
  }
}

function udpAddress(source: string): HostPort | undefined {
  if (!['udp:', 'rtp:'].includes(schemeOf(source))) return undefined;
  const { host = '0.0.0.0', port } = parseMpegtsUrl(source);
  return { host, port };
}

/** A port of all addresses is the port of each, but for groups, which have their own. */
function clash(a: Port, b: Port): boolean {
  if (a.isUdp !== b.isUdp || a.port !== b.port) return false;
  if (a.host === b.host) return true;
  const isGroup = isMulticastAddress(a.host) || isMulticastAddress(b.host);
  return !isGroup && (isAny(a.host) || isAny(b.host));
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** What is published to oneself goes in circles. */
function checkTargets(config: Config, file: string): void {
  for (const [index, { targetUri }] of config.proxypublish.targets.entries()) {
    const { host, port } = parseTargetUri(targetUri);
    const own = config.acceptors.findIndex(({ protocol, listen }) => {
      const address = parseHostPort(listen);
      if (!protocol.startsWith('rtmp') || address?.port !== port) return false;
      return (
        address.host === host ||
        (isLoopback(host) && (isAny(address.host) || isLoopback(address.host)))
      );
    });
    if (own < 0) continue;
    const words = `this is acceptors[${own}] of this service itself: a stream would go in circles`;
    failAt(file, ['proxypublish', 'targets', index, 'targetUri'], words);
  }
}
