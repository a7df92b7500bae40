/* Whose certificate it is: that of the phone with a certain MAC address, or not. */
#include "pki/identity.h"
#include "tools/tlswire.h"
#include "tools/unit.h"

static void test_for_mac(void **state)
{
    static const struct {
        const char *subject, *san;
        bool is;
    } cases[] = {
        {"CN=001565abcdef", NULL, true},
        {"CN=001565ABCDEF", NULL, true},
        {"CN=00:15:65:AB:CD:EF", NULL, true},
        {"CN=00-15-65-ab-cd-ef,O=Maker", NULL, true},
        {"CN=0015.65ab.cdef", NULL, true},
        {"CN=001565abcdef.phones.example.com", NULL, true},
        {"CN=phone", "DNS:001565abcdef", true},
        {"CN=phone", "DNS:a.example.com DNS:00-15-65-ab-cd-ef.example.com", true},
        {"", "URI:urn:dev:mac:001565abcdef", true},
        {"", "URI:URN:DEV:mac:001565fffeABCDEF", true},
        {"", "URI:urn:dev:mac:001565ffffabcdef_phone", true},
        {"", "URI:sip:a@b URI:urn:dev:mac:001565abcdef_1", true},
        {"CN=001565abcdee", NULL, false},
        {"CN=001565abcdef0", NULL, false},
        {"CN=x001565abcdef", NULL, false},
        {"CN=001565abcde\\00f", NULL, false},
        {"O=001565abcdef,CN=phone", NULL, false},
        {"CN=001565abcdef,CN=phone", NULL, false},
        {"", NULL, false},
        {"CN=phone", "DNS:001565abcde.f.example.com", false},
        {"CN=phone", "email:001565abcdef@example.com", false},
        {"", "URI:urn:dev:mac:001565abcdef0000", false},
        {"", "URI:urn:dev:mac:001565fffeabcdee", false},
        {"", "URI:urn:dev:mac:", false},
        {"", "URI:urn:dev:ow:001565abcdef", false},
    };
    const struct testpki_cert *ca =
        testpki_make(&(struct testpki_spec){.subject = "CN=CA", .ca = true});
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct testpki_cert *cert = testpki_make(&(struct testpki_spec){
            .subject = cases[i].subject, .issuer = ca, .san = cases[i].san, .key = 5});
        struct identity *id = tlswire_identity(&cert, 1);
        if (identity_is_for_mac(id, "00:15:65:ab:cd:ef") != cases[i].is)
            fail_msg("%s %s", cases[i].subject, cases[i].san);
        assert_int_equal(cases[i].is, identity_is_for_mac(id, "001565ABCDEF"));
        assert_false(identity_is_for_mac(id, "001565ABCDE"));
        identity_unref(id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_for_mac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
