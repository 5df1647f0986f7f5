/*
 * The same bytes to many TCP sockets with one call from JavaScript; ../send-to-all.ts is the only caller. The sockets are
 * Node's: they do not block, and have nothing of their own to write at the moment.
 */
#include "send-to-all.h"
#include <errno.h>
#include <sys/socket.h>

/* (descriptors, count, bytes, taken): taken[i] is how many bytes socket i has taken, or a negative error. */
napi_value send_to_all(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  size_t argc = 4, length = 0;
  uint32_t count = 0;
  int32_t *descriptors, *taken;
  void *bytes;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  napi_get_typedarray_info(env, argv[0], NULL, NULL, (void **)&descriptors, NULL, NULL);
  napi_get_value_uint32(env, argv[1], &count);
  napi_get_typedarray_info(env, argv[2], NULL, &length, &bytes, NULL, NULL);
  napi_get_typedarray_info(env, argv[3], NULL, NULL, (void **)&taken, NULL, NULL);
  for (uint32_t i = 0; i < count; i++) {
    ssize_t sent;
    do sent = send(descriptors[i], bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    taken[i] = sent < 0 ? -errno : (int32_t)sent;
  }
  return NULL;
}
