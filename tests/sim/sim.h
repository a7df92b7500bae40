/*
 * sim: a simulated system for tests: time, network, names, the wall clock and random numbers.
 *
 * tests/sim/ implements sys/loop.h, sys/stream.h, sys/dns.h, sys/wallclock.h and sys/entropy.h a
 * second time. A scenario test links it in place of src/sys, and the code under test does not know
 * the difference: it makes timers, resolves names, connects. This header is the other side: it
 * makes the world and moves it. (sys/store.h, notify.h and privs.h are the real ones.)
 *
 * Everything is deterministic: events happen in the order of their time, then in the order in which
 * they were caused; nothing sleeps; random numbers come from a seed. An hour is a few events.
 *
 *     struct sim *w = sim_new();
 *     sim_host_add(w, "sip.example.com", "192.0.2.1");
 *     addr_parse("192.0.2.1", 5061, &at);
 *     stream_listen_tcp(sim_loop(w), &at, on_accept, &server, &listener, NULL);    the server's
 * side account_start(account);                                                the code under test
 *     sim_settle(w);                                          ... both have said what they had to
 *     sim_advance(w, 300 * 1000);                             ... five minutes later
 *     sim_link_cut(sim_link_last(w), SIM_CUT_RESET);
 *     ...
 *     sim_free(w);
 *
 * A simulated server needs no interface of its own: it is the test's code, listening with
 * stream_listen_tcp() at any address of the world and speaking through the streams that it accepts.
 *
 * Nothing here may be called from another thread. Misuse, and what the code under test forgot to
 * free, ends the program with a sentence on stderr.
 */
#ifndef SIPSD_TESTS_SIM_H
#define SIPSD_TESTS_SIM_H

#include "base/clock.h"
#include "base/slice.h"
#include "sys/addr.h"
#include "sys/loop.h"
#include "sys/stream.h"

#define SIM_NEVER UINT64_MAX
#define SIM_EPOCH_S \
    1767225600 /* 2026-01-01T00:00:00Z: the wall clock of a new world, which is SET */
#define SIM_BUILD_S 1764547200 /* 2025-12-01T00:00:00Z: what wallclock_build_time() says */

/* --- the world --- */

struct sim;

/* One at a time. */
struct sim *sim_new(void);

/* The code under test must have freed all that it made: what it did not is named, and the program
 * ends. */
void sim_free(struct sim *w);

/* The loop of the world; loop_new() returns the same one, for code that makes its own. Only then
 * must it be freed. */
struct loop *sim_loop(struct sim *w);

/* Another sequence of random numbers than the usual. */
void sim_seed(struct sim *w, uint64_t seed);

/* --- time --- */

/*
 * The time is what loop_now_ms() says; it moves only in these calls, and in loop_run(), which runs
 * until loop_stop() or until nothing is left to happen.
 *
 * sim_step     moves to the next event and runs it; false if there is none.
 * sim_settle   runs until the network is quiet: no connect, byte, close or DNS answer is on its way
 *              and no timer is due. Time moves by as much as those take.
 * sim_advance  runs everything that happens within MS, and moves the time by exactly MS.
 * sim_next     milliseconds until the next event, SIM_NEVER if there is none: with sim_advance(),
 *              "how long does it wait?"
 * sim_run_until  runs until DONE(ARG) is true (asked before each event), at most for MAX_MS; says
 *              whether it became true.
 */
bool sim_step(struct sim *w);
void sim_settle(struct sim *w);
void sim_advance(struct sim *w, uint64_t ms);
uint64_t sim_next(const struct sim *w);
bool sim_run_until(struct sim *w, bool (*done)(void *arg), void *arg, uint64_t max_ms);

/* The signal arrives: the handlers of loop_signal_new() are called from the loop. */
void sim_raise(struct sim *w, int signum);

/* The next N calls of stream_connect() and dns_resolve() return ERR_NOMEM. */
void sim_refuse_calls(struct sim *w, unsigned n);

/* --- the wall clock --- */

/* Set by somebody, as NTP or a user does: goes on from there with the simulated time, and the
 * `changed` of wallclock_open() is called from the loop. For FLOOR and UNSET, EPOCH_S is the lower
 * bound. */
void sim_clock_set(struct sim *w, int64_t epoch_s, enum clock_state state);

