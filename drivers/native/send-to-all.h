#include <node_api.h>

napi_value send_to_all(napi_env env, napi_callback_info info);
