/*
 * What Node cannot do: take many datagrams with one system call (recvmmsg) and hand them over with one
 * call into JavaScript. Linux only; ../udp/batch-receiver.ts is the only caller, ../udp/dgram-receiver.ts does without.
 *
 * onBatch(count, error): datagram i lies in slab[table[2i] … table[2i + 1]) until it returns; error: 0 or negative.
 */
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include "send-to-all.h"

#define MAX_SLOTS 64
/* Other sockets get their turn after this many batches; the rest waits in the kernel. */
#define MAX_BATCHES 4
/* Receivers that may wait are read along with any other, but not again so soon: then several packets come with one
   call. At the latest they are read after PATIENCE_MS. */
#define COMPANY_MS 20
#define PATIENCE_MS 50
/* A full address of IPv6 with the longest name of an interface. */
#define MAX_TEXT 80

/* Where datagrams go, one socket's after the other's: the memory is JavaScript's. */
typedef struct {
  uint8_t *slab;
  size_t slot_bytes, slots;
  uint32_t *table; /* Two entries for each slot. */
  uint64_t read_at_ms; /* When those that may wait were last read. */
  size_t patient;  /* How many receivers may wait, */
  int epoll;       /* which of them have something, */
  uv_timer_t *timer; /* and when they are read at the latest. The last two exist while `patient` is not 0. */
} thread_state;

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_storage storage;
} address;

typedef struct {
  uv_poll_t poll;
  int fd;
  napi_env env;
  napi_ref on_batch;
  napi_async_cleanup_hook_handle cleanup;
  thread_state *thread;
  bool accepts_anyone, is_patient, is_closed;
  address sender;
} receiver;

static napi_value throw_error(napi_env env, const char *what, int error) {
  char message[160];
  snprintf(message, sizeof message, "%s %s", what, uv_err_name(-error));
  napi_throw_error(env, uv_err_name(-error), message);
  return NULL;
}

/* Arguments are of the right types: TypeScript has checked the one caller. */
static void arguments(napi_env env, napi_callback_info info, napi_value *into, size_t count) {
  napi_get_cb_info(env, info, &count, into, NULL, NULL);
}

static int number_of(napi_env env, napi_value value) {
  int32_t number = 0;
  napi_get_value_int32(env, value, &number);
  return number;
}

static receiver *receiver_of(napi_env env, napi_value value) {
  void *data = NULL;
  napi_get_value_external(env, value, &data);
  return data;
}

/* Numeric, with %interface where IPv6 has one; '' is of family AF_UNSPEC. */
static bool address_of(napi_env env, napi_value value, int port, address *into) {
  char text[MAX_TEXT] = "", service[16];
  struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM}, *found;
  napi_get_value_string_utf8(env, value, text, sizeof text, NULL);
  memset(into, 0, sizeof *into);
  if (text[0] == 0) return true;
  snprintf(service, sizeof service, "%d", port);
  if (getaddrinfo(text, service, &hints, &found) != 0) return false;
  memcpy(into, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return true;
}

static socklen_t length_of(const address *a) { return a->any.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4; }

static bool is_accepted(const receiver *r, const address *from) {
  if (r->accepts_anyone) return true;
  if (from->any.sa_family != r->sender.any.sa_family) return false;
  if (from->any.sa_family == AF_INET) return from->v4.sin_addr.s_addr == r->sender.v4.sin_addr.s_addr;
  return memcmp(&from->v6.sin6_addr, &r->sender.v6.sin6_addr, sizeof from->v6.sin6_addr) == 0;
}

/* How many slots were filled; 0 when nothing waits; a negative error. */
static int read_batch(receiver *r, size_t *datagrams) {
  static _Thread_local struct mmsghdr messages[MAX_SLOTS];
  static _Thread_local struct iovec vectors[MAX_SLOTS];
  static _Thread_local address senders[MAX_SLOTS];
  thread_state *t = r->thread;
  for (size_t i = 0; i < t->slots; i++) {
    vectors[i] = (struct iovec){t->slab + i * t->slot_bytes, t->slot_bytes};
    messages[i].msg_hdr = (struct msghdr){&senders[i], sizeof senders[i], &vectors[i], 1, NULL, 0, 0};
  }
  int filled;
  do filled = recvmmsg(r->fd, messages, (unsigned)t->slots, MSG_DONTWAIT, NULL);
  while (filled < 0 && errno == EINTR);
  if (filled < 0) return errno == EAGAIN ? 0 : -errno;
  size_t count = 0;
  for (size_t i = 0; i < (size_t)filled; i++) {
    if (!is_accepted(r, &senders[i])) continue;
    t->table[count * 2] = (uint32_t)(i * t->slot_bytes);
    t->table[count * 2 + 1] = (uint32_t)(i * t->slot_bytes + messages[i].msg_len);
    count++;
  }
  *datagrams = count;
  return filled;
}

