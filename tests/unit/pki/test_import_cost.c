/*
 * What an upload of 5 MB costs: time linear in its size, whatever it is made of, and hardly any
 * memory beside its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/import.h"
#include "pki/pem.h"
#include "tools/testpki.h"
#include "tools/unit.h"

/* --- memory, as the sanitizer's allocator counts it --- */

extern int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *,
                                                                       size_t),
                                                     void (*on_free)(const volatile void *))
    __attribute__((weak));
extern size_t __sanitizer_get_allocated_size(const volatile void *p) __attribute__((weak));

static bool counting;
static size_t held, peak;

static void on_malloc(const volatile void *p, size_t n)
{
    (void)p;
    if (!counting)
        return;
    held += n;
    peak = held > peak ? held : peak;
}

static void on_free(const volatile void *p)
{
    if (counting && p != NULL)
        held -= __sanitizer_get_allocated_size(p);
}

/* --- what the files are made of --- */

static const struct testpki_cert *ca;
static struct trust *trust;
static char *pem;

static void fill(struct buf *b, size_t size, const char *unit)
{
    while (buf_len(b) + strlen(unit) <= size)
        assert_true(is_ok(buf_append_str(b, unit)));
}

static void make_text_around(struct buf *b, size_t size)
{
    fill(b, size / 2, "Some text, and -----dashes in it: 0123456789\n");
    assert_true(is_ok(buf_append_str(b, pem)));
    fill(b, size, "More text\n");
}

static void make_begin_lines(struct buf *b, size_t size)
{
    fill(b, size, "-----BEGIN CERTIFICATE-----\n");
}

static void make_begin_prose(struct buf *b, size_t size)
{
    fill(b, size, "from -----BEGIN X----- on\n");
}

static void make_one_line_of_begins(struct buf *b, size_t size)
{
    fill(b, size, "x-----BEGIN ");
}

static void make_base64(struct buf *b, size_t size)
{
    assert_true(is_ok(buf_append_str(b, "-----BEGIN CERTIFICATE-----\n")));
    fill(b, size - 30, "MIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIB\n");
    assert_true(is_ok(buf_append_str(b, "-----END CERTIFICATE-----\n")));
}

static void make_bare_base64(struct buf *b, size_t size)
{
    fill(b, size, "MIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIBMIIB\n");
}

static void make_one_certificate_again_and_again(struct buf *b, size_t size)
{
    fill(b, size, pem);
}

/* Each with another byte in it, which makes it another certificate. */
static void make_thousands_of_certificates(struct buf *b, size_t size)
{
    uint8_t der[2048];
    const struct slice one = testpki_der(ca);
    assert_true(one.n <= sizeof der);
    memcpy(der, one.p, one.n);
    for (uint32_t i = 0; buf_len(b) + 2 * one.n <= size; i++) {
        memcpy(der + one.n - sizeof i, &i, sizeof i); /* in the signature */
        assert_true(is_ok(pem_write("CERTIFICATE", slice_of(der, one.n), b)));
    }
}

