/*
 * The same bytes to many TCP sockets with one call from JavaScript; ../send-to-all.ts is the only caller. The sockets are
 * Node's: they do not block, and have nothing of their own to write at the moment.
 */
#include "addon.h"
#include <sys/socket.h>

/* (descriptors, count, bytes, taken): taken[i] is how many bytes socket i has taken, or a negative error. */
napi_value send_to_all(napi_env env, napi_value *argv) {
  size_t length = 0;
  const int32_t *descriptors = bytes_of(env, argv[0], NULL);
  const void *bytes = bytes_of(env, argv[2], &length);
  int32_t *taken = bytes_of(env, argv[3], NULL);
  for (int i = 0, count = number_of(env, argv[1]); i < count; i++) {
    ssize_t sent = send(descriptors[i], bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    taken[i] = sent < 0 ? -errno : (int32_t)sent;
  }
  return NULL;
}
