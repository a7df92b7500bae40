/* layers: what counts of what was said where, and how it is kept. */
#include "tools/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "control/layers.h"
#include "tools/statedir.h"

#define HEAD "#!version:1.0.0.1\n"

static const char label[] = "account.X.label";
static const char validation[] = "account.X.security.cn_validation";

static struct statedir dir;
static struct layers *layers;
static struct settings *base;
static struct complaints complaints;

static int set_up(void **state)
{
    (void)state;
    memset(&complaints, 0, sizeof complaints);
    statedir_make(&dir);
    return is_ok(layers_new(&layers)) && is_ok(settings_new(&base)) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    layers_free(layers);
    settings_free(base);
    statedir_remove(&dir);
    return 0;
}

static void apply(struct settings *s, const char *lines)
{
    char text[1024];

    (void)snprintf(text, sizeof text, HEAD "%s", lines);
    assert_true(is_ok(settings_apply(s, "f", slice_of_str(text), NULL, NULL, NULL, NULL)));
}

static void merge(enum layer which, const char *lines)
{
    struct settings *file;

    assert_true(is_ok(settings_new(&file)));
    apply(file, lines);
    assert_true(is_ok(layers_merge(layers, which, file, NULL)));
    settings_free(file);
}

/* The label of account 1 that counts. */
static void check_label(const char *expected)
{
    struct settings *s;

    assert_true(is_ok(layers_effective(layers, base, &s, NULL)));
    assert_string_equal(expected, settings_text(s, label, 1, 0));
    settings_free(s);
}

static void read_layers(void)
{
    struct errinfo e = ERRINFO_INIT;

    if (is_err(layers_read(layers, dir.path, &complaints, &e)))
        fail_msg("not read: %s", e.text);
}

static void put(void)
{
    struct errinfo e = ERRINFO_INIT;
    struct change *ch;

    assert_true(is_ok(change_begin(dir.credentials, &ch, &e)));
    if (is_err(layers_put(layers, ch, &e)) || is_err(change_commit(ch, &e)))
        fail_msg("not written: %s", e.text);
    change_free(ch);
}

/* Flips a bit in the newest generation's file NAME. */
static void damage(unsigned generation, const char *name)
{
    char inside[64];
    FILE *f;

    (void)snprintf(inside, sizeof inside, "generations/%08u/%s", generation, name);
    f = fopen(statedir_path(&dir, inside), "r+");
    assert_non_null(f);
    assert_int_equal(0, fseek(f, -2, SEEK_END));
    const int c = fgetc(f);
    assert_int_equal(0, fseek(f, -2, SEEK_END));
    assert_int_equal(c ^ 1, fputc(c ^ 1, f));
    assert_int_equal(0, fclose(f));
}

static void test_the_later_counts(void **state)
{
    (void)state;
    apply(base, "account.1.label = base\n");
    check_label("base");
    merge(LAYER_LOCAL, "account.1.label = local\n");
    check_label("local");
    merge(LAYER_COMMON, "account.1.label = common\n");
    check_label("local");
    assert_true(is_ok(layers_unset(layers, LAYER_LOCAL, "account.1.label", NULL)));
    check_label("common");
    merge(LAYER_PHONE, "account.1.label = phone\n");
    check_label("phone");
    layers_clear(layers);
    check_label("base");
}

static void test_a_default_hides_what_is_below(void **state)
{
    (void)state;
    apply(base, "account.1.user_name = alice\naccount.1.label = base\n");
    merge(LAYER_COMMON, "account.1.label = common\n");
    merge(LAYER_PHONE, "account.1.label = %NULL%\n");
    check_label("alice"); /* the label's own default is the user's name */
    assert_int_equal(LAYER_PHONE, layers_source(layers, base, label, 1, 0));
    assert_true(is_ok(layers_unset(layers, LAYER_PHONE, "account.1.label", NULL)));
    check_label("common");
}

static void test_a_merge_changes_what_it_names(void **state)
{
    (void)state;
    merge(LAYER_COMMON, "account.1.label = a\naccount.2.label = b\n");
    merge(LAYER_COMMON, "account.2.label = c\n");
    check_label("a");
    assert_string_equal("c", settings_text(layers_at(layers, LAYER_COMMON), label, 2, 0));
    assert_true(settings_is_empty(layers_at(layers, LAYER_PHONE)));
}

static void test_unset_of_no_key(void **state)
{
    struct errinfo e = ERRINFO_INIT;

    (void)state;
    assert_int_equal(ERR_NOT_FOUND, layers_unset(layers, LAYER_LOCAL, "account.99.label", &e).code);
    assert_true(strlen(e.text) > 0);
    assert_true(is_ok(layers_unset(layers, LAYER_LOCAL, "account.9.label", NULL)));
}

