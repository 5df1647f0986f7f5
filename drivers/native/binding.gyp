{
  "targets": [
    {
      "target_name": "sluice",
      "sources": ["addon.c", "udp-batch.c", "send-to-all.c", "rs485.c", "notify.c"],
      "defines": ["NAPI_VERSION=8", "_GNU_SOURCE"],
      "cflags": ["-O2", "-Wall", "-Wextra", "-Werror=implicit-function-declaration"]
    }
  ]
}
