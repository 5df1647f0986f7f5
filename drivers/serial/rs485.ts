/** RS-485 lines whose direction the kernel switches: UARTs of small boards. USB adapters do it by themselves. */
import { UnsupportedError } from '../../codecs/errors.ts';
import { NATIVE_ADDON, type NativeAddon } from '../native-addon.ts';

/**
 * The UART drives RTS while it sends, so that it talks to the bus then and listens at all other times. `descriptor`: of the
 * open port. Throws `UnsupportedError` where this is not to be had, in words that say what works all the same.
 */
export function enableRs485(
  descriptor: number,
  addon: Pick<NativeAddon, 'enableRs485'> | null = NATIVE_ADDON ?? null,
): void {
  if (addon === null) {
    throw new UnsupportedError(
      'rs485 needs the native addon, which was not built: install gcc, make and python3 and start again. Without it adapters work that switch the direction by themselves, as those on USB do',
    );
  }
  try {
    addon.enableRs485(descriptor);
  } catch (cause) {
    throw new UnsupportedError(explain(cause), { cause });
  }
}

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOTTY' || code === 'EINVAL') {
    return 'the driver of this port does not switch the direction of RS-485 (TIOCSRS485). If the adapter does it by itself, as those on USB do, set rs485: false';
  }
  return `the direction of RS-485 cannot be switched: ${error instanceof Error ? error.message : error}`;
}
