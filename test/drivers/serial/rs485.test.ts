import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UnsupportedError } from '../../../codecs/errors.ts';
import { NATIVE_ADDON } from '../../../drivers/native-addon.ts';
import { enableRs485 } from '../../../drivers/serial/rs485.ts';

const needsAddon = NATIVE_ADDON === undefined ? 'there is no compiler here' : false;

/** A UART that can, as far as the C library's callers see: no machine of ours has one. `REFUSES`: it takes the call, and nothing else. */
const UART = `
#include <linux/serial.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int ioctl(int fd, unsigned long request, ...) {
  static struct serial_rs485 kept = {.flags = SER_RS485_RTS_AFTER_SEND, .delay_rts_before_send = 3};
  va_list list;
  va_start(list, request);
  struct serial_rs485 *mode = va_arg(list, struct serial_rs485 *);
  va_end(list);
  if (request != TIOCGRS485 && request != TIOCSRS485) return syscall(SYS_ioctl, fd, request, mode);
  if (request == TIOCGRS485) *mode = kept;
  if (request == TIOCSRS485) fprintf(stderr, "set %x %u", mode->flags, mode->delay_rts_before_send);
  if (request == TIOCSRS485 && getenv("REFUSES") == NULL) kept = *mode;
  return 0;
}
`;

function withUart(env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-uart-'));
  try {
    const [source, library] = [join(folder, 'uart.c'), join(folder, 'uart.so')];
    writeFileSync(source, UART);
    assert.equal(spawnSync('cc', ['-shared', '-fPIC', '-o', library, source]).status, 0);
    const driver = fileURLToPath(import.meta.resolve('../../../drivers/serial/rs485.js'));
    const script = `import { enableRs485 } from ${JSON.stringify(driver)}; enableRs485(7);`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      env: { ...process.env, ...env, LD_PRELOAD: library },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('without the addon it says what is missing, and what works without', () => {
  assert.throws(() => enableRs485(0, null), {
    name: 'UnsupportedError',
    message: /native addon.*Without it adapters work/,
  });
});

test('a terminal that is no UART cannot', { skip: needsAddon }, () => {
  const terminal = openSync('/dev/ptmx', 'r+');
  try {
    assert.throws(
      () => enableRs485(terminal),
      (error: unknown) =>
        error instanceof UnsupportedError &&
        /driver of this port.*rs485: false/.test(error.message) &&
        /ENOTTY|EINVAL/.test(String(error.cause)),
    );
  } finally {
    closeSync(terminal);
  }
});

test('a descriptor that is not open is an error of the call, not of the driver', {
  skip: needsAddon,
}, () => {
  assert.throws(() => enableRs485(-1), { name: 'UnsupportedError', message: /EBADF/ });
});

test('RTS is driven while sending, not afterwards; delays stay', { skip: needsAddon }, () => {
  const { status, stderr } = withUart();
  // SER_RS485_ENABLED 1, RTS_ON_SEND 2, RTS_AFTER_SEND 4.
  assert.deepEqual({ status, stderr }, { status: 0, stderr: 'set 3 3' });
});

test('a driver that takes the call and does nothing is found out', { skip: needsAddon }, () => {
  const { status, stderr } = withUart({ REFUSES: '1' });
  assert.equal(status, 1);
  assert.match(stderr, /the driver of this port does not switch/);
});
