// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts that must not ask for the environment
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { importCrtmpserver } from '../../../../gateway/config/crtmpserver/import-crtmpserver.ts';
import { parseConfig } from '../../../../gateway/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-import-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(
  join(folder, 'users.lua'),
  'users = { cam = "pa${ss}1", other = "pass-2" }\nrealms = { { name = "r", users = { "other", "cam" } } }',
);
writeFileSync(join(folder, 'nobody.lua'), 'users = {}');
writeFileSync(join(folder, 'server.crt'), '');
writeFileSync(join(folder, 'server.key'), '');

function run(source: string) {
  const imported = importCrtmpserver(Buffer.from(source), 'crtmpserver.lua', folder);
  return {
    ...imported,
    config: parseConfig(imported.yaml, { file: 'sluice.yaml', folder, env: {} }),
    comments: imported.yaml.split('\n').flatMap((line) => /^ *# (.*)$/.exec(line)?.[1] ?? []),
  };
}

/** One application, with these keys. */
function runApplication(keys: string, name = 'proxypublish') {
  return run(`configuration = { applications = { { name = "${name}", ${keys} } } }`);
}

function runTarget(keys: string) {
  const { config, comments } = runApplication(`targetServers = { {\n ${keys} } }`);
  return { target: config.proxypublish.targets[0], comments };
}

function runSource(keys: string) {
  const { config, comments } = runApplication(`externalStreams = { {\n ${keys} } }`);
  return { streams: config.streams, comments };
}

function runAcceptor(keys: string, others = '') {
  const { config, comments } = runApplication(`acceptors = { {\n ${keys} } }, ${others}`);
  return { acceptor: config.acceptors[0], comments };
}

const ISSUE = `configuration = { applications = { rootDirectory = "applications", {
  name = "proxypublish", description = "Application for forwarding streams to another RTMP server",
  protocol = "dynamiclinklibrary",
  acceptors = { { ip = "0.0.0.0", port = 6665, protocol = "inboundRtmp" } },
  abortOnConnectError = true,
  targetServers = { { targetUri = "rtmp://192.168.1.115/live", targetStreamType = "live", localStreamName = "proxytest", keepAlive = true } },
} } }
`;

describe('the configuration of the issue', () => {
  it('imports whole', () => {
    const { yaml, taken, leftOut } = run(ISSUE);
    assert.deepEqual([taken, leftOut], [2, 0]);
    assert.equal(
      yaml.split('\n').slice(2).join('\n'),
      `# crtmpserver looked for no cameras; without these two keys Sluice does
discovery:
  onvif: false
  mdns: false

acceptors:
  # line 4 (proxypublish)
  - protocol: rtmp
    listen: 0.0.0.0:6665
    apps: [ "*" ]

proxypublish:
  # line 5: this did nothing in crtmpserver; here the service ends (exit code 1) when a target refuses at start
  abortOnConnectError: true
  targets:
    # line 6 (proxypublish)
    - targetUri: rtmp://192.168.1.115/live
      localStreamName: proxytest
      targetStreamType: live
      keepAlive: true
`,
    );
  });
});

describe('targets', () => {
  it('take over every key that is known', () => {
    const { target } = runTarget(
      'targetUri="rtmp://u:p@h/a", localStreamName="s", targetStreamName="t", targetStreamType="append", keepAlive=true, emulateUserAgent="FMLE", swfUrl="http://s", pageUrl="http://p", tcUrl="rtmp://x/a"',
    );
    const { videoCodecMode, audio, insecure, ...rest } = target ?? {};
    assert.deepEqual(rest, {
      targetUri: 'rtmp://u:p@h/a',
      localStreamName: 's',
      targetStreamName: 't',
      targetStreamType: 'append',
      keepAlive: true,
      emulateUserAgent: 'FMLE',
      swfUrl: 'http://s',
      pageUrl: 'http://p',
      tcUrl: 'rtmp://x/a',
    });
  });

  it('without localStreamName: every stream, and it is said', () => {
    const { target, comments } = runTarget('targetUri="rtmp://h/a", keepAlive=true');
    assert.equal(target?.localStreamName, '*');
    assert.ok(
      comments.includes(
        'line 1: without localStreamName, crtmpserver published nothing here; Sluice publishes every stream',
      ),
    );
  });

  it('without keepAlive: false, and it is said', () => {
    const { target, comments } = runTarget('targetUri="rtmp://h/a", localStreamName="s"');
    assert.equal(target?.keepAlive, false);
    assert.ok(comments.some((line) => line.startsWith('line 1: keepAlive left out is false')));
  });

  it('a name that is no name here keeps its form at the target', () => {
    const { target, comments } = runTarget(
      'targetUri="rtmp://h/a", localStreamName="Front_Door*", keepAlive=true',
    );
    assert.equal(target?.localStreamName, 'front-door');
    assert.equal(target?.targetStreamName, 'Front_Door*');
    assert.ok(
      comments.includes(
        'line 2: "Front_Door*" is called front-door here, and as before at the target',
      ),
    );
  });

  it('an unknown type was live', () => {
    const { target, comments } = runTarget('targetUri="rtmp://h/a", targetStreamType="vod"');
    assert.equal(target?.targetStreamType, 'live');
    assert.ok(comments.includes('line 2: targetStreamType "vod" is live, as it was'));
  });

  it('that cannot stand are comments', () => {
    const { target, comments } = runTarget('targetUri="mms://h/a", localStreamName="s"');
    assert.equal(target, undefined);
    assert.ok(
      comments.some((line) => line.startsWith('left out: proxypublish.targets[0].targetUri: ')),
    );
    assert.ok(comments.includes('- targetUri: mms://h/a'));
  });

  it('of the oldest form are told', () => {
    const { target, comments } = runTarget('ip="10.0.0.1", appName="a"');
    assert.equal(target, undefined);
    assert.ok(comments.includes('left out: there is no targetUri'));
    assert.ok(comments.includes('line 2: appName: no counterpart here'));
  });

  it('abortOnConnectError=false needs no words', () => {
    const { config, yaml } = runApplication('abortOnConnectError=false');
    assert.equal(config.proxypublish.abortOnConnectError, false);
    assert.doesNotMatch(yaml, /abortOnConnectError/);
  });

  it('a dollar and a brace are text', () => {
    const { target } = runTarget('targetUri="rtmp://u:a${b}c@h/a", localStreamName="s"');
    assert.equal(target?.targetUri, 'rtmp://u:a${b}c@h/a');
  });
});

describe('external streams', () => {
  it('take over uri, name and transport', () => {
    const { streams } = runSource(
      'uri="rtsp://u:p@10.0.0.1/s", localStreamName="PoolSide", forceTcp=true, keepAlive=true',
    );
    assert.deepEqual(Object.keys(streams), ['poolside']);
    assert.equal(streams['poolside']?.source, 'rtsp://u:p@10.0.0.1/s');
    assert.equal(streams['poolside']?.transport, 'tcp');
  });

  it('through HTTP', () => {
    const { streams } = runSource(
      'uri="rtsp://10.0.0.1/s", localStreamName="a", httpProxy="self", keepAlive=true',
    );
    assert.equal(streams['a']?.transport, 'http');
  });

  it('what is different is said', () => {
    const { streams, comments } = runSource(
      'uri="rtsp://10.0.0.1/s", localStreamName="a", rtcpDetectionInterval=10, tcUrl="x"',
    );
    assert.equal(streams['a']?.transport, 'auto');
    assert.deepEqual(comments.slice(3), [
      'line 1: without forceTcp, crtmpserver took UDP only; here TCP is tried first, then UDP (transport: udp for UDP only)',
      'line 1: without keepAlive, it was pulled once; here it is pulled for ever',
      'line 2: rtcpDetectionInterval: media is passed on at once here, and clocks are set right when reports come',
      'line 2: tcUrl: made from the source’s URL here',
    ]);
  });

  it('of the same name: the first stays', () => {
    const { config, comments } = runApplication(
      'externalStreams = { { uri="rtmp://h/a/1", localStreamName="a" }, { uri="rtmp://h/a/2", localStreamName="A" } }',
    );
    assert.equal(config.streams['a']?.source, 'rtmp://h/a/1');
    assert.ok(comments.includes('left out: there is another stream called a'));
  });

  it('without a name, or with one that only running could tell, are comments', () => {
    const { streams, comments } = runSource('uri="rtmp://h/a/1", localStreamName=name()');
    assert.deepEqual(streams, {});
    assert.ok(
      comments.includes(
        'line 2: localStreamName: expected a text, got a call of a function (nothing is run)',
      ),
    );
  });
});

describe('acceptors', () => {
  const protocols = [
    ['inboundRtmp', 'rtmp'],
    ['inboundRtmpt', 'rtmpt'],
    ['inboundLiveFlv', 'liveflv'],
    ['inboundTcpTs', 'mpegts-tcp'],
    ['inboundUdpTs', 'mpegts-udp'],
    ['inboundRtsp', 'rtsp'],
  ];
  for (const [ancestor, protocol] of protocols) {
    it(`${ancestor} is ${protocol}`, () => {
      const { acceptor } = runAcceptor(`ip="0.0.0.0", port=5000, protocol="${ancestor}"`);
      assert.equal(acceptor?.protocol, protocol);
      assert.equal(acceptor?.listen, '0.0.0.0:5000');
    });
  }

  it('inboundRtmps with its files, which are beside the configuration', () => {
    const { acceptor } = runAcceptor(
      'ip="0.0.0.0", port=443, protocol="inboundRtmps", sslKey="server.key", sslCert="./server.crt"',
    );
    assert.equal(acceptor?.keyFile, join(folder, 'server.key'));
    assert.equal(acceptor?.certFile, join(folder, 'server.crt'));
  });

  it('a file that is not there is told', () => {
    const { acceptor, comments } = runAcceptor(
      'ip="0.0.0.0", port=443, protocol="inboundRtmps", sslKey="server.key", sslCert="gone.crt"',
    );
    assert.equal(acceptor?.certFile, join(folder, 'gone.crt'));
    assert.ok(
      comments.includes(
        'line 2: there is no file gone.crt beside the configuration: give its place',
      ),
    );
  });

  it('names', () => {
    const { acceptor, comments } = runAcceptor(
      'ip="0.0.0.0", port=1, protocol="inboundTcpTs", localStreamName="TS 1"',
    );
    assert.equal(acceptor?.localStreamName, 'ts-1');
    assert.ok(comments.includes('line 2: "TS 1" is called ts-1 here'));
  });

  it('what others serve is told', () => {
    for (const protocol of [
      'inboundJsonCli',
      'inboundHttpXmlVariant',
      'echoProtocol',
      'inboundDns',
    ]) {
      const { acceptor, comments } = runAcceptor(`ip="0.0.0.0", port=1112, protocol="${protocol}"`);
      assert.equal(acceptor, undefined);
      assert.ok(
        comments.some((line) =>
          line.startsWith(`line 1 (proxypublish): ${protocol} on 0.0.0.0:1112: `),
        ),
      );
    }
  });

  it('a port that is none is a comment', () => {
    const { acceptor, comments } = runAcceptor('ip="0.0.0.0", port=99999, protocol="inboundRtmp"');
    assert.equal(acceptor, undefined);
    assert.ok(comments.some((line) => line.startsWith('left out: acceptors[0].listen: ')));
  });

  it('of the default application are for the applications by name', () => {
    const { config } = run(`configuration = { applications = {
      { name="appselector", default=true, acceptors={ { ip="0.0.0.0", port=1935, protocol="inboundRtmp" } } },
      { name="flvplayback", aliases={ "vod", "live" } } } }`);
    assert.deepEqual(config.acceptors[0]?.apps, ['appselector', 'flvplayback', 'vod', 'live']);
  });

  it('on the ports of our own page and broker make those go elsewhere', () => {
    const { config } = runApplication(
      'acceptors = { { ip="0.0.0.0", port=8080, protocol="inboundRtmpt" }, { ip="0.0.0.0", port=8081, protocol="inboundRtmp" }, { ip="0.0.0.0", port=1883, protocol="inboundTcpTs" } }',
    );
    assert.equal(config.http.listen, '127.0.0.1:8082');
    assert.equal(config.mqtt.embedded.listen, '127.0.0.1:1884');
  });
});

describe('logins', () => {
  const rtmp =
    'authentication={ rtmp={ type="adobe", encoderAgents={"FMLE"}, usersFile="users.lua" } }';

  it('publishing by RTMP, for the first of the users', () => {
    const { acceptor, comments } = runAcceptor('port=1935, protocol="inboundRtmp"', rtmp);
    assert.deepEqual(acceptor?.publish, { username: 'cam', password: 'pa${ss}1' });
    assert.equal(acceptor?.play, undefined);
    assert.ok(comments.includes('users.lua: an acceptor has one login here: left out other'));
    assert.ok(comments.some((line) => line.startsWith('line 2: encoderAgents: ')));
  });

  it('RTSP, both ways, for the first user of the first realm', () => {
    const { acceptor } = runAcceptor(
      'port=554, protocol="inboundRtsp"',
      'authentication={ rtsp={ usersFile="users.lua" } }',
    );
    assert.deepEqual(acceptor?.publish, { username: 'other', password: 'pass-2' });
    assert.deepEqual(acceptor?.play, acceptor?.publish);
  });

  it('of another application hold where the default application takes the connection', () => {
    const { config, comments } = run(`configuration = { applications = {
      { name="appselector", default=true, acceptors={ { ip="0.0.0.0", port=1935, protocol="inboundRtmp" } } },
      { name="flvplayback", ${rtmp} } } }`);
    assert.equal(config.acceptors[0]?.publish?.username, 'cam');
    assert.ok(comments.some((line) => line.startsWith('the login of the application flvplayback')));
  });

  for (const file of ['gone.lua', 'nobody.lua', 'server.key']) {
    it(`that cannot be known leave the acceptor closed: ${file}`, () => {
      const { acceptor, comments } = runAcceptor(
        'port=1935, protocol="inboundRtmp"',
        `authentication={ rtmp={ usersFile="${file}" } }`,
      );
      assert.equal(acceptor, undefined);
      assert.ok(
        comments.some((line) =>
          line.startsWith('left out, so that nobody publishes without a login'),
        ),
      );
    });
  }
});

describe('the rest', () => {
  it('the most talkative log level', () => {
    const { config } = run(
      'configuration = { logAppenders = { { type="console", level=2 }, { type="file", level=4, fileLength=1024*1024 } } }',
    );
    assert.equal(config.log.level, 'debug');
  });

  it('everything without a counterpart is told with its line', () => {
    const { comments } = run(`configuration = { daemon=true,
      instancesCount=-1,
      strange={ 1 },
      applications = { {
        name="a", library="/x/liba.so",
        seekGranularity=0.2,
        validateHandshake=true } } }
      os.exit()`);
    assert.deepEqual(comments.slice(2), [
      'Not taken over:',
      'line 8: a call of a function: nothing is run',
      'daemon: Sluice stays in the foreground; systemd and the like keep it',
      'line 4 (a): validateHandshake: clients with a plain handshake are taken too here',
      'line 5 (a): library: programs made for crtmpserver cannot be loaded; see extensions',
      'line 6 (a): seekGranularity: seeking goes to keyframes here',
      'line 2: instancesCount: one process serves all',
      'line 3: strange: no counterpart here',
    ]);
  });

  it('media folders: the first to play from, the one for recordings; the others are told', () => {
    const { config, comments } = run(`configuration = { applications = { { name="a",
      mediaStorage={ recordedStreamsStorage="r", one={ mediaFolder="/one", seekGranularity=0.1 },
        r={ mediaFolder="./rec" },
        { mediaFolder="/three" },
        { description="none" } } },
      { name="b", mediaFolder="/four" } } }`);
    assert.equal(config.vod.dir, '/one');
    assert.equal(config.recording.dir, join(folder, 'rec'));
    assert.deepEqual(comments.slice(2, 5), ['line 3 (a)', 'line 2 (a)', 'Not taken over:']);
    assert.ok(comments.includes('line 5: a storage without mediaFolder'));
    assert.ok(
      comments.includes('line 4 (a): mediaFolder: files are in one folder here, and recordings'),
    );
    assert.ok(
      comments.includes('line 6 (b): mediaFolder: files are in one folder here, and recordings'),
    );
  });

  it('texts cannot end a comment', () => {
    const { config } = run('configuration = { ["x\\nhttp:\\n  listen: 1"] = 1 }');
    assert.equal(config.http.listen, '127.0.0.1:8080');
  });

  it('a file without a configuration', () => {
    for (const source of ['', 'x = 1', 'configuration = 1']) {
      assert.throws(() => run(source), {
        name: 'LuaError',
        message: 'there is no table "configuration"',
      });
    }
  });

  it('whatever the texts, the result is valid', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'rtmp://h/a',
        'rtsp://h/a',
        'a',
        'rtmp://u:${X}@h/a',
        '#',
        'a: b',
        '- x',
        '\n',
      ),
    );
    const lua = (value: string) =>
      `"${[...Buffer.from(value)].map((byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;
    fc.assert(
      fc.property(text, text, text, fc.integer(), (a, b, c, port) => {
        run(`configuration = { applications = { {
          name=${lua(a)},
          acceptors={ { ip=${lua(b)}, port=${port}, protocol="inboundTcpTs", localStreamName=${lua(c)} } },
          externalStreams={ { uri=${lua(a)}, localStreamName=${lua(b)}, [${lua(c)}]=1 } },
          targetServers={ { targetUri=${lua(a)}, localStreamName=${lua(b)}, targetStreamName=${lua(c)}, swfUrl=${lua(c)} } }
        } } }`);
      }),
      { numRuns: 50 },
    );
  });
});
