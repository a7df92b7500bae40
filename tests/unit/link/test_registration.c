/*
 * The registration against the test registrar, in simulated time: what one sends the other gets at
 * once, and the clock goes from deadline to deadline.
 */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "link/registration.h"
#include "sip/frame.h"
#include "tools/registrar.h"
#include "tools/rigged_rng.h"

#define MINUTE_MS 60000U
#define HOUR_MS   3600000U
#define LOG_SIZE  4096

struct world {
    uint64_t now_ms;
    uint64_t seed;
    struct rng rng;
    struct registration *phone;
    struct registrar *server;
    struct registrar_peer *peer;
    struct buf wire;    /* from the phone, not delivered yet */
    char last[8192];    /* the last request */
    char log[LOG_SIZE]; /* the server's events, a word each */
    int requests;
    int changes;
    int given_up;
    bool unplugged; /* nothing gets through */
};

/* --- the wiring --- */

static struct result on_send(void *arg, struct slice message)
{
    struct world *w = arg;
    w->requests++;
    assert_true(slice_to_str(message, w->last, sizeof w->last));
    return buf_append(&w->wire, message);
}

static void on_changed(void *arg)
{
    struct world *w = arg;
    w->changes++;
}

static void on_give_up(void *arg, const struct errinfo *why)
{
    struct world *w = arg;
    assert_int_equal(why->code, ERR_TIMEOUT);
    w->given_up++;
}

static const struct registration_handlers handlers = {on_send, on_changed, on_give_up};

static void on_event(void *arg, const struct registrar_event *e)
{
    struct world *w = arg;
    const size_t used = strlen(w->log);
    (void)snprintf(w->log + used, sizeof w->log - used, "%s%s", used > 0 ? " " : "",
                   registrar_event_name(e->type));
}

static const struct registration_params alice = {
    .user = "alice",
    .domain = "example.com",
    .display_name = "Alice",
    .password = "secret",
    .instance_id = "urn:uuid:00000000-0000-1000-8000-001565123456",
    .user_agent = "test",
    .expires_s = 3600,
};

static const struct registrar_config both = {.realm = "example.com", .md5 = true, .sha256 = true};

static void make_world(struct world *w, const struct registrar_config *cfg,
                       const struct registration_params *p, uint64_t seed)
{
    struct errinfo e = ERRINFO_INIT;
    *w = (struct world){.now_ms = 5000, .seed = seed};
    w->rng = rigged_rng(&w->seed);
    buf_init(&w->wire, 65536);
    assert_true(is_ok(registrar_new(cfg, &w->rng, on_event, w, &w->server)));
    assert_true(is_ok(registrar_add_user(w->server, "alice", NULL, "secret")));
    assert_true(is_ok(registrar_peer_new(w->server, &w->peer)));
    assert_true(is_ok(registration_new(p, &handlers, w, &w->rng, &w->phone, &e)));
}

static void end_world(struct world *w)
{
    registration_free(w->phone);
    registrar_peer_free(w->peer);
    registrar_free(w->server);
    buf_free(&w->wire);
}

static void deliver(struct world *w, struct slice bytes)
{
    struct sip_frame *frame;
    enum sip_frame_event event;
    struct slice raw;
    struct sip_message *m;
    assert_true(is_ok(sip_frame_new(&frame)));
    assert_true(is_ok(sip_frame_feed(frame, bytes)));
    while (is_ok(sip_frame_next(frame, &event, &raw, NULL)) && event == SIP_FRAME_MESSAGE) {
        assert_true(is_ok(sip_message_parse(raw, &m, NULL)));
        (void)registration_receive(w->phone, m, w->now_ms);
        sip_message_free(m);
    }
    sip_frame_free(frame);
}