/* The same, but little by little, so that nobody is told. */
void sim_clock_drift(struct sim *w, int64_t epoch_s);

/* --- names --- */

/*
 * An unknown name is answered with ERR_DNS. Answers take the latency of the network, or the delay
 * given; LIMIT_DNS_MS and more (SIM_NEVER: the server is silent) end in ERR_TIMEOUT after
 * LIMIT_DNS_MS. IP literals are answered without a query.
 */
void sim_host_add(struct sim *w, const char *name, const char *ip); /* one more address, in order */
void sim_host_clear(struct sim *w, const char *name);               /* no address any more */
void sim_host_fail(struct sim *w, const char *name, enum err code, const char *sentence);
void sim_host_delay(struct sim *w, const char *name, uint64_t ms);
unsigned sim_host_queries(const struct sim *w, const char *name); /* made so far */

/* --- the network --- */

/* One way; also of DNS. 1 ms in a new world, so a connect takes 2 ms. 0 is allowed. */
void sim_net_latency(struct sim *w, uint64_t ms);

/* The address that those who connect have from now on; NULL (a new world): 192.0.2.100, or
 * 2001:db8::100. */
void sim_net_from(struct sim *w, const char *ip);

/* The most bytes that one on_data brings: 1 for a byte at a time; 0 (a new world): all there are.
 */
void sim_net_chunk(struct sim *w, size_t n);

/* The bytes that the two kernels hold for a reader that does not read; then the sender's queue
 * grows. 65536 in a new world. */
void sim_net_window(struct sim *w, size_t n);

/* What happens to connections to IP (all ports) from now on. Without a listener at the port they
 * are refused. */
enum sim_reach {
    SIM_REACH_OK,
    SIM_REACH_REFUSED,     /* answered with a reset, although there is a listener */
    SIM_REACH_SILENT,      /* never answered: ERR_TIMEOUT after SIM_SYN_TIMEOUT_MS */
    SIM_REACH_UNREACHABLE, /* no route: told after one latency */
};
void sim_net_reach(struct sim *w, const char *ip, enum sim_reach reach);

#define SIM_SYN_TIMEOUT_MS 127000 /* six retransmissions: Linux's default */

/* --- connections --- */

/* One attempt to connect and what became of it; lives, with what was sent, until sim_free(). */
struct sim_link;
enum sim_side { SIM_CLIENT, SIM_SERVER };

size_t sim_link_count(const struct sim *w);                  /* attempts so far */
struct sim_link *sim_link_at(const struct sim *w, size_t i); /* 0 is the oldest; must exist */
struct sim_link *sim_link_last(const struct sim *w);         /* the newest, or NULL */
struct sim_link *sim_link_of(const struct stream *s);

uint64_t sim_link_dialled_ms(const struct sim_link *k); /* when it was tried, by loop_now_ms() */
struct addr sim_link_to(const struct sim_link *k);
bool sim_link_is_open(
    const struct sim_link *k); /* both ends are there, and neither was told a close */

/* All bytes that SIDE wrote, in order, whether they arrived or not. */
struct slice sim_link_sent(const struct sim_link *k, enum sim_side side);

/*
 * RESET: both sides are told ERR_CLOSED, by the loop. SILENT: from now on nothing arrives at either
 * side and neither is told, as when a router loses its state: a side that sends gets ERR_TIMEOUT
 * after LIMIT_TCP_UNANSWERED_MS, one that does not when the keep-alive probes fail.
 */
enum sim_cut { SIM_CUT_RESET, SIM_CUT_SILENT };
void sim_link_cut(struct sim_link *k, enum sim_cut how);

/* --- Unix sockets --- */

/* The other side of stream_listen_unix(): a local process connects. Refused later, by on_closed, if
 * nobody listens at PATH. The stream is used and freed as any other. */
struct stream *sim_connect_unix(struct sim *w, const char *path, size_t queue_cap,
                                const struct stream_handlers *h, void *arg);

/* What stream_peer_cred() says of those that connect from now on; root in a new world. */
void sim_unix_cred(struct sim *w, struct stream_cred cred);

/* The mode and group that a listener asked for; must exist. */
void sim_unix_access(const struct sim *w, const char *path, mode_t *mode, gid_t *gid);

#endif