static void make_empty_blocks(struct buf *b, size_t size)
{
    fill(b, size, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
}

static void make_other_blocks(struct buf *b, size_t size)
{
    fill(b, size, "-----BEGIN X-----\nAAAA\n-----END X-----\n");
}

static void make_dashes(struct buf *b, size_t size)
{
    fill(b, size, "-----");
}

static void make_end_lines(struct buf *b, size_t size)
{
    fill(b, size, "-----END CERTIFICATE-----\n");
}

static void make_headers(struct buf *b, size_t size)
{
    assert_true(is_ok(buf_append_str(b, "-----BEGIN CERTIFICATE-----\n")));
    fill(b, size - 30, "A: b\n");
    assert_true(is_ok(buf_append_str(b, "-----END CERTIFICATE-----\n")));
}

static void make_zeros(struct buf *b, size_t size)
{
    uint8_t *p;
    assert_true(is_ok(buf_reserve(b, size, &p)));
    memset(p, 0, size);
    buf_commit(b, size);
}

static void make_der_elements(struct buf *b, size_t size)
{
    while (buf_len(b) + 200 <= size) {
        uint8_t element[135] = {0x30, 0x81, 0x84, 0x04, 0x81, 0x81};
        assert_true(is_ok(buf_append(b, slice_of(element, sizeof element))));
    }
}

static const struct {
    const char *name;
    void (*make)(struct buf *b, size_t size);
} files[] = {
    {"a certificate in text", make_text_around},
    {"BEGIN lines", make_begin_lines},
    {"BEGIN in sentences", make_begin_prose},
    {"BEGIN in one line", make_one_line_of_begins},
    {"one block of Base64", make_base64},
    {"bare Base64", make_bare_base64},
    {"one certificate repeated", make_one_certificate_again_and_again},
    {"thousands of certificates", make_thousands_of_certificates},
    {"empty blocks", make_empty_blocks},
    {"blocks of something else", make_other_blocks},
    {"hyphens", make_dashes},
    {"END lines", make_end_lines},
    {"headers", make_headers},
    {"zeros", make_zeros},
    {"DER of something else", make_der_elements},
};

/* --- measuring --- */

static void import_once(struct slice content)
{
    const struct import_request r = {
        .content = content, .trust = trust, .now = {TESTPKI_NOW, CLOCK_SET}};
    struct import out;
    const struct result res = import_trusted(&r, &out, NULL);
    (void)res; /* some are taken, most are not */
    import_clear(&out);
}

static double seconds_for(struct slice content)
{
    double best = 1e9;
    for (int i = 0; i < 2; i++) {
        const clock_t start = clock(); /* of this process alone */
        import_once(content);
        const double took = (double)(clock() - start) / CLOCKS_PER_SEC;
        best = took < best ? took : best;
    }
    return best;
}

#define LARGE (LIMIT_CERT_FILE_BYTES / 4)
#define SMALL (LARGE / 8)

/* Eight times the size takes eight times the time, or 64 times if it is the square: 32 is between,
 * with room for a busy machine on both sides. What takes no time at all proves nothing. */
static void time_is_linear_in_the_size(void **state)
{
    (void)state;
    SKIP_UNDER_VALGRIND();
    struct buf b;
    buf_init(&b, LIMIT_CERT_FILE_BYTES);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        buf_clear(&b);
        files[i].make(&b, SMALL);
        const double small = seconds_for(buf_slice(&b));
        buf_clear(&b);
        files[i].make(&b, LARGE);
        const double large = seconds_for(buf_slice(&b));
        print_message("%-26s %6.1f ms for 160 KB, %6.1f ms for 1.25 MB\n", files[i].name,
                      1e3 * small, 1e3 * large);
        assert_true(large < 0.02 || large < 32 * small);
    }
    buf_free(&b);
}

static void memory_is_little_beside_the_file(void **state)
{
    (void)state;
    struct buf b;
    if (__sanitizer_install_malloc_and_free_hooks == NULL) {
        print_error("SKIPPED: only a sanitized build counts allocations\n");
        skip();
        return;
    }
    assert_true(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) != 0);
    buf_init(&b, LIMIT_CERT_FILE_BYTES);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        buf_clear(&b);
        files[i].make(&b, LIMIT_CERT_FILE_BYTES);
        held = peak = 0;
        counting = true;
        import_once(buf_slice(&b));
        counting = false;
        print_message("%-26s %4zu KB beside the file\n", files[i].name, peak / 1024);
        assert_int_equal(held, 0);
        assert_true(peak <= 200 * 1024UL);
    }
    buf_free(&b);
}

static int set_up(void **state)
{
    (void)state;
    ca = testpki_make(&(struct testpki_spec){.subject = "CN=CA", .ca = true, .key = 1});
    pem = testpki_pem(&ca, 1);
    return is_ok(trust_new(NULL, 0, NULL, NULL, &trust, NULL)) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(pem);
    trust_unref(trust);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_is_linear_in_the_size),
        cmocka_unit_test(memory_is_little_beside_the_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