/* Carries requests and responses to and fro until nobody has anything to say. */
static void exchange(struct world *w)
{
    while (buf_len(&w->wire) > 0) {
        struct buf request = w->wire, response;
        bool close;
        struct errinfo e = ERRINFO_INIT;
        buf_init(&w->wire, 65536);
        buf_init(&response, 65536);
        if (!w->unplugged)
            assert_true(is_ok(registrar_peer_feed(w->peer, buf_slice(&request), w->now_ms,
                                                  &response, &close, &e)));
        deliver(w, buf_slice(&response));
        buf_free(&request);
        buf_free(&response);
    }
}

static void connect_from(struct world *w, const char *local)
{
    registration_connected(w->phone, local, w->now_ms);
    exchange(w);
}

/* Lets time pass up to AT, with all that is due until then. */
static void run_until(struct world *w, uint64_t at)
{
    uint64_t due;
    while ((due = registration_deadline(w->phone)) <= at) {
        if (due > w->now_ms)
            w->now_ms = due;
        registration_tick(w->phone, w->now_ms);
        exchange(w);
    }
    w->now_ms = at;
}

static void run_for(struct world *w, uint64_t ms)
{
    run_until(w, w->now_ms + ms);
}

/* --- what is asserted --- */

#define assert_state(w, name) \
    assert_string_equal(registration_state_name(registration_state((w)->phone)), (name))

#define assert_error(w, words) assert_string_equal(registration_error((w)->phone)->text, (words))

static bool said(const struct world *w, const char *text)
{
    return strstr(w->last, text) != NULL;
}

static size_t bindings(struct world *w)
{
    struct registrar_binding b;
    size_t n = 0;
    while (registrar_binding(w->server, n, w->now_ms, &b))
        n++;
    return n;
}

/* The number behind NAME in the last request. */
static unsigned long number(const struct world *w, const char *name)
{
    const char *at = strstr(w->last, name);
    assert_non_null(at);
    return strtoul(at + strlen(name), NULL, 10);
}

/* The text between FROM and the next double quote or line end in the last request. */
static void copy_after(const struct world *w, const char *from, char *out, size_t size)
{
    const char *at = strstr(w->last, from);
    assert_non_null(at);
    at += strlen(from);
    assert_true(slice_to_str(slice_of(at, strcspn(at, "\"\r")), out, size));
}

/* --- registering --- */

