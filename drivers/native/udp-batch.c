/*
 * Many datagrams with one system call (recvmmsg), handed over with one call into JavaScript; ../udp/batch-receiver.ts is the
 * only caller, ../udp/dgram-receiver.ts does without.
 *
 * onBatch(count, error): datagram i lies in slab[table[2i] … table[2i + 1]) until it returns; error: 0 or negative.
 */
#include "addon.h"
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uv.h>

#define MAX_SLOTS 64
/* Other sockets get their turn after this many batches; the rest waits in the kernel. */
#define MAX_BATCHES 4
/* Receivers that may wait are read along with any other, but not again so soon: then several packets come with one call. */
#define COMPANY_MS 20
/* A full address of IPv6 with the longest name of an interface. */
#define MAX_TEXT 80

/* Where a thread's datagrams go, one socket's after the other's: the memory is JavaScript's. */
static _Thread_local struct {
  uint8_t *slab;
  size_t slot_bytes, slots;
  uint32_t *table; /* Two entries for each slot. */
  int epoll; /* Of receivers that may wait: which have something, */
  uint64_t read_at_ms; /* and when they were last read. */
} here;

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
  bool accepts_anyone, is_patient, is_closed;
  address sender;
} receiver;

/* Numeric, with %interface where IPv6 has one; '' is of family AF_UNSPEC. */
static bool address_of(napi_env env, napi_value value, int port, address *into) {
  char text[MAX_TEXT] = "";
  memset(into, 0, sizeof *into);
  if (text_of(env, value, text, sizeof text) == 0) return true;
  return uv_ip4_addr(text, port, &into->v4) == 0 || uv_ip6_addr(text, port, &into->v6) == 0;
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
  for (size_t i = 0; i < here.slots; i++) {
    vectors[i] = (struct iovec){here.slab + i * here.slot_bytes, here.slot_bytes};
    messages[i].msg_hdr = (struct msghdr){&senders[i], sizeof senders[i], &vectors[i], 1, NULL, 0, 0};
  }
  int filled = recvmmsg(r->fd, messages, (unsigned)here.slots, MSG_DONTWAIT, NULL);
  if (filled < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
  for (size_t i = 0; i < (size_t)filled; i++) {
    if (!is_accepted(r, &senders[i])) continue;
    uint32_t *bounds = here.table + 2 * (*datagrams)++;
    bounds[0] = (uint32_t)(i * here.slot_bytes);
    bounds[1] = bounds[0] + messages[i].msg_len;
  }
  return filled;
}

static void call_back(receiver *r, size_t count, int error) {
  napi_handle_scope scope;
  napi_value on_batch, argv[2], exception;
  napi_open_handle_scope(r->env, &scope);
  napi_get_reference_value(r->env, r->on_batch, &on_batch);
  napi_create_uint32(r->env, (uint32_t)count, &argv[0]);
  napi_create_int32(r->env, error, &argv[1]);
  if (napi_make_callback(r->env, NULL, on_batch, on_batch, 2, argv, NULL) == napi_pending_exception) {
    napi_get_and_clear_last_exception(r->env, &exception);
    napi_fatal_exception(r->env, exception);
  }
  napi_close_handle_scope(r->env, scope);
}

/* What waits at a socket, or a negative error that is known already. */
static void read_all(receiver *r, int filled) {
  for (int n = 0; n < MAX_BATCHES && !r->is_closed && filled == (int)here.slots; n++) {
    size_t datagrams = 0;
    filled = read_batch(r, &datagrams);
    if (datagrams > 0) call_back(r, datagrams, 0);
  }
  if (filled >= 0 || r->is_closed) return;
  uv_poll_stop(&r->poll); /* It would be said again and again. */
  call_back(r, 0, filled);
}

/* For those that may wait, with nothing to wait for: by JavaScript's timer. */
napi_value read_patient(napi_env env, napi_value *argv) {
  (void)env, (void)argv;
  struct epoll_event ready[MAX_SLOTS];
  uint64_t now_ms = uv_hrtime() / 1000000;
  if (now_ms - here.read_at_ms < COMPANY_MS) return NULL;
  here.read_at_ms = now_ms;
  int count = epoll_wait(here.epoll, ready, MAX_SLOTS, 0);
  /* One that an earlier one has closed is freed later, in on_closed. */
  for (int i = 0; i < count; i++) read_all(ready[i].data.ptr, (int)here.slots);
  return NULL;
}

/* First those that may wait: audio then rides with the picture that comes now. */
static void on_readable(uv_poll_t *poll, int status, int events) {
  (void)events;
  read_patient(NULL, NULL);
  read_all(poll->data, status < 0 ? status : (int)here.slots);
}

static void on_closed(uv_handle_t *handle) {
  receiver *r = handle->data;
  napi_delete_reference(r->env, r->on_batch);
  napi_remove_async_cleanup_hook(r->cleanup);
  free(r);
}

static void end(receiver *r) {
  if (r->is_closed) return;
  r->is_closed = true;
  if (r->is_patient) epoll_ctl(here.epoll, EPOLL_CTL_DEL, r->fd, NULL);
  uv_close((uv_handle_t *)&r->poll, on_closed);
  close(r->fd); /* Not later: the port may be opened again at once. */
}

/* The thread ends while the socket is open, */
static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data) { (void)handle, end(data); }

