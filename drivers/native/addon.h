/* What the parts of the addon share: how arguments are read and errors thrown. */
#include <errno.h>
#include <node_api.h>

/* Arguments are there and of the right types: TypeScript has checked the only callers. */
typedef napi_value native_function(napi_env env, napi_value *argv);
native_function init, open_receiver, accept_only, send_datagram, read_patient, close_receiver; /* udp-batch.c */
native_function send_to_all, enable_rs485, notify_service; /* send-to-all.c, rs485.c, notify.c */

int32_t number_of(napi_env env, napi_value value);
bool truth_of(napi_env env, napi_value value);
void *external_of(napi_env env, napi_value value);
/* Of a typed array: the memory is JavaScript's. */
void *bytes_of(napi_env env, napi_value value, size_t *length);
/* Cut where it does not fit; returns its length. */
size_t text_of(napi_env env, napi_value value, char *into, size_t size);
/* Returns NULL, as functions do that have thrown. */
napi_value throw_error(napi_env env, const char *what, int error);
