/*
 * What Node cannot do, in as little C as it takes: the table of functions, and what they share. Linux only;
 * ../native-addon.ts has their types, and everybody does without.
 */
#include "addon.h"
#include <stdio.h>
#include <uv.h>

#define MAX_ARGUMENTS 9

#define READER(name, type, read) \
  type name(napi_env env, napi_value value) { \
    type into = 0; \
    read(env, value, &into); \
    return into; \
  }
READER(number_of, int32_t, napi_get_value_int32)
READER(truth_of, bool, napi_get_value_bool)
READER(external_of, void *, napi_get_value_external)

void *bytes_of(napi_env env, napi_value value, size_t *length) {
  void *bytes = NULL;
  napi_get_typedarray_info(env, value, NULL, length, &bytes, NULL, NULL);
  return bytes;
}

size_t text_of(napi_env env, napi_value value, char *into, size_t size) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, into, size, &length);
  return length;
}

napi_value throw_error(napi_env env, const char *what, int error) {
  char message[160];
  snprintf(message, sizeof message, "%s %s", what, uv_err_name(-error));
  napi_throw_error(env, uv_err_name(-error), message);
  return NULL;
}

static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[MAX_ARGUMENTS];
  size_t count = MAX_ARGUMENTS;
  void *function;
  napi_get_cb_info(env, info, &count, argv, NULL, &function);
  return ((native_function *)function)(env, argv);
}

#define FUNCTION(name, function) {name, NULL, call, NULL, NULL, NULL, napi_enumerable, function}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      FUNCTION("init", init), FUNCTION("open", open_receiver), FUNCTION("acceptOnly", accept_only),
      FUNCTION("send", send_datagram), FUNCTION("readPatient", read_patient), FUNCTION("close", close_receiver),
      FUNCTION("sendToAll", send_to_all), FUNCTION("enableRs485", enable_rs485), FUNCTION("notify", notify_service),
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
