/* The test registrar is trusted by other tests; so it is tested itself, where those do not look. */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/digest.h"
#include "tools/registrar.h"
#include "tools/rigged_rng.h"

struct world {
    uint64_t seed;
    struct rng rng;
    struct registrar *r;
    struct registrar_peer *peer;
    char log[1024];
    char answer[8192];
    bool close;
};

static void on_event(void *arg, const struct registrar_event *e)
{
    struct world *w = arg;
    const size_t used = strlen(w->log);
    (void)snprintf(w->log + used, sizeof w->log - used, "%s %s %d;", registrar_event_name(e->type),
                   e->contact, e->status);
}

static void make_world(struct world *w, const struct registrar_config *cfg)
{
    *w = (struct world){.seed = 1};
    w->rng = rigged_rng(&w->seed);
    assert_true(is_ok(registrar_new(cfg, &w->rng, on_event, w, &w->r)));
    assert_true(is_ok(registrar_add_user(w->r, "alice", NULL, "secret")));
    assert_true(is_ok(registrar_peer_new(w->r, &w->peer)));
}

static void end_world(struct world *w)
{
    registrar_peer_free(w->peer);
    registrar_free(w->r);
}

/* The status of the answer to BYTES; 0 if there is none. */
static int feed(struct world *w, const char *bytes, uint64_t now_ms)
{
    struct buf out;
    buf_init(&out, sizeof w->answer - 1);
    w->log[0] = '\0';
    assert_true(
        is_ok(registrar_peer_feed(w->peer, slice_of_str(bytes), now_ms, &out, &w->close, NULL)));
    assert_true(slice_to_str(buf_slice(&out), w->answer, sizeof w->answer));
    buf_free(&out);
    return strncmp(w->answer, "SIP/2.0 ", 8) == 0 ? (int)strtol(w->answer + 8, NULL, 10) : 0;
}

static int request(struct world *w, const char *method, int cseq, const char *lines,
                   uint64_t now_ms)
{
    char text[2048];
    (void)snprintf(text, sizeof text,
                   "%s sips:example.com SIP/2.0\r\n"
                   "Via: SIP/2.0/TLS h;branch=z9hG4bK%d\r\n"
                   "From: <sips:alice@example.com>;tag=1\r\n"
                   "To: <sips:alice@example.com>\r\n"
                   "Call-ID: c\r\nCSeq: %d %s\r\n%sContent-Length: 0\r\n\r\n",
                   method, cseq, cseq, method, lines);
    return feed(w, text, now_ms);
}

static const struct registrar_config open_door = {.realm = NULL};

static void keeps_bindings_until_they_expire(void **state)
{
    struct world w;
    struct registrar_binding b;
    (void)state;
    make_world(&w, &open_door);
    assert_int_equal(request(&w, "REGISTER", 1, "m: <sips:a@one>;expires=60\r\n", 1000), 200);
    assert_string_equal(w.log, "registered sips:a@one 200;");
    assert_int_equal(request(&w, "REGISTER", 2, "m: <sips:a@two>\r\nExpires: 90\r\n", 1000), 200);
    assert_non_null(strstr(w.answer, "Contact: <sips:a@one>;expires=60\r\n"));
    assert_non_null(strstr(w.answer, "Contact: <sips:a@two>;expires=90\r\n"));
    assert_true(registrar_binding(w.r, 1, 60999, &b));
    assert_false(registrar_binding(w.r, 1, 61000, &b));
    assert_true(registrar_binding(w.r, 0, 61000, &b));
    assert_string_equal(b.aor, "sips:alice@example.com");
    assert_string_equal(b.contact, "sips:a@two");
    assert_int_equal(b.expires_s, 30);
    end_world(&w);
}

#define PHONE_AT(place) "m: <sips:a@" place ">;+sip.instance=\"<urn:uuid:1>\"\r\n"

static void tells_refreshed_from_registered(void **state)
{
    struct world w;
    (void)state;
    make_world(&w, &open_door);
    assert_int_equal(request(&w, "REGISTER", 1, "m: <sips:a@one>\r\n", 0), 200);
    assert_int_equal(request(&w, "REGISTER", 2, "m: <sips:a@ONE>\r\n", 0), 200);
    assert_string_equal(w.log, "refreshed sips:a@ONE 200;");
    assert_int_equal(request(&w, "REGISTER", 3, PHONE_AT("two"), 0), 200);
    assert_int_equal(request(&w, "REGISTER", 4, PHONE_AT("three"), 0), 200);
    assert_string_equal(w.log, "refreshed sips:a@three 200;");
    end_world(&w);
}