static void answers_every_kind_of_challenge(void **state)
{
    static const struct {
        struct registrar_config cfg;
        int requests;
        const char *algorithm; /* "": no credentials at all */
    } cases[] = {
        {{.realm = NULL}, 1, ""},
        {{.realm = "r", .md5 = true}, 2, "algorithm=MD5"},
        {{.realm = "r", .sha256 = true}, 2, "algorithm=SHA-256"},
        {{.realm = "r", .md5 = true, .sha256 = true}, 2, "algorithm=SHA-256"},
        {{.realm = "r", .md5 = true, .sha256 = true, .one_field = true}, 2, "algorithm=SHA-256"},
        {{.realm = "r", .md5 = true, .as_proxy = true}, 2, "algorithm=MD5"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct world w;
        make_world(&w, &cases[i].cfg, &alice, i);
        connect_from(&w, "192.0.2.7:40312");
        assert_state(&w, "registered");
        assert_true(registration_is_up(w.phone));
        assert_int_equal(registration_granted_s(w.phone), 3600);
        assert_int_equal(registration_last_status(w.phone), 200);
        assert_int_equal(registration_error(w.phone)->code, ERR_OK);
        assert_int_equal(w.requests, cases[i].requests);
        assert_int_equal(bindings(&w), 1);
        assert_int_equal(said(&w, "uthorization: Digest"), cases[i].algorithm[0] != '\0');
        assert_true(said(&w, cases[i].algorithm));
        end_world(&w);
    }
}

static void says_who_and_where_it_is(void **state)
{
    struct world w;
    (void)state;
    make_world(&w, &both, &alice, 1);
    registration_connected(w.phone, "192.0.2.7:40312", w.now_ms);
    assert_state(&w, "trying");
    assert_true(strncmp(w.last, "REGISTER sips:example.com SIP/2.0\r\n", 35) == 0);
    assert_true(said(&w, "\r\nVia: SIP/2.0/TLS 192.0.2.7:40312;branch=z9hG4bK"));
    assert_true(said(&w, "\r\nFrom: \"Alice\" <sips:alice@example.com>;tag="));
    assert_true(said(&w, "\r\nTo: <sips:alice@example.com>\r\n"));
    assert_true(said(&w, "\r\nContact: <sips:alice@192.0.2.7:40312>;+sip.instance=\"<urn:uuid:"
                         "00000000-0000-1000-8000-001565123456>\";reg-id=1\r\n"));
    assert_true(said(&w, "\r\nExpires: 3600\r\n"));
    assert_true(said(&w, "\r\nSupported: path, outbound\r\n"));
    assert_false(said(&w, "uthorization:"));
    end_world(&w);
}

static void keeps_call_id_and_counts_cseq_over_connections(void **state)
{
    struct world w;
    char first[64], second[64];
    struct registrar_binding b;
    (void)state;
    make_world(&w, &both, &alice, 2);
    connect_from(&w, "192.0.2.7:40312");
    copy_after(&w, "Call-ID: ", first, sizeof first);
    const unsigned long cseq = number(&w, "CSeq: ");
    registration_disconnected(w.phone);
    assert_state(&w, "off");
    assert_int_equal(registration_granted_s(w.phone), 0);
    connect_from(&w, "[2001:db8::7]:4");
    assert_state(&w, "registered");
    copy_after(&w, "Call-ID: ", second, sizeof second);
    assert_string_equal(first, second);
    assert_true(number(&w, "CSeq: ") > cseq);
    assert_int_equal(bindings(&w), 1); /* the same phone, by its instance */
    assert_true(registrar_binding(w.server, 0, w.now_ms, &b));
    assert_string_equal(b.contact, "sips:alice@[2001:db8::7]:4");
    end_world(&w);
}

static void uses_the_authentication_name(void **state)
{
    struct world w;
    struct registration_params p = alice;
    (void)state;
    p.auth_user = "auth\"name";
    make_world(&w, &both, &p, 3);
    assert_true(is_ok(registrar_add_user(w.server, "bob", "auth\"name", "secret")));
    p.user = "bob";
    registration_free(w.phone);
    assert_true(is_ok(registration_new(&p, &handlers, &w, &w.rng, &w.phone, NULL)));
    connect_from(&w, "192.0.2.7:40312");
    assert_state(&w, "registered");
    assert_true(said(&w, "username=\"auth\\\"name\""));
    end_world(&w);
}

static void escapes_odd_user_names(void **state)
{
    static const char *const names[] = {"alice@home", "100%", "sales team", "J\xc3\xbcrg", "a:b"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct world w;
        struct registration_params p = alice;
        p.user = names[i];
        make_world(&w, &both, &p, i);
        assert_true(is_ok(registrar_add_user(w.server, names[i], NULL, "secret")));
        connect_from(&w, "192.0.2.7:40312");
        assert_state(&w, "registered");
        end_world(&w);
    }
}

static void refuses_what_makes_no_register(void **state)
{
    static const struct {
        size_t offset;
        const char *value;
        const char *sentence;
    } cases[] = {
        {offsetof(struct registration_params, user), "", "the account has no user name"},
        {offsetof(struct registration_params, domain), "exa mple.com",
         "\"exa mple.com\" is no name or address of a server"},
        {offsetof(struct registration_params, domain), "2001:db8::zz",
         "\"2001:db8::zz\" is no name or address of a server"},
        {offsetof(struct registration_params, display_name), "A\r\nRoute: <sip:evil>",
         "the display name has a character that cannot stand in a SIP message"},
        {offsetof(struct registration_params, user_agent), "x\ny",
         "the User-Agent has a character that cannot stand in a SIP message"},
        {offsetof(struct registration_params, instance_id), "urn:uuid:\"><",
         "the instance id is no URN"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registration_params p = alice;
        struct registration *r;
        struct errinfo e = ERRINFO_INIT;
        uint64_t seed = 1;
        const struct rng rng = rigged_rng(&seed);
        memcpy((char *)&p + cases[i].offset, &cases[i].value, sizeof cases[i].value);
        assert_int_equal(registration_new(&p, &handlers, NULL, &rng, &r, &e).code, ERR_INVALID);
        assert_string_equal(e.text, cases[i].sentence);
    }
}

/* --- refreshing --- */

static void refreshes_between_80_and_90_percent(void **state)
{
    uint64_t earliest = UINT64_MAX, latest = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct world w;
        make_world(&w, &both, &alice, seed);
        connect_from(&w, "192.0.2.7:40312");
        const uint64_t after = registration_deadline(w.phone) - w.now_ms;
        assert_in_range(after, 2880000, 3240000);
        earliest = after < earliest ? after : earliest;
        latest = after > latest ? after : latest;
        end_world(&w);
    }
    assert_true(earliest < 2900000 && latest > 3220000); /* it does spread */
}

static void refreshes_in_one_round_trip(void **state)
{
    struct world w;
    (void)state;
    make_world(&w, &both, &alice, 4);
    connect_from(&w, "192.0.2.7:40312");
    assert_true(said(&w, "nc=00000001"));
    for (int i = 2; i <= 4; i++) {
        char count[16];
        (void)snprintf(count, sizeof count, "nc=%08x", (unsigned)i);
        run_until(&w, registration_deadline(w.phone));
        assert_state(&w, "registered");
        assert_true(said(&w, count));
    }
    assert_int_equal(w.requests, 5);
    assert_string_equal(w.log, "challenged registered refreshed refreshed refreshed");
    end_world(&w);
}

static void is_registered_without_a_gap(void **state)
{
    static const uint32_t grants[] = {20, 60, 600, 3600};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(grants); i++) {
        struct registrar_config cfg = both;
        struct world w;
        cfg.max_expires_s = grants[i];
        cfg.nonce_lifetime_ms = 5 * MINUTE_MS;
        make_world(&w, &cfg, &alice, i);
        connect_from(&w, "192.0.2.7:40312");
        for (int step = 0; step < 1000; step++) {
            run_for(&w, grants[i] * 100U);
            assert_true(registration_is_up(w.phone));
            assert_int_equal(bindings(&w), 1);
        }
        end_world(&w);
    }
}

