#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "control/lock.h"
#include "tools/unit.h"

/* An account in the best of states, for tests to change. */
struct world {
    struct verdict verdict;
    struct errinfo error, registration_error;
    struct account_status status;
};

static void good(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->error = w->registration_error = ERRINFO_INIT;
    w->verdict.class = VERDICT_VERIFIED;
    w->verdict.name_checked = true;
    w->verdict.anchored = true;
    (void)snprintf(w->verdict.summary, sizeof w->verdict.summary,
                   "Verified: sip.test, issued by Demo CA");
    w->status = (struct account_status){
        .number = 3,
        .label = "Desk",
        .aor = "sips:alice@sip.test",
        .state = ACCOUNT_OPEN,
        .registration = REGISTRATION_REGISTERED,
        .registration_error = &w->registration_error,
        .encrypted = true,
        .name_checked = true,
        .verdict = &w->verdict,
        .error = &w->error,
        .host = "sip.test",
    };
}

static void add_reason(struct world *w, enum reason_code code, const char *sentence)
{
    struct reason *r = &w->verdict.reasons[w->verdict.reasons_count++];

    r->code = code;
    (void)snprintf(r->sentence, sizeof r->sentence, "%s", sentence);
}

static void failed(struct world *w, enum account_state state, enum err code, const char *text)
{
    w->status.state = state;
    w->status.encrypted = false;
    w->error.code = code;
    (void)snprintf(w->error.text, sizeof w->error.text, "%s", text);
}

static void refused(struct world *w, enum account_state state)
{
    failed(w, state, ERR_CERT, "not this one");
    w->verdict.class = VERDICT_REJECTED;
    add_reason(w, REASON_EXPIRED, "the certificate of sip.test expired on 1 May");
}

static void check(const struct world *w, enum lock_state state, bool lock,
                  enum lock_assurance assurance, enum verdict_class verdict, const char *code,
                  const char *sentence)
{
    struct lock_entry e;

    lock_reduce(&w->status, &e);
    assert_int_equal(3, e.account);
    assert_int_equal(state, e.state);
    assert_int_equal(lock, e.lock);
    assert_int_equal(assurance, e.assurance);
    assert_int_equal(verdict, e.verdict);
    assert_string_equal(code, e.code);
    assert_string_equal(sentence, e.sentence);
}

static void test_verified(void **state)
{
    struct world w;
    (void)state;

    good(&w);
    check(&w, LOCK_UP, true, LOCK_ASSURANCE_FULL, VERDICT_VERIFIED, "none",
          "Verified: sip.test, issued by Demo CA");
    w.status.state = ACCOUNT_STOPPING; /* the un-REGISTER is encrypted, too */
    check(&w, LOCK_UP, true, LOCK_ASSURANCE_FULL, VERDICT_VERIFIED, "none",
          "Verified: sip.test, issued by Demo CA");
}

static void test_name_not_checked(void **state)
{
    struct world w;
    (void)state;

    good(&w);
    w.verdict.name_checked = false;
    check(&w, LOCK_UP, true, LOCK_ASSURANCE_CHAIN, VERDICT_VERIFIED, "none",
          "Trusted, but name validation is off: nobody has checked that it is sip.test");
}

static void test_provisional(void **state)
{
    struct world w;
    (void)state;

    good(&w);
    w.verdict.class = VERDICT_PROVISIONAL;
    add_reason(&w, REASON_CLOCK_UNSET, "The phone's clock is not set");
    check(&w, LOCK_UP, true, LOCK_ASSURANCE_CHAIN, VERDICT_PROVISIONAL, "clock_unset",
          "The phone's clock is not set");
}

static void test_trust_checking_off(void **state)
{
    struct world w;
    (void)state;

    good(&w);
    w.verdict.class = VERDICT_UNVERIFIED;
    add_reason(&w, REASON_UNKNOWN_CA, "Joe's CA is not among the trusted certificates");
    add_reason(&w, REASON_NOT_CHECKED, "trust checking is off");
    check(&w, LOCK_UP, true, LOCK_ASSURANCE_NONE, VERDICT_UNVERIFIED, "unknown_ca",
          "Encrypted, but not verified (trust checking is off): Joe's CA is not among the trusted "
          "certificates");

    good(&w);
    w.verdict.class = VERDICT_UNVERIFIED;
    add_reason(&w, REASON_NOT_CHECKED, "trust checking is off");
    check(&w, LOCK_UP, true, LOCK_ASSURANCE_NONE, VERDICT_UNVERIFIED, "not_checked",
          "Encrypted, but not verified: trust checking is off");
}

