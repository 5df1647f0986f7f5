/** The addon for other machines, by Debian's cross compilers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const MACHINES = [
  { arch: 'arm64', folder: 'arm64', tool: 'aarch64-linux-gnu-gcc', elf: /ELF64[\s\S]*AArch64/ },
  {
    arch: 'armhf',
    folder: 'arm',
    tool: 'arm-linux-gnueabihf-gcc',
    elf: /ELF32[\s\S]*ARM[\s\S]*hard-f/,
  },
];

function build(args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  const command = ['deploy/run.mjs', 'build:native', ...args];
  return spawnSync(process.execPath, command, { encoding: 'utf8', env });
}

describe('npm run build:native', () => {
  for (const { arch, folder, tool, elf } of MACHINES) {
    const isThere = spawnSync(tool, ['--version']).status === 0;
    it(`builds for ${arch}`, { skip: isThere ? false : `${tool} is not installed` }, () => {
      const { status, stdout, stderr } = build(['--arch', arch]);
      assert.equal(status, 0, stdout + stderr);
      const addon = `dist/native/linux-${folder}/sluice.node`;
      assert.ok(stdout.startsWith(`${addon} built`), stdout);
      const read = spawnSync('readelf', ['-W', '-h', '--dyn-syms', addon], { encoding: 'utf8' });
      assert.match(read.stdout, elf);
      assert.match(read.stdout, /FUNC +GLOBAL +DEFAULT +\d+ napi_register_module_v1$/m);
    });
  }

  it('says which packages are missing, and installs none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-no-tools-'));
    try {
      symlinkSync('/usr/bin/make', join(folder, 'make'));
      const { status, stderr } = build(['--arch', 'arm64'], { PATH: folder });
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^python3, aarch64-linux-gnu-gcc not found\.[\s\S]*install --no-install-recommends python3 gcc-aarch64-linux-gnu libc6-dev-arm64-cross$/m,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses a machine it does not know', () => {
    const { status, stderr } = build(['--arch', 'sparc']);
    assert.equal(status, 1);
    assert.match(stderr, /^--arch sparc: expected one of arm, arm64, x64/);
  });
});