static void test_the_source(void **state)
{
    (void)state;
    assert_int_equal(LAYER_DEFAULT, layers_source(layers, base, validation, 3, 0));
    apply(base, "static.security.cn_validation = 1\n");
    assert_int_equal(LAYER_BASE, layers_source(layers, base, validation, 3, 0));
    merge(LAYER_COMMON, "static.security.sip.cn_validation = 0\n");
    assert_int_equal(LAYER_COMMON, layers_source(layers, base, validation, 3, 0));
    merge(LAYER_LOCAL, "account.3.security.cn_validation = 1\n");
    assert_int_equal(LAYER_LOCAL, layers_source(layers, base, validation, 3, 0));
    assert_int_equal(LAYER_COMMON, layers_source(layers, base, validation, 4, 0));
    assert_string_equal("phone", layer_name(LAYER_PHONE));
}

static void test_same(void **state)
{
    struct layers *copy;

    (void)state;
    merge(LAYER_COMMON, "account.1.label = a\n");
    assert_true(is_ok(layers_clone(layers, &copy)));
    assert_true(layers_same(layers, copy, LAYER_COMMON));
    merge(LAYER_COMMON, "account.1.password = %NULL%\n");
    assert_false(layers_same(layers, copy, LAYER_COMMON));
    assert_true(layers_same(layers, copy, LAYER_LOCAL));
    layers_free(copy);
}

static void test_kept_and_read(void **state)
{
    (void)state;
    statedir_open(&dir, IDENTITY_WANT_ANY);
    merge(LAYER_COMMON, "account.1.label = common\n");
    merge(LAYER_LOCAL, "account.1.label = %NULL%\naccount.2.password = s3cret # = x\n");
    put();
    assert_string_equal("common.cfg local.cfg ", statedir_files(&dir));
    layers_clear(layers);
    read_layers();
    assert_int_equal(0, complaints.count);
    check_label("");
    assert_string_equal("common", settings_text(layers_at(layers, LAYER_COMMON), label, 1, 0));
    assert_string_equal("s3cret # = x",
                        settings_text(layers_at(layers, LAYER_LOCAL), "account.X.password", 2, 0));
    assert_int_equal(SETTINGS_DEFAULT, settings_says(layers_at(layers, LAYER_LOCAL), label, 1, 0));
}

static void test_what_is_the_same_is_not_written(void **state)
{
    (void)state;
    statedir_open(&dir, IDENTITY_WANT_ANY);
    merge(LAYER_COMMON, "account.1.label = a\n");
    put();
    const uint64_t number = credentials_generation(dir.credentials);
    put();
    read_layers();
    merge(LAYER_COMMON, "account.1.label = b\n");
    merge(LAYER_COMMON, "account.1.label = a\n");
    put();
    assert_int_equal(number, credentials_generation(dir.credentials));
    merge(LAYER_COMMON, "account.1.label = b\n");
    put();
    assert_int_equal(number + 1, credentials_generation(dir.credentials));
}

static void test_an_empty_layer_has_no_file(void **state)
{
    (void)state;
    statedir_open(&dir, IDENTITY_WANT_ANY);
    merge(LAYER_PHONE, "account.1.label = a\n");
    merge(LAYER_LOCAL, "account.1.label = b\n");
    put();
    assert_true(is_ok(layers_unset(layers, LAYER_PHONE, "account.1.label", NULL)));
    put();
    assert_string_equal("local.cfg ", statedir_files(&dir));
    layers_clear(layers);
    put();
    assert_string_equal("", statedir_files(&dir));
}

/* Each layer alone; the others stay as the newest generation has them. */
static void test_a_damaged_layer_is_the_one_before(void **state)
{
    (void)state;
    statedir_open(&dir, IDENTITY_WANT_ANY);
    merge(LAYER_COMMON, "account.1.label = old\n");
    merge(LAYER_LOCAL, "account.2.label = old\n");
    put();
    merge(LAYER_COMMON, "account.1.label = new\n");
    merge(LAYER_LOCAL, "account.2.label = new\n");
    put();
    damage(2, "common.cfg");
    read_layers();
    assert_string_equal("old", settings_text(layers_at(layers, LAYER_COMMON), label, 1, 0));
    assert_string_equal("new", settings_text(layers_at(layers, LAYER_LOCAL), label, 2, 0));
    assert_int_equal(1, complaints.count);
    assert_string_equal("common.cfg", complaints.list[0].file);
    assert_non_null(strstr(complaints.list[0].text, "generation before"));
    assert_true(layers_is_in_danger(layers));
    assert_true(is_ok(credentials_reload(dir.credentials, NULL)));
    put(); /* what counts is on flash again */
    assert_false(layers_is_in_danger(layers));
    memset(&complaints, 0, sizeof complaints);
    read_layers();
    assert_int_equal(0, complaints.count);
    check_label("old");
}