static void test_connecting(void **state)
{
    static const enum account_state states[] = {ACCOUNT_RESOLVING, ACCOUNT_CONNECTING,
                                                ACCOUNT_HANDSHAKE};
    struct world w;
    (void)state;

    good(&w);
    w.status.encrypted = false;
    w.verdict.class = VERDICT_NONE;
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        w.status.state = states[i];
        check(&w, LOCK_CONNECTING, false, LOCK_ASSURANCE_NONE, VERDICT_NONE, "none",
              "Connecting to sip.test");
    }
}

static void test_our_certificate_is_not_accepted_yet(void **state)
{
    struct world w;
    (void)state;

    good(&w);
    w.status.encrypted = false;
    check(&w, LOCK_CONNECTING, false, LOCK_ASSURANCE_NONE, VERDICT_NONE, "none",
          "Waiting for sip.test to accept the phone's certificate");

    /* Nor the last time, which is told until it has. */
    IGNORE(fail(&w.error, ERR_IDENTITY, "the server did not accept the phone's certificate"));
    check(&w, LOCK_CONNECTING, false, LOCK_ASSURANCE_NONE, VERDICT_NONE, "identity",
          "Trying again; the last time: the server did not accept the phone's certificate");
    w.status.state = ACCOUNT_WAITING;
    check(&w, LOCK_DOWN, false, LOCK_ASSURANCE_NONE, VERDICT_NONE, "identity",
          "the server did not accept the phone's certificate");
}

static void test_refused(void **state)
{
    struct world w;
    (void)state;

    good(&w);
    refused(&w, ACCOUNT_WAITING);
    check(&w, LOCK_DOWN, false, LOCK_ASSURANCE_NONE, VERDICT_REJECTED, "expired",
          "the certificate of sip.test expired on 1 May");
    w.status.state = ACCOUNT_HANDSHAKE;
    check(&w, LOCK_CONNECTING, false, LOCK_ASSURANCE_NONE, VERDICT_REJECTED, "expired",
          "Trying again; the last time: the certificate of sip.test expired on 1 May");
}

/* A server that is down after it was refused has another fault than the certificate now. */
static void test_an_old_verdict_does_not_count(void **state)
{
    struct world w;
    (void)state;

    good(&w);
    refused(&w, ACCOUNT_WAITING);
    failed(&w, ACCOUNT_WAITING, ERR_SYSTEM, "cannot connect to sip.test");
    check(&w, LOCK_DOWN, false, LOCK_ASSURANCE_NONE, VERDICT_NONE, "connect",
          "cannot connect to sip.test");

    good(&w);
    failed(&w, ACCOUNT_WAITING, ERR_CLOSED, "sip.test closed the connection");
    check(&w, LOCK_DOWN, false, LOCK_ASSURANCE_NONE, VERDICT_NONE, "closed",
          "sip.test closed the connection");
}

static void test_codes_of_errors(void **state)
{
    static const struct {
        enum err error;
        const char *code;
    } cases[] = {
        {ERR_DNS, "dns"},           {ERR_SYSTEM, "connect"}, {ERR_TIMEOUT, "timeout"},
        {ERR_TLS, "tls"},           {ERR_CERT, "tls"},       {ERR_CLOSED, "closed"},
        {ERR_PARSE, "protocol"},    {ERR_LIMIT, "protocol"}, {ERR_AUTH, "registration"},
        {ERR_PEER, "registration"}, {ERR_NOMEM, "internal"}, {ERR_STATE, "internal"},
        {ERR_IDENTITY, "identity"},
    };
    struct world w;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        good(&w);
        failed(&w, ACCOUNT_WAITING, cases[i].error, "so it is");
        check(&w, LOCK_DOWN, false, LOCK_ASSURANCE_NONE, VERDICT_NONE, cases[i].code, "so it is");
    }
}

static void test_off(void **state)
{
    struct world w;
    (void)state;

    good(&w);
    w.status.state = ACCOUNT_IDLE;
    w.status.encrypted = false;
    check(&w, LOCK_DOWN, false, LOCK_ASSURANCE_NONE, VERDICT_NONE, "off",
          "Not connected: the account is off");
}

static void test_the_sentence_is_clean_and_cut(void **state)
{
    struct world w;
    struct lock_entry e;
    (void)state;

    good(&w);
    (void)snprintf(w.verdict.summary, sizeof w.verdict.summary,
                   "Verified: sip.test, issued by Evil\x1b[2J\xe9 CA");
    check(&w, LOCK_UP, true, LOCK_ASSURANCE_FULL, VERDICT_VERIFIED, "none",
          "Verified: sip.test, issued by Evil?[2J? CA");

    char host[600];
    for (size_t i = 0; i + 2 < sizeof host; i += 2)
        memcpy(host + i, "\xc3\xa4", 3);
    w.status.host = host;
    w.verdict.name_checked = false;
    lock_reduce(&w.status, &e);
    assert_true(strlen(e.sentence) >= sizeof e.sentence - 2);
    assert_true(utf8_is_text(slice_of_str(e.sentence)));
}

