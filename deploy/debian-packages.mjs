/** The programs of others that the end-to-end tests start, as Debian and Ubuntu name their packages. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { PlainError } from './prepare.mjs';

const PACKAGES = [
  // The player, and the encoder of test streams.
  'ffmpeg',
  // Pushes bytes as they are; the player of the ancestor's days.
  'socat',
  'rtmpdump',
  // The camera: GStreamer's RTSP server, driven from Python.
  'gir1.2-gst-rtsp-server-1.0',
  'gstreamer1.0-libav',
  'gstreamer1.0-plugins-bad',
  'gstreamer1.0-plugins-base',
  'gstreamer1.0-plugins-good',
  'gstreamer1.0-plugins-ugly',
  'gstreamer1.0-rtsp',
  'python3-gi',
  // The master: nginx with its RTMP module.
  'libnginx-mod-rtmp',
  'nginx-light',
  // Who reads /metrics: only its promtool is started.
  'prometheus',
  // The broker.
  'mosquitto',
  'mosquitto-clients',
  // What Home Assistant's templates are written in.
  'python3-jinja2',
  // mDNS: Avahi, and what the optional `mdns` package compiles against.
  'avahi-daemon',
  'g++',
  'make',
  'python3',
  'dbus',
  'libavahi-compat-libdnssd-dev',
  // The native addon for other machines: 81 MB, a quarter of a minute.
  'gcc-aarch64-linux-gnu',
  'gcc-arm-linux-gnueabihf',
  'libc6-dev-arm64-cross',
  'libc6-dev-armhf-cross',
  // What the demo prints is for it.
  'curl',
  // The viewer in a browser.
  'chromium',
  // Its Chinese: without a font that page is boxes in the screenshots.
  'fonts-wqy-microhei',
  // Certificates; network namespaces, and what loses packets in them.
  'iproute2',
  'iptables',
  'openssl',
];

/** Tells dpkg's maintainer scripts not to start the daemons they install (Debian Policy §9.3.3.2). */
const POLICY = '/usr/sbin/policy-rc.d';

export function ensureDebianPackages() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  if (process.getuid?.() !== 0) {
    throw new PlainError(
      `The end-to-end tests need programs that are not installed. Run this once, then again:\n\n  sudo apt-get ${install.join(' ')}\n`,
    );
  }
  console.log(`installing Debian packages: ${missing.join(' ')}`);
  withoutStartingDaemons(() => {
    // Third-party sources may be unreachable; whether that matters, the next command tells.
    aptGet(['update', '-q']);
    if (!aptGet(install)) throw new PlainError(`failed: apt-get ${install.join(' ')}`);
  });
  const stillMissing = missingPackages();
  if (stillMissing.length > 0)
    throw new PlainError(`still not installed: ${stillMissing.join(' ')}`);
}

function missingPackages() {
  const query = spawnSync(
    'dpkg-query',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholders.
    ['-W', '-f', '${Package} ${db:Status-Status}\n', ...PACKAGES],
    {
      encoding: 'utf8',
    },
  );
  if (query.error !== undefined) {
    throw new PlainError(
      `The end-to-end tests start programs of Debian's, and there is no dpkg here. They need: ${PACKAGES.join(' ')}`,
    );
  }
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return PACKAGES.filter((name) => !installed.has(name));
}

function aptGet(commandLine) {
  const result = spawnSync('apt-get', commandLine, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
  });
  return result.status === 0;
}

function withoutStartingDaemons(work) {
  const isOurs = !existsSync(POLICY);
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    work();
  } finally {
    if (isOurs) rmSync(POLICY, { force: true });
  }
}