static void test_damaged_and_none_before(void **state)
{
    (void)state;
    statedir_open(&dir, IDENTITY_WANT_ANY);
    merge(LAYER_COMMON, "account.1.label = a\n");
    put();
    damage(1, "common.cfg");
    read_layers();
    assert_true(settings_is_empty(layers_at(layers, LAYER_COMMON)));
    assert_int_equal(1, complaints.count);
    assert_non_null(strstr(complaints.list[0].text, "does not count any more"));
    assert_false(layers_is_in_danger(layers));
}

static void test_damaged_in_both(void **state)
{
    (void)state;
    statedir_open(&dir, IDENTITY_WANT_ANY);
    merge(LAYER_COMMON, "account.1.label = a\n");
    put();
    merge(LAYER_COMMON, "account.1.label = b\n");
    put();
    damage(1, "common.cfg");
    damage(2, "common.cfg");
    read_layers();
    assert_true(settings_is_empty(layers_at(layers, LAYER_COMMON)));
    assert_int_equal(1, complaints.count);
}

/* A file that is gone was taken away on purpose: what was in it before is not looked for. */
static void test_a_layer_that_is_gone_stays_gone(void **state)
{
    (void)state;
    statedir_open(&dir, IDENTITY_WANT_ANY);
    merge(LAYER_COMMON, "account.1.label = a\n");
    put();
    layers_clear(layers);
    put();
    read_layers();
    check_label("");
    assert_int_equal(0, complaints.count);
}

static void test_by_hand(void **state)
{
    (void)state;
    statedir_put(&dir, "phone.cfg",
                 HEAD "account.1.label = by hand\nnew.key = 1\n"
                      "account.1.enable = maybe\n");
    statedir_put(&dir, "local.cfg", "no settings file\n");
    read_layers();
    check_label("by hand");
    assert_int_equal(3, complaints.count);
    assert_string_equal("phone.cfg", complaints.list[0].file);
    assert_string_equal("line 3: there is no key 'new.key'", complaints.list[0].text);
    assert_string_equal("phone.cfg", complaints.list[1].file);
    assert_string_equal("local.cfg", complaints.list[2].file);
}

static void test_other_files_stay(void **state)
{
    (void)state;
    statedir_put_ca(&dir, "ca.corp.pem", "CN=Corp");
    statedir_put(&dir, "note.txt", "something else\n");
    statedir_open(&dir, IDENTITY_WANT_ANY);
    merge(LAYER_COMMON, "account.1.label = a\n");
    put();
    assert_string_equal("ca.corp.pem common.cfg note.txt ", statedir_files(&dir));
    assert_int_equal(0, dir.changes);
}

/* All keys, with the longest values that they may have: the file is within its limit. */
static void test_the_largest_layer_can_be_kept(void **state)
{
    struct settings *s;
    struct buf text;
    size_t rows;
    const struct key *table = keys_table(&rows);
    char value[LIMIT_URL + 1];

    (void)state;
    assert_true(is_ok(settings_new(&s)));
    for (const struct key *k = table; k != table + rows; k++)
        for (size_t i = 0; i < key_xs(k) * key_ys(k); i++) {
            const struct key_ref at = key_at(k, i);
            memset(value, 'a', sizeof value);
            value[k->type == KEY_TEXT || k->type == KEY_SECRET ? (size_t)k->max : 0] = '\0';
            if (is_err(settings_put(s, &at, slice_of_str(value), NULL)))
                assert_true(key_is_command(k) ||
                            is_ok(settings_put(s, &at, slice_of_str(k->initial), NULL)));
        }
    buf_init(&text, LIMIT_SETTINGS_BYTES);
    assert_true(is_ok(settings_write(s, &text, NULL)));
    assert_true(buf_len(&text) < LIMIT_SETTINGS_BYTES / 2);
    buf_wipe(&text);
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_later_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_default_hides_what_is_below, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_merge_changes_what_it_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unset_of_no_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kept_and_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_the_same_is_not_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_layer_has_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_damaged_layer_is_the_one_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_and_none_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_in_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_layer_that_is_gone_stays_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_by_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_files_stay, set_up, tear_down),
        cmocka_unit_test(test_the_largest_layer_can_be_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