/* and after its sockets. */
static void on_thread_end(void *unused) { (void)unused, close(here.epoll); }

/* (slab, bytes of a slot, table): once in each thread. */
napi_value init(napi_env env, napi_value *argv) {
  size_t slab_bytes = 0;
  here.slab = bytes_of(env, argv[0], &slab_bytes);
  here.slot_bytes = (size_t)number_of(env, argv[1]);
  here.table = bytes_of(env, argv[2], NULL);
  here.slots = slab_bytes / here.slot_bytes < MAX_SLOTS ? slab_bytes / here.slot_bytes : MAX_SLOTS;
  here.epoll = epoll_create1(EPOLL_CLOEXEC);
  napi_add_env_cleanup_hook(env, on_thread_end, NULL);
  return NULL;
}

/* 0, or the error. */
static int join_group(int fd, const address *group, const address *source, const char *interface) {
  int level = group->any.sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, index = (int)if_nametoindex(interface);
  int option = source->any.sa_family == AF_UNSPEC ? MCAST_JOIN_GROUP : MCAST_JOIN_SOURCE_GROUP;
  /* It begins like the group_req of MCAST_JOIN_GROUP. */
  struct group_source_req request = {(uint32_t)index, group->storage, source->storage};
  struct ip_mreqn way_out = {.imr_ifindex = index};
  if (interface[0] != 0 && index == 0) return errno;
  if (setsockopt(fd, level, option, &request, sizeof request) != 0) return errno;
  if (index == 0) return 0;
  /* Reports to a group go out where its media comes in. */
  int result = level == IPPROTO_IPV6 ? setsockopt(fd, level, IPV6_MULTICAST_IF, &index, sizeof index)
                                     : setsockopt(fd, level, IP_MULTICAST_IF, &way_out, sizeof way_out);
  return result == 0 ? 0 : errno;
}

/* (address, port, bytes of receive buffer, accepts anyone, may wait, group, source, interface, onBatch)
   → receiver, and its port in table[0] */
napi_value open_receiver(napi_env env, napi_value *argv) {
  napi_value result;
  address local, group, source;
  char interface[MAX_TEXT] = "";
  const char *what = "bind";
  uv_loop_t *loop;
  socklen_t length = sizeof local;
  int buffer_bytes = number_of(env, argv[2]), on = 1;
  text_of(env, argv[7], interface, sizeof interface);
  if (!address_of(env, argv[0], number_of(env, argv[1]), &local) || !address_of(env, argv[5], 0, &group) ||
      !address_of(env, argv[6], 0, &source) || napi_get_uv_event_loop(env, &loop) != napi_ok)
    return throw_error(env, "address", EINVAL);
  bool is_group = group.any.sa_family != AF_UNSPEC;
  int fd = socket(local.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_error(env, "socket", errno);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  if (is_group) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int error = bind(fd, &local.any, length_of(&local)) == 0 ? 0 : errno;
  if (error == 0 && is_group) what = "join", error = join_group(fd, &group, &source, interface);
  receiver *r = calloc(1, sizeof *r);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = r};
  r->is_patient = truth_of(env, argv[4]);
  if (error == 0 && r->is_patient && epoll_ctl(here.epoll, EPOLL_CTL_ADD, fd, &event) != 0) error = errno;
  if (error == 0) error = -uv_poll_init(loop, &r->poll, fd);
  if (error != 0) {
    free(r);
    close(fd);
    return throw_error(env, what, error);
  }
  r->env = env;
  r->fd = fd;
  r->poll.data = r;
  r->accepts_anyone = truth_of(env, argv[3]);
  napi_create_reference(env, argv[8], 1, &r->on_batch);
  napi_add_async_cleanup_hook(env, on_cleanup, r, &r->cleanup);
  if (!r->is_patient) uv_poll_start(&r->poll, UV_READABLE, on_readable);
  getsockname(fd, &local.any, &length);
  here.table[0] = ntohs(local.v4.sin_port); /* At the same place in both families. */
  napi_create_external(env, r, NULL, NULL, &result);
  return result;
}

/* (receiver, address) */
napi_value accept_only(napi_env env, napi_value *argv) {
  receiver *r = external_of(env, argv[0]);
  r->accepts_anyone = false;
  return address_of(env, argv[1], 0, &r->sender) ? NULL : throw_error(env, "address", EINVAL);
}

/* (receiver, bytes, port, address) */
napi_value send_datagram(napi_env env, napi_value *argv) {
  const receiver *r = external_of(env, argv[0]);
  size_t length = 0;
  const void *bytes = bytes_of(env, argv[1], &length);
  address to;
  if (!address_of(env, argv[3], number_of(env, argv[2]), &to)) return throw_error(env, "address", EINVAL);
  sendto(r->fd, bytes, length, MSG_DONTWAIT, &to.any, length_of(&to));
  return NULL;
}

napi_value close_receiver(napi_env env, napi_value *argv) {
  end(external_of(env, argv[0]));
  return NULL;
}