/* RFC 3261 section 10.3 step 7 */
static void wants_rising_cseqs(void **state)
{
    struct world w;
    (void)state;
    make_world(&w, &open_door);
    assert_int_equal(request(&w, "REGISTER", 5, "m: <sips:a@one>\r\n", 0), 200);
    assert_int_equal(request(&w, "REGISTER", 5, "m: <sips:a@one>\r\n", 0), 500);
    assert_int_equal(request(&w, "REGISTER", 4, "m: <sips:a@one>;expires=0\r\n", 0), 500);
    assert_int_equal(request(&w, "REGISTER", 6, "m: <sips:a@one>;expires=0\r\n", 0), 200);
    assert_string_equal(w.log, "unregistered sips:a@one 200;");
    end_world(&w);
}

static void takes_all_bindings_away_for_a_star(void **state)
{
    struct world w;
    struct registrar_binding b;
    (void)state;
    make_world(&w, &open_door);
    assert_int_equal(request(&w, "REGISTER", 1, "m: <sips:a@one>, <sips:a@two>\r\n", 0), 200);
    assert_int_equal(request(&w, "REGISTER", 2, "m: *\r\n", 0), 400);
    assert_int_equal(request(&w, "REGISTER", 3, "m: *\r\nExpires: 60\r\n", 0), 400);
    assert_int_equal(request(&w, "REGISTER", 4, "m: *\r\nExpires: 0\r\n", 0), 200);
    assert_string_equal(w.log, "unregistered sips:a@one 200;unregistered sips:a@two 200;");
    assert_false(registrar_binding(w.r, 0, 0, &b));
    end_world(&w);
}

static void refuses_short_bindings_but_not_removals(void **state)
{
    const struct registrar_config cfg = {.min_expires_s = 60};
    struct world w;
    (void)state;
    make_world(&w, &cfg);
    assert_int_equal(request(&w, "REGISTER", 1, "m: <sips:a@one>;expires=59\r\n", 0), 423);
    assert_non_null(strstr(w.answer, "\r\nMin-Expires: 60\r\n"));
    assert_int_equal(request(&w, "REGISTER", 2, "m: <sips:a@one>;expires=60\r\n", 0), 200);
    assert_int_equal(request(&w, "REGISTER", 3, "m: <sips:a@one>;expires=0\r\n", 0), 200);
    end_world(&w);
}

static void answers_other_requests(void **state)
{
    static const struct {
        const char *method;
        int status;
    } cases[] = {{"OPTIONS", 200}, {"INVITE", 405}, {"MESSAGE", 405}, {"DANCE", 501}, {"ACK", 0}};
    struct world w;
    (void)state;
    make_world(&w, &open_door);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(request(&w, cases[i].method, 1, "", 0), cases[i].status);
    assert_int_equal(feed(&w, "\r\n\r\n", 0), 0);
    assert_string_equal(w.answer, "\r\n");
    end_world(&w);
}

static void takes_no_credentials_twice(void **state)
{
    static const struct digest_credentials alice = {"alice", "secret"};
    const struct registrar_config cfg = {.realm = "r", .md5 = true};
    struct digest_challenge c;
    struct world w;
    struct buf answer;
    char lines[1024];
    (void)state;
    make_world(&w, &cfg);
    assert_int_equal(request(&w, "REGISTER", 1, "", 0), 401);
    struct slice text = slice_of_str(strstr(w.answer, "Digest "));
    text = slice_first(text, slice_find(text, '\r'));
    assert_true(is_ok(digest_parse(&text, &c, NULL)));
    buf_init(&answer, sizeof lines);
    assert_true(
        is_ok(digest_answer(&answer, &c, &alice, "REGISTER", "sips:example.com", 1, &w.rng, NULL)));
    (void)snprintf(lines, sizeof lines, "Authorization: %s\r\n", buf_str(&answer));
    assert_int_equal(request(&w, "REGISTER", 2, lines, 0), 200);
    assert_int_equal(request(&w, "REGISTER", 3, lines, 0), 401);
    assert_non_null(strstr(w.answer, "stale=true"));
    buf_free(&answer);
    end_world(&w);
}

static void closes_when_told_to(void **state)
{
    const struct registrar_config cfg = {.fault = REGISTRAR_CLOSES};
    struct world w;
    (void)state;
    make_world(&w, &cfg);
    assert_int_equal(request(&w, "REGISTER", 1, "", 0), 0);
    assert_true(w.close);
    registrar_set_fault(w.r, REGISTRAR_WELL);
    assert_int_equal(request(&w, "REGISTER", 2, "", 0), 200);
    assert_false(w.close);
    end_world(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_bindings_until_they_expire),
        cmocka_unit_test(tells_refreshed_from_registered),
        cmocka_unit_test(wants_rising_cseqs),
        cmocka_unit_test(takes_all_bindings_away_for_a_star),
        cmocka_unit_test(refuses_short_bindings_but_not_removals),
        cmocka_unit_test(answers_other_requests),
        cmocka_unit_test(takes_no_credentials_twice),
        cmocka_unit_test(closes_when_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