static void does_not_hammer_who_grants_next_to_nothing(void **state)
{
    struct registrar_config cfg = both;
    struct world w;
    (void)state;
    cfg.max_expires_s = 1;
    make_world(&w, &cfg, &alice, 5);
    connect_from(&w, "192.0.2.7:40312");
    run_for(&w, HOUR_MS);
    assert_true(w.requests < 750);
    end_world(&w);
}

static void takes_a_new_nonce_for_a_stale_one(void **state)
{
    static const bool silent[] = {false, true};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(silent); i++) {
        struct registrar_config cfg = both;
        struct world w;
        cfg.nonce_lifetime_ms = MINUTE_MS;
        cfg.silent_about_stale = silent[i];
        make_world(&w, &cfg, &alice, 6);
        connect_from(&w, "192.0.2.7:40312");
        run_until(&w, registration_deadline(w.phone));
        assert_state(&w, "registered");
        assert_string_equal(w.log, "challenged registered challenged refreshed");
        assert_int_equal(registration_error(w.phone)->code, ERR_OK);
        end_world(&w);
    }
}

static void uses_the_next_nonce(void **state)
{
    struct registrar_config cfg = both;
    struct world w;
    char first[64], second[64];
    (void)state;
    cfg.next_nonce = true;
    make_world(&w, &cfg, &alice, 7);
    connect_from(&w, "192.0.2.7:40312");
    copy_after(&w, " nonce=\"", first, sizeof first);
    run_until(&w, registration_deadline(w.phone));
    copy_after(&w, " nonce=\"", second, sizeof second);
    assert_string_not_equal(first, second);
    assert_true(said(&w, "nc=00000001"));
    assert_string_equal(w.log, "challenged registered refreshed");
    end_world(&w);
}

