/** What one key alone cannot tell: keys that exclude or need one another. */
import { checkAcceptors } from './acceptor-checks.ts';
import { checkCertificatePair } from './certificate-check.ts';
import { failAt, type KeyPath } from './config-error.ts';
import { isMap } from './describe-issue.ts';
import { checkLogin, checkWholeLogin, hasLogin } from './login-check.ts';
import type { Config, HttpConfig, MqttConfig } from './schema.ts';
import { checkHead, checkSerial } from './serial-checks.ts';
import { isExtensionSource, schemeOf } from './urls.ts';

/** `tree` is what the file says, without defaults. */
export function checkBetweenKeys(config: Config, tree: unknown, file: string): void {
  for (const [name, stream] of Object.entries(config.streams)) {
    checkLogin(stream, ['streams', name], file);
    const { source, snapshot, ptz } = stream;
    if (ptz !== undefined) checkHead(ptz, config.serial, ['streams', name, 'ptz'], file);
    const withTls = snapshot !== undefined && schemeOf(snapshot) === 'https:' ? snapshot : source;
    checkTrust(stream, withTls, SOURCES_WITH_TLS, ['streams', name], file);
    if (isExtensionSource(stream.source) && config.extensions.length === 0) {
      const words = `${schemeOf(stream.source)}// is of an extension, and extensions has none`;
      failAt(file, ['streams', name, 'source'], words);
    }
  }
  for (const [index, entry] of config.discovery.credentials.entries()) {
    checkLogin(entry, ['discovery', 'credentials', index], file);
  }
  for (const [index, target] of config.proxypublish.targets.entries()) {
    const path = ['proxypublish', 'targets', index];
    checkTrust(target, target.targetUri, TARGETS_WITH_TLS, path, file);
    if (target.streamKey !== undefined && target.streamKeyFile !== undefined) {
      failAt(file, [...path, 'streamKey'], 'expected streamKey or streamKeyFile, got both');
    }
  }
  checkSerial(config.serial, file);
  checkAcceptors(config, file);
  checkHttp(config.http, file);
  checkLogin(config.mqtt, ['mqtt'], file);
  checkMqtt(config.mqtt, tree, file);
}

function checkHttp(http: HttpConfig, file: string): void {
  const { admin, play } = http;
  checkCertificatePair(http, ['http'], file);
  if (admin !== undefined) checkWholeLogin(admin, ['http', 'admin'], file);
  checkTokens(http.tokens, file);
  if (typeof play === 'object') {
    if (!hasLogin(play)) failAt(file, ['http', 'play'], 'expected a login, or open: everybody may');
    checkWholeLogin(play, ['http', 'play'], file);
  }
}

function checkTokens(tokens: HttpConfig['tokens'], file: string): void {
  const names = new Set<string>();
  for (const [index, { name, token, tokenFile }] of tokens.entries()) {
    const path = ['http', 'tokens', index];
    if (names.has(name)) failAt(file, [...path, 'name'], `there are two tokens called ${name}`);
    names.add(name);
    if ((token === undefined) === (tokenFile === undefined)) {
      const got = token === undefined ? 'neither' : 'both';
      failAt(file, [...path, 'token'], `expected token or tokenFile, got ${got}`);
    }
  }
}

interface Trust {
  readonly caFile?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly insecure: boolean;
}

interface WithTls {
  readonly schemes: readonly string[];
  readonly words: string;
}

/** A camera with ONVIF may name an rtsps:// URL. */
const SOURCES_WITH_TLS: WithTls = {
  schemes: ['rtsps:', 'rtmps:', 'rtmpts:', 'https:', 'onvif:'],
  words: 'only rtsps://, rtmps://, rtmpts://, https:// and onvif:// sources',
};
const TARGETS_WITH_TLS: WithTls = {
  schemes: ['rtmps:', 'rtmpts:'],
  words: 'only rtmps:// and rtmpts:// targets',
};

const BROKERS_WITH_TLS: WithTls = {
  schemes: ['mqtts:', 'wss:'],
  words: 'only mqtts:// and wss:// brokers',
};
const NEEDS_BROKER = [
  'username',
  'password',
  'passwordFile',
  'caFile',
  'fingerprint',
  'certFile',
  'keyFile',
] as const;

/** Three ways to trust a certificate; only one can hold. */
function checkTrust(
  trust: Trust,
  url: string,
  { schemes, words }: WithTls,
  path: KeyPath,
  file: string,
): void {
  const given = (['caFile', 'fingerprint', 'insecure'] as const).filter(
    (key) => trust[key] !== undefined && trust[key] !== false,
  );
  const [first, second] = given;
  if (first === undefined) return;
  if (second !== undefined) {
    failAt(file, [...path, second], `expected one of ${given.join(' and ')}, got both`);
  }
  if (!schemes.includes(schemeOf(url))) {
    failAt(file, [...path, first], `${words} have a certificate; leave it out`);
  }
}

function checkMqtt(mqtt: MqttConfig, tree: unknown, file: string): void {
  if (mqtt.url === undefined) {
    const useless = NEEDS_BROKER.find((key) => mqtt[key] !== undefined);
    if (useless === undefined) return;
    failAt(file, ['mqtt', useless], 'has no effect without mqtt.url: set it, or leave this out');
  }
  const written = isMap(tree) ? tree['mqtt'] : undefined;
  if (isMap(written) && written['embedded'] !== undefined) {
    failAt(file, ['mqtt', 'embedded'], 'has no effect beside mqtt.url: leave one of them out');
  }
  checkTrust({ ...mqtt, insecure: false }, mqtt.url, BROKERS_WITH_TLS, ['mqtt'], file);
  checkCertificatePair(mqtt, ['mqtt'], file);
  if (mqtt.certFile !== undefined && !BROKERS_WITH_TLS.schemes.includes(schemeOf(mqtt.url))) {
    failAt(file, ['mqtt', 'certFile'], `${BROKERS_WITH_TLS.words} ask for one; leave it out`);
  }
}