static void call_back(receiver *r, size_t count, int error) {
  napi_handle_scope scope;
  napi_value function, self, argv[2], exception;
  napi_open_handle_scope(r->env, &scope);
  napi_get_reference_value(r->env, r->on_batch, &function);
  napi_get_global(r->env, &self);
  napi_create_uint32(r->env, (uint32_t)count, &argv[0]);
  napi_create_int32(r->env, error, &argv[1]);
  if (napi_make_callback(r->env, NULL, self, function, 2, argv, NULL) == napi_pending_exception) {
    napi_get_and_clear_last_exception(r->env, &exception);
    napi_fatal_exception(r->env, exception);
  }
  napi_close_handle_scope(r->env, scope);
}

/* What waits at a socket; 0 or a negative error. */
static int read_all(receiver *r) {
  int filled = (int)r->thread->slots;
  for (int n = 0; n < MAX_BATCHES && !r->is_closed && filled == (int)r->thread->slots; n++) {
    size_t datagrams = 0;
    filled = read_batch(r, &datagrams);
    if (datagrams > 0) call_back(r, datagrams, 0);
  }
  return filled < 0 && !r->is_closed ? filled : 0;
}

static void read_patient(thread_state *t) {
  struct epoll_event ready[MAX_SLOTS];
  if (t->patient == 0) return;
  t->read_at_ms = uv_now(t->timer->loop);
  uv_timer_again(t->timer);
  int count = epoll_wait(t->epoll, ready, MAX_SLOTS, 0);
  for (int i = 0; i < count; i++) {
    receiver *r = ready[i].data.ptr; /* One that an earlier one has closed is freed later, in on_closed. */
    int error = r->is_closed ? 0 : read_all(r);
    if (error < 0) call_back(r, 0, error);
  }
}

static void on_patience(uv_timer_t *timer) { read_patient(timer->data); }

/* First those that may wait: audio then rides with the picture that comes now. */
static void on_readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  receiver *r = poll->data;
  if (uv_now(poll->loop) - r->thread->read_at_ms >= COMPANY_MS) read_patient(r->thread);
  int error = status < 0 ? status : read_all(r);
  if (error == 0 || r->is_closed) return;
  uv_poll_stop(poll); /* It would be said again and again. */
  call_back(r, 0, error);
}

/* 0, or a negative error. */
static int start_reading(receiver *r) {
  thread_state *t = r->thread;
  if (!r->is_patient) return uv_poll_start(&r->poll, UV_READABLE, on_readable);
  if (t->patient == 0) {
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (t->epoll < 0) r->is_patient = false;
    if (t->epoll < 0) return -errno;
    t->timer = malloc(sizeof *t->timer);
    uv_timer_init(r->poll.loop, t->timer);
    t->timer->data = t;
    uv_timer_start(t->timer, on_patience, PATIENCE_MS, PATIENCE_MS);
  }
  t->patient++;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = r};
  return epoll_ctl(t->epoll, EPOLL_CTL_ADD, r->fd, &event) == 0 ? 0 : -errno;
}

static void free_timer(uv_handle_t *timer) { free(timer); }

static void stop_reading(receiver *r) {
  thread_state *t = r->thread;
  if (!r->is_patient) return;
  epoll_ctl(t->epoll, EPOLL_CTL_DEL, r->fd, NULL);
  if (--t->patient > 0) return;
  close(t->epoll);
  uv_close((uv_handle_t *)t->timer, free_timer);
}

static void on_closed(uv_handle_t *handle) {
  receiver *r = handle->data;
  napi_delete_reference(r->env, r->on_batch);
  napi_remove_async_cleanup_hook(r->cleanup);
  free(r);
}

static void close_receiver(receiver *r) {
  if (r->is_closed) return;
  r->is_closed = true;
  stop_reading(r);
  uv_close((uv_handle_t *)&r->poll, on_closed);
  close(r->fd); /* Not later: the port may be opened again at once. */
}

/* The thread ends while the socket is open. */
static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  close_receiver(data);
}

/* (slab, bytes of a slot, table) */
static napi_value init(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  thread_state *t;
  size_t slab_bytes = 0;
  arguments(env, info, argv, 3);
  napi_get_instance_data(env, (void **)&t);
  napi_get_typedarray_info(env, argv[0], NULL, &slab_bytes, (void **)&t->slab, NULL, NULL);
  napi_get_typedarray_info(env, argv[2], NULL, NULL, (void **)&t->table, NULL, NULL);
  t->slot_bytes = (size_t)number_of(env, argv[1]);
  t->slots = slab_bytes / t->slot_bytes < MAX_SLOTS ? slab_bytes / t->slot_bytes : MAX_SLOTS;
  return NULL;
}

