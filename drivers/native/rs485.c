/* The kernel switches the direction of an RS-485 line (Documentation/driver-api/serial/serial-rs485.rst). */
#include "addon.h"
#include <linux/serial.h>
#include <sys/ioctl.h>

/* (descriptor): the driver drives RTS while it sends. Delays stay as the device tree has them. ENOTTY: it cannot. */
napi_value enable_rs485(napi_env env, napi_value *argv) {
  int fd = number_of(env, argv[0]);
  struct serial_rs485 mode = {0};
  if (ioctl(fd, TIOCGRS485, &mode) != 0) return throw_error(env, "TIOCGRS485", errno);
  mode.flags = (mode.flags | SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND) & ~(unsigned)SER_RS485_RTS_AFTER_SEND;
  if (ioctl(fd, TIOCSRS485, &mode) != 0) return throw_error(env, "TIOCSRS485", errno);
  if (ioctl(fd, TIOCGRS485, &mode) != 0) return throw_error(env, "TIOCGRS485", errno);
  /* Drivers clear what they do not support, without an error. */
  return mode.flags & SER_RS485_ENABLED ? NULL : throw_error(env, "TIOCSRS485", ENOTTY);
}