/* What must hold whatever the account says. */
static void check_invariants(const struct world *w)
{
    const struct account_status *s = &w->status;
    struct lock_entry e, again;

    lock_reduce(s, &e);
    lock_reduce(s, &again);
    assert_false(lock_differs(&e, &again));
    assert_true(e.sentence[0] != '\0' && e.code[0] != '\0');
    assert_true(e.lock == (e.state == LOCK_UP));
    if (e.lock) {
        assert_true(s->encrypted);
        assert_true(verdict_accepted(s->verdict));
        assert_true(s->state == ACCOUNT_OPEN || s->state == ACCOUNT_STOPPING);
        assert_int_equal(s->verdict->class, e.verdict);
    } else {
        assert_int_equal(LOCK_ASSURANCE_NONE, e.assurance);
        assert_true(e.verdict == VERDICT_NONE || e.verdict == VERDICT_REJECTED);
    }
    if (e.assurance == LOCK_ASSURANCE_FULL)
        assert_true(s->verdict->class == VERDICT_VERIFIED && s->verdict->name_checked);
    if (e.assurance == LOCK_ASSURANCE_CHAIN)
        assert_true(s->verdict->class >= VERDICT_PROVISIONAL);
    if (e.verdict == VERDICT_REJECTED)
        assert_true(s->error->code == ERR_CERT);
    assert_true((lock_verdict(s) != NULL) == (e.verdict != VERDICT_NONE));
    if (!e.lock && s->error->code != ERR_OK) /* a failure is never told as "none" */
        assert_string_not_equal("none", e.code);
}

static void test_invariants(void **state)
{
    size_t worlds = 0;
    (void)state;

    for (int st = ACCOUNT_IDLE; st <= ACCOUNT_STOPPING; st++)
        for (int class = VERDICT_NONE; class <= VERDICT_VERIFIED; class ++)
            for (int code = ERR_OK; code < ERR_COUNT; code++)
                for (unsigned bits = 0; bits < 16; bits++) {
                    struct world w;
                    good(&w);
                    w.status.state = (enum account_state)st;
                    w.status.encrypted = (bits & 1) != 0;
                    w.verdict.class = (enum verdict_class) class;
                    w.verdict.name_checked = (bits & 2) != 0;
                    w.verdict.pinned = (bits & 4) != 0;
                    if ((bits & 8) != 0 || class == VERDICT_REJECTED)
                        add_reason(&w, REASON_WEAK_KEY, "a key is too weak");
                    w.error.code = (enum err)code;
                    (void)snprintf(w.error.text, sizeof w.error.text, "a failure");
                    check_invariants(&w);
                    worlds++;
                }
    print_message("%zu combinations\n", worlds);
}

static void test_what_differs(void **state)
{
    struct world w;
    struct lock_entry a, b;
    (void)state;

    good(&w);
    lock_reduce(&w.status, &a);

#define CHANGED(change)                    \
    do {                                   \
        b = a;                             \
        change;                            \
        assert_true(lock_differs(&a, &b)); \
        assert_true(lock_differs(&b, &a)); \
    } while (0)
    CHANGED(b.account = 4);
    CHANGED(b.state = LOCK_DOWN);
    CHANGED(b.lock = false);
    CHANGED(b.assurance = LOCK_ASSURANCE_CHAIN);
    CHANGED(b.verdict = VERDICT_PROVISIONAL);
    CHANGED(b.code[0] = 'x');
    CHANGED(b.sentence[0] = 'x');
#undef CHANGED
}

/* How long it is until the next try changes all the time, and no UI has to be told. */
static void test_what_does_not_differ(void **state)
{
    struct world w;
    struct lock_entry a, b;
    (void)state;

    good(&w);
    refused(&w, ACCOUNT_WAITING);
    lock_reduce(&w.status, &a);
    w.status.retry_in_ms = 500;
    w.status.failures = 7;
    lock_reduce(&w.status, &b);
    assert_false(lock_differs(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verified),
        cmocka_unit_test(test_name_not_checked),
        cmocka_unit_test(test_provisional),
        cmocka_unit_test(test_trust_checking_off),
        cmocka_unit_test(test_connecting),
        cmocka_unit_test(test_our_certificate_is_not_accepted_yet),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_an_old_verdict_does_not_count),
        cmocka_unit_test(test_codes_of_errors),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_the_sentence_is_clean_and_cut),
        cmocka_unit_test(test_invariants),
        cmocka_unit_test(test_what_differs),
        cmocka_unit_test(test_what_does_not_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