static void is_not_up_when_the_binding_has_ended(void **state)
{
    struct registrar_config cfg = both;
    struct world w;
    (void)state;
    cfg.max_expires_s = 60;
    make_world(&w, &cfg, &alice, 8);
    connect_from(&w, "192.0.2.7:40312");
    const uint64_t start = w.now_ms;
    w.unplugged = true;
    run_until(&w, start + 59999);
    assert_state(&w, "refreshing");
    assert_true(registration_is_up(w.phone));
    run_until(&w, start + 60000);
    assert_state(&w, "trying");
    assert_false(registration_is_up(w.phone));
    assert_int_equal(w.given_up, 0);
    run_until(&w, start + 60000 + LIMIT_SIP_TIMER_F_MS);
    assert_int_equal(w.given_up, 1);
    end_world(&w);
}

/* --- refusals --- */

static void waits_long_after_a_wrong_password(void **state)
{
    static const struct {
        bool again;
        const char *sentence;
    } cases[] = {
        {false, "the server refused the user name or password (403 Forbidden)"},
        {true, "the server refused the user name or password (401 Unauthorized)"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registrar_config cfg = both;
        struct registration_params p = alice;
        struct world w;
        cfg.challenge_again = cases[i].again;
        p.password = "wrong";
        make_world(&w, &cfg, &p, i);
        connect_from(&w, "192.0.2.7:40312");
        assert_state(&w, "waiting");
        assert_int_equal(registration_error(w.phone)->code, ERR_AUTH);
        assert_error(&w, cases[i].sentence);
        assert_int_equal(w.requests, 2);
        assert_true(registration_deadline(w.phone) - w.now_ms >= LIMIT_AUTH_RETRY_MS / 2);
        run_for(&w, 24 * HOUR_MS);
        assert_in_range(w.requests, 2 * 24, 2 * 120); /* it neither gives up nor hammers */
        assert_true(is_ok(registrar_add_user(w.server, "alice", NULL, "wrong")));
        run_for(&w, LIMIT_RECONNECT_MAX_MS);
        assert_state(&w, "registered");
        assert_int_equal(registration_error(w.phone)->code, ERR_OK);
        /* and what was is forgotten: the next wait is a first one again */
        assert_true(is_ok(registrar_add_user(w.server, "alice", NULL, "changed")));
        run_until(&w, registration_deadline(w.phone));
        assert_state(&w, "waiting");
        assert_true(registration_deadline(w.phone) - w.now_ms <= LIMIT_AUTH_RETRY_MS);
        end_world(&w);
    }
}

static void wait_holds_over_reconnections(void **state)
{
    struct registration_params p = alice;
    struct world w;
    (void)state;
    p.password = "wrong";
    make_world(&w, &both, &p, 9);
    connect_from(&w, "192.0.2.7:40312");
    const uint64_t again = registration_deadline(w.phone);
    registration_disconnected(w.phone);
    registration_disconnected(w.phone);
    assert_true(registration_deadline(w.phone) == UINT64_MAX);
    w.now_ms += 2000;
    connect_from(&w, "192.0.2.7:40313");
    assert_state(&w, "waiting");
    assert_int_equal(w.requests, 2);
    assert_true(registration_deadline(w.phone) == again);
    registration_disconnected(w.phone);
    registration_forget_refusals(w.phone);
    connect_from(&w, "192.0.2.7:40314");
    assert_int_equal(w.requests, 4);
    end_world(&w);
}

static void says_what_the_server_means(void **state)
{
    static const struct {
        enum registrar_fault fault;
        const char *user;
        const char *password;
        const char *sentence;
    } cases[] = {
        {REGISTRAR_FORBIDDEN, "alice", "secret",
         "the server does not let this account register (403 Forbidden)"},
        {REGISTRAR_WELL, "nobody", "secret",
         "the server does not know this account (404 Not Found)"},
        {REGISTRAR_WELL, "alice", NULL, "the server asks for a password, and the account has none"},
        {REGISTRAR_WELL, "alice", "", "the server asks for a password, and the account has none"},
        {REGISTRAR_UNAVAILABLE, "alice", "secret",
         "the server cannot register the account now (503 Service Unavailable)"},
        {REGISTRAR_INSATIABLE, "alice", "secret",
         "the server is content with no length of a registration (423 Interval Too Brief)"},
        {REGISTRAR_NO_CONTACT, "alice", "secret",
         "the server says that it registered, but not this phone"},
        {REGISTRAR_STALE, "alice", "secret", "the server asks for the password again and again"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registrar_config cfg = both;
        struct registration_params p = alice;
        struct world w;
        cfg.fault = cases[i].fault;
        p.user = cases[i].user;
        p.password = cases[i].password;
        make_world(&w, &cfg, &p, i);
        connect_from(&w, "192.0.2.7:40312");
        assert_state(&w, "waiting");
        assert_error(&w, cases[i].sentence);
        assert_true(w.changes > 0);
        assert_true(w.requests <= 1 + LIMIT_AUTH_ROUNDS);
        const int before = w.requests;
        run_for(&w, HOUR_MS);
        assert_in_range(w.requests, before, before + 40);
        end_world(&w);
    }
}

static void recovers_when_the_server_does(void **state)
{
    struct registrar_config cfg = both;
    struct world w;
    (void)state;
    cfg.fault = REGISTRAR_UNAVAILABLE;
    make_world(&w, &cfg, &alice, 10);
    connect_from(&w, "192.0.2.7:40312");
    registrar_set_fault(w.server, REGISTRAR_WELL);
    run_for(&w, LIMIT_REGISTER_RETRY_MS);
    assert_state(&w, "registered");
    assert_int_equal(registration_error(w.phone)->code, ERR_OK);
    end_world(&w);
}

static void honours_retry_after(void **state)
{
    static const struct {
        uint32_t asked_s;
        uint64_t from_ms;
        uint64_t to_ms;
    } cases[] = {
        {1, LIMIT_REGISTER_RETRY_MS / 2, LIMIT_REGISTER_RETRY_MS}, /* ours is longer */
        {600, 600000, 660000},
        {4000000000U, LIMIT_RETRY_AFTER_S * 1000U, LIMIT_RETRY_AFTER_S * 1100U},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registrar_config cfg = both;
        struct world w;
        cfg.fault = REGISTRAR_UNAVAILABLE;
        cfg.retry_after_s = cases[i].asked_s;
        make_world(&w, &cfg, &alice, i);
        connect_from(&w, "192.0.2.7:40312");
        assert_in_range(registration_deadline(w.phone) - w.now_ms, cases[i].from_ms,
                        cases[i].to_ms);
        end_world(&w);
    }
}

static void lengthens_for_423(void **state)
{
    struct registrar_config cfg = both;
    struct world w;
    struct registration_params p = alice;
    (void)state;
    cfg.min_expires_s = 900;
    p.expires_s = 60;
    make_world(&w, &cfg, &p, 11);
    connect_from(&w, "192.0.2.7:40312");
    assert_state(&w, "registered");
    assert_int_equal(registration_granted_s(w.phone), 900);
    assert_int_equal(w.requests, 3);
    run_until(&w, registration_deadline(w.phone)); /* it is remembered */
    assert_int_equal(w.requests, 4);
    end_world(&w);
}

static void refuses_to_register_for_too_long(void **state)
{
    struct registrar_config cfg = both;
    struct world w;
    (void)state;
    cfg.min_expires_s = 86401;
    make_world(&w, &cfg, &alice, 12);
    connect_from(&w, "192.0.2.7:40312");
    assert_state(&w, "waiting");
    assert_error(&w, "the server wants registrations to last 86401 s: more than 86400");
    end_world(&w);
}

static void drops_what_the_server_does_not_know(void **state)
{
    static const struct {
        enum registrar_fault fault;
        const char *has;
        const char *has_not;
    } cases[] = {
        {REGISTRAR_NO_SIPS, "Contact: <sip:alice@192.0.2.7:40312;transport=tls>", "sips:"},
        {REGISTRAR_NO_OUTBOUND, "Supported: path\r\n", "reg-id"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct registrar_config cfg = both;
        struct world w;
        cfg.fault = cases[i].fault;
        make_world(&w, &cfg, &alice, i);
        connect_from(&w, "192.0.2.7:40312");
        assert_state(&w, "registered");
        assert_true(said(&w, cases[i].has));
        assert_false(said(&w, cases[i].has_not));
        registration_disconnected(w.phone); /* and remembers it */
        const int before = w.requests;
        connect_from(&w, "192.0.2.7:40312");
        assert_state(&w, "registered");
        assert_int_equal(w.requests, before + 1);
        end_world(&w);
    }
}

/* --- no answers --- */

static void gives_the_connection_up_without_an_answer(void **state)
{
    static const enum registrar_fault faults[] = {REGISTRAR_SILENT, REGISTRAR_TRYING,
                                                  REGISTRAR_WRONG_CSEQ};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct registrar_config cfg = both;
        struct world w;
        cfg.fault = faults[i];
        make_world(&w, &cfg, &alice, i);
        connect_from(&w, "192.0.2.7:40312");
        const uint64_t start = w.now_ms;
        assert_state(&w, "trying");
        run_until(&w, start + LIMIT_SIP_TIMER_F_MS - 1);
        assert_int_equal(w.given_up, 0);
        run_until(&w, start + LIMIT_SIP_TIMER_F_MS);
        assert_int_equal(w.given_up, 1);
        assert_state(&w, "off");
        assert_error(&w, "the server did not answer the REGISTER within 32 s");
        assert_true(registration_deadline(w.phone) == UINT64_MAX);
        end_world(&w);
    }
}

static void leaves_responses_to_others_alone(void **state)
{
    static const char response[] = "SIP/2.0 200 OK\r\n"
                                   "Via: SIP/2.0/TLS 192.0.2.7:40312;branch=z9hG4bKother\r\n"
                                   "From: <sips:alice@example.com>;tag=a\r\n"
                                   "To: <sips:alice@example.com>;tag=b\r\n"
                                   "Call-ID: other\r\n"
                                   "CSeq: 1 REGISTER\r\n"
                                   "Content-Length: 0\r\n\r\n";
    struct world w;
    struct sip_message *m;
    (void)state;
    make_world(&w, &both, &alice, 13);
    registration_connected(w.phone, "192.0.2.7:40312", w.now_ms);
    assert_true(is_ok(sip_message_parse(slice_of_str(response), &m, NULL)));
    assert_false(registration_receive(w.phone, m, w.now_ms));
    assert_state(&w, "trying");
    sip_message_free(m);
    end_world(&w);
}

/* --- going --- */

static void removes_its_binding(void **state)
{
    static const uint64_t nonce_lifetimes_ms[] = {0, MINUTE_MS}; /* and with a challenge */
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nonce_lifetimes_ms); i++) {
        struct registrar_config cfg = both;
        struct world w;
        cfg.nonce_lifetime_ms = nonce_lifetimes_ms[i];
        make_world(&w, &cfg, &alice, i);
        connect_from(&w, "192.0.2.7:40312");
        run_for(&w, 2 * MINUTE_MS);
        registration_remove(w.phone, w.now_ms);
        assert_state(&w, "removing");
        exchange(&w);
        assert_state(&w, "off");
        assert_true(said(&w, "\r\nExpires: 0\r\n"));
        assert_int_equal(bindings(&w), 0);
        assert_true(registration_deadline(w.phone) == UINT64_MAX);
        end_world(&w);
    }
}

