// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax under test
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError } from '../../../gateway/config/config-error.ts';
import { SecretMarks } from '../../../gateway/config/secret-marks.ts';
import { registerSecret, scrubbedJson } from '../../../gateway/secrets.ts';

const MARK = /^\*\*\*[0-9a-f]{10}$/;

/** A planted secret in every place that may hold one. */
const TREE = {
  streams: {
    door: { source: 'rtsp://viewer:planted-1@10.0.0.20/a?token=planted-2&x=1', username: 'viewer' },
    yard: {
      source: 'rtsp://10.0.0.21/user=admin_password=planted-3_channel=1',
      password: 'planted-4',
    },
  },
  discovery: {
    credentials: [
      { username: 'admin', password: 'planted-5' },
      { username: 'other', password: 'planted-6' },
      { username: 'env', password: '${CAM_PW}' },
    ],
  },
  acceptors: [
    { protocol: 'rtmp', publish: { token: 'planted-7' }, play: { tokenFile: 'token.txt' } },
  ],
  proxypublish: {
    targets: [
      { targetUri: 'rtmp://u:planted-8@master/live?key=planted-9', streamKey: 'planted-12' },
    ],
  },
  extensions: [
    {
      module: 'x.js',
      options: { apiKey: 'planted-10', pin: { secret: 4711 }, keyFile: 'k', size: 3 },
    },
  ],
  http: { admin: { username: 'admin', password: 'planted-11' } },
};

describe('marks in place of secrets', () => {
  const marks = new SecretMarks();
  const hidden = marks.hide(TREE) as typeof TREE;

  it('no secret is left, and what is none is as it was', () => {
    const text = JSON.stringify(hidden);
    assert.doesNotMatch(text, /planted|4711/);
    assert.match(hidden.streams.yard.password, MARK);
    assert.match(
      hidden.streams.door.source,
      /^rtsp:\/\/\*{3}\w{10}@10\.0\.0\.20\/a\?token=\*{3}\w{10}&x=1$/,
    );
    assert.equal(hidden.discovery.credentials[2]?.password, '${CAM_PW}');
    assert.equal(hidden.acceptors[0]?.play.tokenFile, 'token.txt');
    assert.equal(hidden.extensions[0]?.options.keyFile, 'k');
    assert.equal(hidden.extensions[0]?.options.size, 3);
  });

  it('what leaves the process leaves marks as they are', () => {
    // A PIN that is part of some mark by chance.
    for (const digit of '0123456789abcdef') registerSecret(`${digit}${digit}${digit}${digit}`);
    assert.deepEqual(JSON.parse(scrubbedJson(hidden)), hidden);
    assert.deepEqual(JSON.parse(scrubbedJson({ source: 'rtsp://viewer:${CAM_PW}@host/' })), {
      source: 'rtsp://viewer:${CAM_PW}@host/',
    });
  });

  it('sent back as they are, they are the secrets', () => {
    assert.deepEqual(marks.restore(hidden, TREE, 's.yaml'), TREE);
  });

  it('in a list that is in another order, and shorter', () => {
    const [, other, env] = hidden.discovery.credentials;
    const patch = { discovery: { credentials: [env, other] } };
    assert.deepEqual(marks.restore(patch, TREE, 's.yaml'), {
      discovery: { credentials: [TREE.discovery.credentials[2], TREE.discovery.credentials[1]] },
    });
  });

  it('within a URL whose host is another', () => {
    const source = hidden.streams.door.source.replace('10.0.0.20', '10.0.0.99');
    const restored = marks.restore({ streams: { door: { source } } }, TREE, 's.yaml');
    const want = TREE.streams.door.source.replace('10.0.0.20', '10.0.0.99');
    assert.deepEqual(restored, { streams: { door: { source: want } } });
  });

  it('a known secret within a URL’s login, and within a text that is none', () => {
    registerSecret('planted-12');
    const tree = {
      streams: { a: { source: 'rtsp://u:planted-12@h.example/', transport: 'planted-12' } },
    };
    const out = marks.hide(tree);
    assert.doesNotMatch(JSON.stringify(out), /planted/);
    assert.deepEqual(JSON.parse(scrubbedJson(out)), out);
    assert.deepEqual(marks.restore(out, tree, 's.yaml'), tree);
  });

  const door = hidden.streams.door.source;
  const refused: readonly (readonly [name: string, patch: unknown, path: string])[] = [
    [
      'a mark of nothing',
      { http: { admin: { password: '***0123456789' } } },
      'http.admin.password',
    ],
    ['three stars', { http: { admin: { password: '***' } } }, 'http.admin.password'],
    ['of another place', { mqtt: { password: hidden.streams.yard.password } }, 'mqtt.password'],
    ['of another stream', { streams: { other: { source: door } } }, 'streams.other.source'],
    [
      'of another process',
      { streams: new SecretMarks().hide(TREE.streams) },
      'streams.door.source',
    ],
  ];
  for (const [name, patch, path] of refused) {
    it(`refused: ${name}`, () => {
      assert.throws(
        () => marks.restore(patch, TREE, 's.yaml'),
        (error) => error instanceof ConfigError && error.message.startsWith(`s.yaml: ${path}: `),
      );
    });
  }
});
