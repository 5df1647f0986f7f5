// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax under test
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../../gateway/config/config-error.ts';
import { configHash, loadConfig, parseConfig } from '../../../gateway/config/load.ts';
import { scrub } from '../../../gateway/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-config-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'pw'), 'from-a-file-1\n');
writeFileSync(join(folder, 'empty'), '\n');
writeFileSync(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n');

function parse(source: string) {
  return parseConfig(source, { file: 's.yaml', folder, env: { CAM_PW: 'from-env-1', EMPTY: '' } });
}

const URL_WORDS =
  'expected a URL rtsp://, rtsps://, rtmp://, rtmps:// (rtmpe, rtmpt, rtmpts, rtmpte), http://, https://, udp://, rtp://, tcp://, sdp:///file or onvif://host';
const TARGET_WORDS =
  'expected a URL rtmp://host/app or rtmps://host/app (rtmpe, rtmpt, rtmpts, rtmpte)';
const TOP_KEYS =
  'gateway, log, discovery, streams, serial, acceptors, extensions, proxypublish, recording, vod, mqtt, http, limits';

/** What is written, and the one line that is answered. */
const bad: readonly (readonly [name: string, source: string, line: string])[] = [
  ['a list at the top', '- x', 's.yaml: expected a map of keys, got a list'],
  ['a text at the top', 'hello', 's.yaml: expected a map of keys, got "hello"'],
  ['an unknown section', 'a: 1', `s.yaml: a: no such key; known here: ${TOP_KEYS}`],
  [
    'a section of a later version',
    'schedule: []',
    `s.yaml: schedule: no such key; known here: ${TOP_KEYS}`,
  ],
  ['a section that is a number', 'gateway: 3', 's.yaml: gateway: expected a map of keys, got 3'],
  [
    'a letter too many',
    'discovery: {onviff: true}',
    's.yaml: discovery.onviff: no such key, did you mean onvif?',
  ],
  [
    'letters swapped, and the key it was meant for missing',
    'streams: {a: {suorce: "rtsp://x/"}}',
    's.yaml: streams.a.suorce: no such key, did you mean source?',
  ],
  [
    'the wrong case',
    'discovery: {intervalMS: 60000}',
    's.yaml: discovery.intervalMS: no such key, did you mean intervalMs?',
  ],
  [
    'an unknown key in a list',
    'proxypublish: {targets: [{targetUri: "rtmp://h/a", targetUrl: x}]}',
    's.yaml: proxypublish.targets[0].targetUrl: no such key, did you mean targetUri?',
  ],
  [
    'an unknown key where a word or a map may stand',
    'discovery: {profile: {maxHeigth: 3}}',
    's.yaml: discovery.profile.maxHeigth: no such key, did you mean maxHeight?',
  ],
  [
    'a bad value there',
    'discovery: {profile: {maxHeight: 0}}',
    's.yaml: discovery.profile.maxHeight: expected a whole number from 1 to 8640, got 0',
  ],
  [
    'a bad word there',
    'discovery: {profile: high}',
    's.yaml: discovery.profile: expected main, sub, or a map of maxHeight, maxKbps and codec, got "high"',
  ],
  [
    'a gateway id with capitals',
    'gateway: {id: Shop}',
    's.yaml: gateway.id: expected 1 to 48 lower-case letters, digits or hyphens, got "Shop"',
  ],
  [
    'a level that is none',
    'log: {level: loud}',
    's.yaml: log.level: expected one of fatal, error, warn, info, debug, trace, got "loud"',
  ],
  [
    'a word for a switch',
    'discovery: {onvif: "yes"}',
    's.yaml: discovery.onvif: expected true or false, got "yes"',
  ],
  [
    'too often',
    'discovery: {intervalMs: 10}',
    's.yaml: discovery.intervalMs: expected a whole number from 5000 to 86400000, got 10',
  ],
  [
    'half a millisecond',
    'limits: {stallMs: 8000.5}',
    's.yaml: limits.stallMs: expected a whole number from 1000 to 600000, got 8000.5',
  ],
  [
    'a name template with an unknown field',
    'discovery: {name: "{ip}"}',
    's.yaml: discovery.name: expected a template of {manufacturer}, {model}, {serial}, {mac}, {address}, got "{ip}"',
  ],
  [
    'a stream without source',
    'streams: {a: {}}',
    `s.yaml: streams.a.source: ${URL_WORDS}, got nothing`,
  ],
  [
    'a stream name with a space',
    'streams: {"Front Door": {source: "rtsp://x/"}}',
    's.yaml: streams: expected a stream name of 1 to 48 lower-case letters, digits or hyphens, got "Front Door"',
  ],
  [
    'streams as a list',
    'streams: [a]',
    's.yaml: streams: expected a map of stream names, got a list',
  ],
  [
    'a group without a port',
    'streams: {a: {source: "udp://@239.1.1.1"}}',
    's.yaml: streams.a.source: expected a URL udp://@group:port, udp://@:port or tcp://host:port, got "udp://@239.1.1.1"',
  ],
  [
    'a source by SRT',
    'streams: {a: {source: "srt://10.0.0.9:9000"}}',
    's.yaml: streams.a.source: expected another source than srt://, which this version does not take: let the encoder send the same MPEG-TS to udp://@:port, or put a relay before it that takes SRT, got "srt://10.0.0.9:9000"',
  ],
  [
    'a source by WebRTC',
    'streams: {a: {source: "webrtc://h/x"}}',
    's.yaml: streams.a.source: expected another source than webrtc://, which this version does not take: use the RTSP or RTMP URL of the same device, got "webrtc://h/x"',
  ],
  [
    'a source without scheme',
    'streams: {a: {source: "10.0.0.20"}}',
    `s.yaml: streams.a.source: ${URL_WORDS}, got "10.0.0.20"`,
  ],
  [
    'a source without host',
    'streams: {a: {source: "rtsp:///x"}}',
    `s.yaml: streams.a.source: ${URL_WORDS}, got "rtsp:///x"`,
  ],
  [
    'an RTMP source without a stream',
    'streams: {a: {source: "rtmp://h/app"}}',
    's.yaml: streams.a.source: expected a URL rtmp://server/application/stream-name, got "rtmp://h/app"',
  ],
  [
    'a bad source with a password pasted as it is',
    'streams: {a: {source: "rtsp://u:a@b:c#d/e?f@10.0.0.2:70000/x"}}',
    `s.yaml: streams.a.source: ${URL_WORDS}, got "rtsp://***@10.0.0.2:70000/x"`,
  ],
  [
    'a bad source with a password',
    'streams: {a: {source: "rtsp://u:tops3cret@h/x y"}}',
    `s.yaml: streams.a.source: ${URL_WORDS} without spaces, got "rtsp://***@h/x y"`,
  ],
  [
    'a target that is a camera',
    'proxypublish: {targets: [{targetUri: "rtsp://h/a"}]}',
    `s.yaml: proxypublish.targets[0].targetUri: ${TARGET_WORDS}, got "rtsp://h/a"`,
  ],
  [
    'a stream name template with an unknown field',
    'proxypublish: {targets: [{targetUri: "rtmp://h/a", targetStreamName: "{name}"}]}',
    's.yaml: proxypublish.targets[0].targetStreamName: expected a template of {gateway} and {stream}, got "{name}"',
  ],
  [
    'two ways to trust',
    'proxypublish: {targets: [{targetUri: "rtmps://h/a", caFile: ca.pem, insecure: true}]}',
    's.yaml: proxypublish.targets[0].insecure: expected one of caFile and insecure, got both',
  ],
  [
    'trust without TLS',
    'proxypublish: {targets: [{targetUri: "rtmp://h/a", insecure: true}]}',
    's.yaml: proxypublish.targets[0].insecure: only rtmps:// and rtmpts:// targets have a certificate; leave it out',
  ],
  [
    'two ways to trust a camera',
    `streams: {a: {source: "rtsps://h/a", fingerprint: "${'00'.repeat(32)}", insecure: true}}`,
    's.yaml: streams.a.insecure: expected one of fingerprint and insecure, got both',
  ],
  [
    'a certificate for a camera without TLS',
    'streams: {a: {source: "rtsp://h/a", insecure: true}}',
    's.yaml: streams.a.insecure: only rtsps://, rtmps://, rtmpts://, https:// and onvif:// sources have a certificate; leave it out',
  ],
  [
    'a camera’s authority that is none',
    'streams: {a: {source: "rtsps://h/a", caFile: pw}}',
    's.yaml: streams.a.caFile: the file pw holds no PEM certificate',
  ],
  [
    'a short fingerprint',
    'proxypublish: {targets: [{targetUri: "rtmps://h/a", fingerprint: "ab:cd"}]}',
    's.yaml: proxypublish.targets[0].fingerprint: expected a SHA-256 fingerprint of 64 hexadecimal digits, got "ab:cd"',
  ],
  [
    'a password that is a number',
    'streams: {a: {source: "rtsp://x/", username: u, password: 12345678}}',
    's.yaml: streams.a.password: expected a password, got something else',
  ],
  [
    'password and passwordFile',
    'streams: {a: {source: "rtsp://x/", username: u, password: pppp, passwordFile: pw}}',
    's.yaml: streams.a.passwordFile: expected password or passwordFile, got both',
  ],
  [
    'a password without a user',
    'streams: {a: {source: "rtsp://x/", password: pppp}}',
    's.yaml: streams.a.username: expected a user name beside the password, got nothing',
  ],
  [
    'a password file that is not there',
    'discovery: {credentials: [{username: u, passwordFile: nope}]}',
    `s.yaml: discovery.credentials[0].passwordFile: cannot read the file ${folder}/nope: there is none`,
  ],
  [
    'a password file that is empty',
    'mqtt: {url: "mqtt://h", username: u, passwordFile: empty}',
    's.yaml: mqtt.passwordFile: the file empty is empty',
  ],
  [
    'a password file that is a folder',
    'mqtt: {url: "mqtt://h", username: u, passwordFile: .}',
    `s.yaml: mqtt.passwordFile: cannot read the file ${folder}: it is a folder`,
  ],
  [
    'a CA that is none',
    'mqtt: {url: "mqtts://h", caFile: pw}',
    's.yaml: mqtt.caFile: the file pw holds no PEM certificate',
  ],
  [
    'a CA without TLS',
    'mqtt: {url: "mqtt://h", caFile: ca.pem}',
    's.yaml: mqtt.caFile: only mqtts:// and wss:// brokers have a certificate; leave it out',
  ],
  [
    'a login for no broker',
    'mqtt: {username: u}',
    's.yaml: mqtt.username: has no effect without mqtt.url: set it, or leave this out',
  ],
  [
    'a certificate of our own without its key',
    'mqtt: {url: "mqtts://h", certFile: ca.pem}',
    's.yaml: mqtt.keyFile: expected beside the other half of the pair, got nothing',
  ],
  [
    'a certificate of our own without TLS',
    'mqtt: {url: "ws://h", certFile: ca.pem, keyFile: k}',
    's.yaml: mqtt.certFile: only mqtts:// and wss:// brokers ask for one; leave it out',
  ],
  [
    'two ways to trust a broker',
    `mqtt: {url: "wss://h", caFile: ca.pem, fingerprint: "${'ab'.repeat(32)}"}`,
    's.yaml: mqtt.fingerprint: expected one of caFile and fingerprint, got both',
  ],
  [
    'a fingerprint for no broker',
    `mqtt: {fingerprint: "${'ab'.repeat(32)}"}`,
    's.yaml: mqtt.fingerprint: has no effect without mqtt.url: set it, or leave this out',
  ],
  [
    'snapshots without a pause',
    'mqtt: {snapshotIntervalMs: 10}',
    's.yaml: mqtt.snapshotIntervalMs: expected 0, or at least 1000, got 10',
  ],
  [
    'two brokers',
    'mqtt: {url: "mqtt://h", embedded: {listen: "127.0.0.1:1884"}}',
    's.yaml: mqtt.embedded: has no effect beside mqtt.url: leave one of them out',
  ],
  [
    'a broker that is a web page',
    'mqtt: {url: "http://h"}',
    's.yaml: mqtt.url: expected a URL mqtt://host, mqtts://host, ws://host/path or wss://host/path, got "http://h"',
  ],
  [
    'a base topic with a wildcard',
    'mqtt: {baseTopic: "a/#"}',
    's.yaml: mqtt.baseTopic: expected a topic without + # and $, got "a/#"',
  ],
  [
    'an open embedded broker',
    'mqtt: {embedded: {listen: "0.0.0.0:1883"}}',
    's.yaml: mqtt.embedded.listen: expected a loopback address such as 127.0.0.1:1883 (the embedded broker has no login; for others, set mqtt.url to a broker of your own), got "0.0.0.0:1883"',
  ],
  [
    'a snapshot over RTSP',
    'streams: {a: {source: "rtsp://h/1", snapshot: "rtsp://h/2"}}',
    's.yaml: streams.a.snapshot: expected a URL http://host/path or https://host/path, got "rtsp://h/2"',
  ],
  [
    'half a certificate for HTTP',
    'http: {keyFile: a.key}',
    's.yaml: http.certFile: expected beside the other half of the pair, got nothing',
  ],
  [
    'an administrator without a password',
    'http: {admin: {username: a}}',
    's.yaml: http.admin.password: expected a password beside the user name, got nothing',
  ],
  [
    'players without a login',
    'http: {play: {}}',
    's.yaml: http.play: expected a login, or open: everybody may',
  ],
  [
    'a token that can be guessed',
    'http: {tokens: [{name: a, token: short}]}',
    's.yaml: http.tokens[0].token: expected a token of at least 16 characters',
  ],
  [
    'a token of a file that can be guessed',
    'http: {tokens: [{name: a, tokenFile: pw}]}',
    's.yaml: http.tokens[0].tokenFile: expected a token of at least 16 characters',
  ],
  [
    'a token without its text',
    'http: {tokens: [{name: a}]}',
    's.yaml: http.tokens[0].token: expected token or tokenFile, got neither',
  ],
  [
    'two texts of one stream key',
    'proxypublish: {targets: [{targetUri: "rtmp://m/live", streamKey: k, streamKeyFile: f}]}',
    's.yaml: proxypublish.targets[0].streamKey: expected streamKey or streamKeyFile, got both',
  ],
  [
    'two texts of one token',
    'http: {tokens: [{name: a, token: 0123456789abcdef0, tokenFile: f}]}',
    's.yaml: http.tokens[0].token: expected token or tokenFile, got both',
  ],
  [
    'two tokens of one name',
    'http: {tokens: [{name: a, token: 0123456789abcdefg}, {name: a, token: 0123456789abcdefh}]}',
    's.yaml: http.tokens[1].name: there are two tokens called a',
  ],
  [
    'players by a word',
    'http: {play: closed}',
    's.yaml: http.play: expected open, or a user name and a password, or a token, got "closed"',
  ],
  [
    'an origin with a path',
    'http: {cors: ["https://a.example/"]}',
    's.yaml: http.cors[0]: expected an origin such as https://www.example.com, or *, got "https://a.example/"',
  ],
  [
    'HTTP on a number',
    'http: {listen: 8080}',
    's.yaml: http.listen: expected an address and a port such as 127.0.0.1:8080 or 0.0.0.0:8080, got 8080',
  ],
  [
    'a port too high',
    'http: {listen: "127.0.0.1:65536"}',
    's.yaml: http.listen: expected an address and a port such as 127.0.0.1:8080 or 0.0.0.0:8080, got "127.0.0.1:65536"',
  ],
  [
    'a variable that is not set',
    'streams: {a: {source: "rtsp://x/${NOPE}"}}',
    's.yaml: streams.a.source: the environment variable NOPE is not set',
  ],
  [
    'a variable with a bad name',
    'gateway: {id: "${A-B}"}',
    's.yaml: gateway.id: expected the name of an environment variable in braces after the $',
  ],
  [
    'a variable left open',
    'gateway: {id: "${CAM_PW"}',
    's.yaml: gateway.id: expected the name of an environment variable in braces after the $',
  ],
  [
    'an empty variable',
    'gateway: {dataDir: "${EMPTY}"}',
    's.yaml: gateway.dataDir: expected the path of a folder, got ""',
  ],
  [
    'YAML that is none',
    'gateway:\n  id: a: b',
    's.yaml:2:7: not valid YAML: Nested mappings are not allowed in compact mappings',
  ],
  ['a key twice', 'http: {}\nhttp: {}', 's.yaml:2:1: not valid YAML: Map keys must be unique'],
  [
    'an alias to nothing',
    'gateway: *x',
    's.yaml: not valid YAML: Unresolved alias (the anchor must be set before the alias): x',
  ],
  ['an alias to itself', '&a [*a]', 's.yaml: [0][0][0]: nested too deep'],
];

describe('parseConfig', () => {
  for (const [name, source, line] of bad) {
    it(`${name}: one line`, () => {
      assert.throws(() => parse(source), new ConfigError(line));
    });
  }

  it('an empty file, or sections with nothing in them, are all defaults', () => {
    const { gateway, discovery, streams, proxypublish, mqtt, http } = parse('');
    assert.equal(gateway.id, undefined);
    assert.equal(discovery.profile, 'main');
    assert.deepEqual(streams, {});
    assert.deepEqual(proxypublish, { abortOnConnectError: false, targets: [] });
    assert.equal(mqtt.embedded.listen, '127.0.0.1:1883');
    assert.equal(http.listen, '127.0.0.1:8080');
    assert.deepEqual(parse('streams:\nhttp:\n# listen: x\n'), parse(''));
  });

  it('reads secrets from the environment and from files, and masks them from then on', () => {
    const config = parse(`
      streams:
        a: { source: "rtsp://x/", username: u, password: "\${CAM_PW}" }
        b: { source: "rtsp://x/", username: u, passwordFile: pw }
      proxypublish: { targets: [ { targetUri: "rtmp://me:url-pass-1@h/a?token=tok-12345" } ] }
    `);
    assert.equal(config.streams['a']?.password, 'from-env-1');
    assert.equal(config.streams['b']?.password, 'from-a-file-1');
    assert.equal(config.streams['b']?.passwordFile, undefined);
    for (const secret of ['from-env-1', 'from-a-file-1', 'url-pass-1', 'tok-12345']) {
      assert.equal(scrub(`<${secret}>`), '<***>');
    }
  });

  it('takes passwords pasted into URLs as they are (mediamtx#2069, go2rtc#602, #1032, frigate#4974)', () => {
    const login = 'viewer:a@b:c#d/e?f!^,[';
    const place = '10.0.0.2:8554/cam';
    for (const scheme of ['rtsp', 'rtsps', 'rtmp', 'rtmps', 'http', 'https', 'onvif']) {
      const source = `${scheme}://${login}@${place}/x?y=1`;
      const config = parse(`streams: {a: {source: ${JSON.stringify(source)}}}`);
      assert.equal(config.streams['a']?.source, source);
      assert.equal(scrub(`no ${source}`), `no ${scheme}://***@${place}/x?y=1`);
    }
    const targetUri = `rtmp://${login}@${place}`;
    const { targets } = parse(
      `proxypublish: {targets: [{targetUri: "${targetUri}"}]}`,
    ).proxypublish;
    assert.equal(targets[0]?.targetUri, targetUri);
  });

  it('a doubled dollar is one', () => {
    assert.match(
      parse('gateway: {dataDir: "/x/$${CAM_PW}"}').gateway.dataDir,
      /^\/x\/\$\{CAM_PW\}$/,
    );
  });

  it('paths are relative to the file', () => {
    const config = parse('gateway: {dataDir: d}\nmqtt: {url: "mqtts://h", caFile: ca.pem}');
    assert.equal(config.gateway.dataDir, join(folder, 'd'));
    assert.equal(config.mqtt.caFile, join(folder, 'ca.pem'));
  });

  it('the result is frozen all the way down', () => {
    const config = parse('proxypublish: {targets: [{targetUri: "rtmp://h/a"}]}');
    assert.throws(() => Object.assign(config.proxypublish.targets[0]!, { keepAlive: false }));
    assert.throws(() => Object.assign(config.streams, { x: 1 }));
  });

  it('any text gives a configuration or a ConfigError of one line', () => {
    const yamlish = fc.string({
      unit: fc.constantFrom(...'{}[]:,-&*!|>#%@`"\'$\\ \n\tab01~?', 'streams', 'mqtt', ': ', '${'),
    });
    fc.assert(
      fc.property(fc.oneof(yamlish, fc.string()), (source) => {
        try {
          parse(source);
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
          assert.doesNotMatch(error.message, /\n/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('deep nesting is refused, not a crash', () => {
    assert.throws(() => parse('['.repeat(100_000)), ConfigError);
    assert.throws(() => parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`), ConfigError);
  });
});

describe('loadConfig', () => {
  it('without a file: all defaults, dataDir where we run or as given', () => {
    assert.equal(loadConfig(undefined).gateway.dataDir, join(process.cwd(), 'data'));
    assert.equal(loadConfig(undefined, { dataDir: '/var/lib/x' }).gateway.dataDir, '/var/lib/x');
  });

  it('a file that is not there', () => {
    assert.throws(
      () => loadConfig('/nowhere/s.yaml'),
      new ConfigError('/nowhere/s.yaml: cannot read the file /nowhere/s.yaml: there is none'),
    );
  });

  it('a file that is no configuration at all', () => {
    const file = join(folder, 'movie.mp4');
    writeFileSync(file, Buffer.alloc(1024 * 1024 + 1));
    assert.throws(
      () => loadConfig(file),
      new ConfigError(`${file}: the file ${file} is over 1048576 bytes`),
    );
    assert.throws(
      () => loadConfig('/dev/zero'),
      new ConfigError('/dev/zero: the file /dev/zero is over 1048576 bytes'),
    );
  });
});

describe('configHash', () => {
  it('changes with the configuration and not with its passwords', () => {
    const of = (password: string, user = 'u') =>
      configHash(
        parse(`streams: {a: {source: "rtsp://x/", username: ${user}, password: ${password}}}`),
      );
    assert.match(of('aaaaaa'), /^[0-9a-f]{12}$/);
    assert.equal(of('aaaaaa'), of('bbbbbb'));
    assert.notEqual(of('aaaaaa'), of('aaaaaa', 'v'));
  });
});