static void removes_a_binding_that_is_being_made(void **state)
{
    struct registrar_config cfg = {.realm = NULL};
    struct world w;
    (void)state;
    make_world(&w, &cfg, &alice, 14);
    registration_connected(w.phone, "192.0.2.7:40312", w.now_ms);
    registration_remove(w.phone, w.now_ms);
    exchange(&w);
    assert_state(&w, "off");
    assert_int_equal(bindings(&w), 0);
    end_world(&w);
}

static void does_not_wait_for_ever_to_go(void **state)
{
    struct world w;
    (void)state;
    make_world(&w, &both, &alice, 15);
    connect_from(&w, "192.0.2.7:40312");
    w.unplugged = true;
    registration_remove(w.phone, w.now_ms);
    registration_remove(w.phone, w.now_ms); /* once is enough */
    const int requests = w.requests;
    run_for(&w, LIMIT_CLOSE_MS - 1);
    assert_state(&w, "removing");
    run_for(&w, 1);
    assert_state(&w, "off");
    assert_int_equal(w.requests, requests);
    assert_int_equal(w.given_up, 0);
    end_world(&w);
}

static void has_nothing_to_remove_while_it_waits(void **state)
{
    struct registrar_config cfg = both;
    struct world w;
    (void)state;
    cfg.fault = REGISTRAR_FORBIDDEN;
    make_world(&w, &cfg, &alice, 16);
    connect_from(&w, "192.0.2.7:40312");
    const int requests = w.requests;
    registration_remove(w.phone, w.now_ms);
    assert_state(&w, "off");
    assert_int_equal(w.requests, requests);
    end_world(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_every_kind_of_challenge),
        cmocka_unit_test(says_who_and_where_it_is),
        cmocka_unit_test(keeps_call_id_and_counts_cseq_over_connections),
        cmocka_unit_test(uses_the_authentication_name),
        cmocka_unit_test(escapes_odd_user_names),
        cmocka_unit_test(refuses_what_makes_no_register),
        cmocka_unit_test(refreshes_between_80_and_90_percent),
        cmocka_unit_test(refreshes_in_one_round_trip),
        cmocka_unit_test(is_registered_without_a_gap),
        cmocka_unit_test(does_not_hammer_who_grants_next_to_nothing),
        cmocka_unit_test(takes_a_new_nonce_for_a_stale_one),
        cmocka_unit_test(uses_the_next_nonce),
        cmocka_unit_test(is_not_up_when_the_binding_has_ended),
        cmocka_unit_test(waits_long_after_a_wrong_password),
        cmocka_unit_test(wait_holds_over_reconnections),
        cmocka_unit_test(says_what_the_server_means),
        cmocka_unit_test(recovers_when_the_server_does),
        cmocka_unit_test(honours_retry_after),
        cmocka_unit_test(lengthens_for_423),
        cmocka_unit_test(refuses_to_register_for_too_long),
        cmocka_unit_test(drops_what_the_server_does_not_know),
        cmocka_unit_test(gives_the_connection_up_without_an_answer),
        cmocka_unit_test(leaves_responses_to_others_alone),
        cmocka_unit_test(removes_its_binding),
        cmocka_unit_test(removes_a_binding_that_is_being_made),
        cmocka_unit_test(does_not_wait_for_ever_to_go),
        cmocka_unit_test(has_nothing_to_remove_while_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
