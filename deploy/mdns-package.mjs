/**
 * The optional `mdns` package (Avahi) for its own end-to-end test, compiled once into test/out and not into
 * node_modules: the service must run without it. It does not compile on Node 24 and later, where the
 * built-in browser serves alone.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PlainError, ROOT } from './prepare.mjs';

const VERSION = '2.7.2';
const NEWEST_NODE = 22;
const FOLDER = join(ROOT, 'test/out', `mdns-node-${process.versions.modules}`);
const ENTRY = join(FOLDER, 'node_modules/mdns/lib/mdns.js');

/** Sets MDNS_PACKAGE for the tests. */
export function ensureMdnsPackage() {
  if (Number(process.versions.node.split('.')[0]) > NEWEST_NODE) {
    console.log(`mdns ${VERSION} does not compile on this Node; its test is left out`);
    return;
  }
  if (!existsSync(join(FOLDER, 'node_modules/mdns/build/Release/dns_sd_bindings.node'))) install();
  process.env.MDNS_PACKAGE = ENTRY;
}

function install() {
  console.log(`compiling mdns ${VERSION}, about half a minute …`);
  mkdirSync(FOLDER, { recursive: true });
  const { status, stderr } = spawnSync(
    'npm',
    ['install', '--prefix', FOLDER, '--no-save', '--no-audit', '--no-fund', `mdns@${VERSION}`],
    { encoding: 'utf8' },
  );
  if (status !== 0)
    throw new PlainError(`mdns ${VERSION} does not install:\n${stderr.slice(-2000)}`);
}
