/* neterr: codes and sentences of what the network does. */
#include <errno.h>

#include "sys/neterr.h"
#include "tools/unit.h"

static void ends_of_a_connection(void **state)
{
    (void)state;
    static const struct {
        int errnum;
        enum err code;
        const char *sentence;
    } cases[] = {
        {0, ERR_CLOSED, "the other side closed the connection"},
        {ECONNRESET, ERR_CLOSED, "the other side reset the connection"},
        {EPIPE, ERR_CLOSED, "the other side reset the connection"},
        {ETIMEDOUT, ERR_TIMEOUT, "the connection failed: Connection timed out"},
        {EHOSTUNREACH, ERR_SYSTEM, "the connection failed: No route to host"},
        {ENOMEM, ERR_NOMEM, "the connection failed: Cannot allocate memory"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(neterr_stream(&e, cases[i].errnum).code, cases[i].code);
        assert_int_equal(e.code, cases[i].code);
        assert_int_equal(e.native, cases[i].errnum);
        assert_string_equal(e.text, cases[i].sentence);
    }
}

static void failures_to_connect(void **state)
{
    (void)state;
    static const struct {
        int errnum;
        enum err code;
        const char *sentence;
    } cases[] = {
        {ECONNREFUSED, ERR_SYSTEM, "cannot connect to [2001:db8::1]:5061: Connection refused"},
        {ENETUNREACH, ERR_SYSTEM, "cannot connect to [2001:db8::1]:5061: Network is unreachable"},
        {ETIMEDOUT, ERR_TIMEOUT, "cannot connect to [2001:db8::1]:5061: Connection timed out"},
        {EACCES, ERR_DENIED, "cannot connect to [2001:db8::1]:5061: Permission denied"},
    };
    struct addr to;
    assert_true(addr_parse("2001:db8::1", 5061, &to));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct errinfo e = ERRINFO_INIT;
        assert_int_equal(neterr_connect(&e, &to, cases[i].errnum).code, cases[i].code);
        assert_string_equal(e.text, cases[i].sentence);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_of_a_connection),
        cmocka_unit_test(failures_to_connect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
