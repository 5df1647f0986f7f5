/* One datagram to the service manager, as sd_notify(3) has it; Node has no datagrams on Unix sockets. */
#include "addon.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* (path, bytes): a path that begins with '@' is abstract. Does not wait: EAGAIN when the manager does not read. */
napi_value notify_service(napi_env env, napi_value *argv) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  size_t length = 0, path_length = text_of(env, argv[0], to.sun_path, sizeof to.sun_path);
  const void *bytes = bytes_of(env, argv[1], &length);
  if (to.sun_path[0] == '@') to.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_error(env, "socket", errno);
  socklen_t to_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_length);
  int error = sendto(fd, bytes, length, MSG_NOSIGNAL, (struct sockaddr *)&to, to_length) < 0 ? errno : 0;
  close(fd);
  return error == 0 ? NULL : throw_error(env, "sendto", error);
}