/* 0, or the error. */
static int join_group(int fd, const address *group, const address *source, const char *interface) {
  int level = group->any.sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, result;
  struct group_source_req request = {0, group->storage, source->storage};
  if (interface[0] != 0 && (request.gsr_interface = if_nametoindex(interface)) == 0) return errno;
  if (source->any.sa_family == AF_UNSPEC) {
    struct group_req any_source = {request.gsr_interface, group->storage};
    result = setsockopt(fd, level, MCAST_JOIN_GROUP, &any_source, sizeof any_source);
  } else {
    result = setsockopt(fd, level, MCAST_JOIN_SOURCE_GROUP, &request, sizeof request);
  }
  // Reports to a group go out where its media comes in.
  if (result == 0 && request.gsr_interface != 0) {
    int index = (int)request.gsr_interface;
    struct ip_mreqn way_out = {.imr_ifindex = index};
    result = level == IPPROTO_IPV6 ? setsockopt(fd, level, IPV6_MULTICAST_IF, &index, sizeof index)
                                   : setsockopt(fd, level, IP_MULTICAST_IF, &way_out, sizeof way_out);
  }
  return result == 0 ? 0 : errno;
}

/* (address, port, bytes of receive buffer, accepts anyone, may wait, group, source, interface, onBatch) → receiver */
static napi_value open_receiver(napi_env env, napi_callback_info info) {
  napi_value argv[9], result;
  address local, group, source;
  char interface[MAX_TEXT] = "";
  const char *what = "bind";
  int error = 0, on = 1;
  uv_loop_t *loop;
  arguments(env, info, argv, 9);
  int buffer_bytes = number_of(env, argv[2]);
  napi_get_value_string_utf8(env, argv[7], interface, sizeof interface, NULL);
  if (!address_of(env, argv[0], number_of(env, argv[1]), &local) || !address_of(env, argv[5], 0, &group) ||
      !address_of(env, argv[6], 0, &source))
    return throw_error(env, "address", EINVAL);
  int fd = socket(local.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_error(env, "socket", errno);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  if (group.any.sa_family != AF_UNSPEC) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, &local.any, length_of(&local)) != 0) error = errno;
  if (error == 0 && group.any.sa_family != AF_UNSPEC) {
    what = "join";
    error = join_group(fd, &group, &source, interface);
  }
  receiver *r = error == 0 ? calloc(1, sizeof *r) : NULL;
  if (r == NULL || napi_get_uv_event_loop(env, &loop) != napi_ok || uv_poll_init(loop, &r->poll, fd) != 0) {
    free(r);
    close(fd);
    return throw_error(env, what, error == 0 ? ENOMEM : error);
  }
  r->env = env;
  r->fd = fd;
  r->poll.data = r;
  napi_get_value_bool(env, argv[3], &r->accepts_anyone);
  napi_get_value_bool(env, argv[4], &r->is_patient);
  napi_get_instance_data(env, (void **)&r->thread);
  napi_create_reference(env, argv[8], 1, &r->on_batch);
  napi_add_async_cleanup_hook(env, on_cleanup, r, &r->cleanup);
  error = start_reading(r);
  if (error != 0) {
    close_receiver(r);
    return throw_error(env, "read", -error);
  }
  napi_create_external(env, r, NULL, NULL, &result);
  return result;
}

static napi_value port_of(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  address local = {0};
  socklen_t length = sizeof local;
  arguments(env, info, argv, 1);
  getsockname(receiver_of(env, argv[0])->fd, &local.any, &length);
  napi_create_uint32(env, ntohs(local.v4.sin_port), &result); /* At the same place in both families. */
  return result;
}

static napi_value accept_only(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  arguments(env, info, argv, 2);
  receiver *r = receiver_of(env, argv[0]);
  r->accepts_anyone = false;
  return address_of(env, argv[1], 0, &r->sender) ? NULL : throw_error(env, "address", EINVAL);
}

/* (receiver, bytes, port, address) */
static napi_value send_datagram(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  address to;
  void *bytes;
  size_t length;
  arguments(env, info, argv, 4);
  if (!address_of(env, argv[3], number_of(env, argv[2]), &to)) return throw_error(env, "address", EINVAL);
  napi_get_typedarray_info(env, argv[1], NULL, &length, &bytes, NULL, NULL);
  sendto(receiver_of(env, argv[0])->fd, bytes, length, MSG_DONTWAIT, &to.any, length_of(&to));
  return NULL;
}

static napi_value close_it(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  arguments(env, info, argv, 1);
  close_receiver(receiver_of(env, argv[0]));
  return NULL;
}

static void free_thread_state(napi_env env, void *data, void *hint) { (void)env, (void)hint, free(data); }

#define FUNCTION(name, call) {name, NULL, call, NULL, NULL, NULL, napi_enumerable, NULL}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      FUNCTION("init", init), FUNCTION("open", open_receiver),       FUNCTION("acceptOnly", accept_only),
      FUNCTION("port", port_of), FUNCTION("send", send_datagram), FUNCTION("close", close_it),
      FUNCTION("sendToAll", send_to_all),
  };
  napi_set_instance_data(env, calloc(1, sizeof(thread_state)), free_thread_state, NULL);
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
