/* admin: the methods about settings, and the reset, asked as a line of JSON-RPC each. */
#include "tools/unit.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/admin.h"
#include "control/layers.h"
#include "control/provision.h"
#include "tools/statedir.h"
#include "unit/control/settingsfile.h"

static struct statedir s;
static struct loop *loop;
static struct admin *admin;
static struct rejected *rejected;
static struct provision *engine;
static struct settings *base;
static int applied;

static struct credentials *source_credentials(void *arg)
{
    (void)arg;
    return s.credentials;
}

static struct rejected *source_rejected(void *arg)
{
    (void)arg;
    return rejected;
}

static bool source_reserves(void *arg)
{
    (void)arg;
    return settings_bool(provision_settings(engine), "phone_setting.reserve_certs_enable", 0, 0);
}

static struct wallclock source_now(void *arg)
{
    (void)arg;
    return (struct wallclock){.epoch_s = TESTPKI_NOW, .state = CLOCK_SET};
}

static struct provision *source_provision(void *arg)
{
    (void)arg;
    return engine;
}

static const struct settings *hook_base(void *arg)
{
    (void)arg;
    return base;
}

static void hook_apply(void *arg, const struct settings *old, const struct settings *now)
{
    (void)arg;
    (void)old;
    (void)now;
    applied++;
}

static void hook_ended(void *arg, const struct provision_report *r)
{
    (void)arg;
    (void)r;
}

static size_t hook_count(void *arg)
{
    (void)arg;
    return 0;
}

/* Nothing is fetched here. */
static struct result hook_fetch(void *arg, const struct fetch_wanted *w, fetch_fn *fn, void *fn_arg,
                                struct fetch **out, struct errinfo *e)
{
    (void)arg;
    (void)w;
    (void)fn;
    (void)fn_arg;
    (void)out;
    return fail(e, ERR_UNSUPPORTED, "there is no network");
}

static void on_credentials(void *arg, unsigned what)
{
    (void)arg;
    (void)what;
    if (engine != NULL)
        provision_credentials_changed(engine);
}

static void make_engine(void)
{
    const struct provision_params p = {
        .loop = loop,
        .credentials = s.credentials,
        .state_dir = s.path,
        .mac = STATEDIR_MAC,
        .hooks = {.base = hook_base,
                  .apply = hook_apply,
                  .ended = hook_ended,
                  .account_count = hook_count,
                  .now = source_now,
                  .fetch = {.start = hook_fetch}},
    };
    struct errinfo e = ERRINFO_INIT;

    if (is_err(provision_new(&p, &engine, &e)))
        fail_msg("%s", e.text);
}

static void make_admin(bool with_engine)
{
    const struct admin_source source = {.credentials = source_credentials,
                                        .rejected = source_rejected,
                                        .provision = with_engine ? source_provision : NULL,
                                        .reserves_certs = source_reserves,
                                        .now = source_now};

    assert_true(is_ok(admin_new(loop, &source, &admin)));
}

static int set_up(void **state)
{
    (void)state;
    applied = 0;
    statedir_make(&s);
    s.on_changed = on_credentials;
    statedir_open(&s, IDENTITY_WANT_ANY);
    assert_true(is_ok(loop_new(&loop, NULL)));
    assert_true(is_ok(rejected_new(&rejected)));
    base = settingsfile_with("static.security.cn_validation = 0\n"
                             "account.1.label = Front desk\n"
                             "account.1.password = s3cret\n");
    make_engine();
    make_admin(true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    admin_free(admin);
    provision_free(engine);
    engine = NULL;
    rejected_free(rejected);
    loop_free(loop);
    settings_free(base);
    statedir_remove(&s);
    return 0;
}

/* The response to a request, in a static buffer; PARAMS is JSON. */
static const char *call(const char *method, const char *params)
{
    static char text[LIMIT_RPC_REPLY + 1];
    char line[4096];
    struct buf reply;
    unsigned subscribed = 0;

    (void)snprintf(line, sizeof line,
                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
                   params);
    buf_init(&reply, LIMIT_RPC_REPLY);
    assert_true(
        is_ok(jsonrpc_answer(admin_service(admin), slice_of_str(line), &reply, &subscribed)));
    assert_true(slice_to_str(buf_slice(&reply), text, sizeof text));
    buf_free(&reply);
    return text;
}

static void check_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' has no '%s'", text, part);
}

static void check_result(const char *method, const char *params, const char *part)
{
    const char *text = call(method, params);

    check_has(text, "\"result\":");
    check_has(text, part);
}

static void check_error(const char *method, const char *params, const char *data, const char *part)
{
    const char *text = call(method, params);

    check_has(text, "\"error\":");
    check_has(text, data);
    check_has(text, part);
}

static void test_get_what_is_set(void **state)
{
    (void)state;
    check_result("settings.get", "{}",
                 "{\"settings\":["
                 "{\"key\":\"account.1.label\",\"value\":\"Front desk\",\"set\":true,"
                 "\"source\":\"base\",\"from\":null,\"type\":\"text\"},"
                 "{\"key\":\"account.1.password\",\"value\":null,\"set\":true,"
                 "\"source\":\"base\",\"from\":null,\"type\":\"secret\"},"
                 "{\"key\":\"static.security.cn_validation\",\"value\":\"0\",\"set\":true,"
                 "\"source\":\"base\",\"from\":null,\"type\":\"bool\"}]}");
    assert_null(strstr(call("settings.get", "{}"), "s3cret"));
}

static void test_get_by_name(void **state)
{
    (void)state;
    check_result("settings.get", "{\"keys\":[\"account.3.security.cn_validation\"]}",
                 "{\"settings\":[{\"key\":\"account.3.security.cn_validation\",\"value\":\"0\","
                 "\"set\":false,\"source\":\"base\",\"from\":\"static.security.cn_validation\","
                 "\"type\":\"bool\"}]}");
    check_result("settings.get", "{\"keys\":[\"sip.tls_listen_port\"]}",
                 "\"value\":\"5061\",\"set\":false,\"source\":\"default\",\"from\":null");
    check_result("settings.get", "{\"keys\":[\"account.4.label\",\"account.1.password\"]}",
                 "{\"key\":\"account.4.label\",\"value\":null,\"set\":false,\"source\":\"default\","
                 "\"from\":\"account.4.user_name\",\"type\":\"text\"},"
                 "{\"key\":\"account.1.password\",\"value\":null,\"set\":true");
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        n++;
    return n;
}

static void test_get_by_beginning(void **state)
{
    const char *text;

    (void)state;
    text = call("settings.get", "{\"keys\":[\"account.1.*\"]}");
    assert_null(strstr(text, "account.10."));
    assert_null(strstr(text, "s3cret"));
    assert_true(count_of(text, "\"key\":\"account.1.") > 20);
    text = call("settings.get", "{\"keys\":[\"*\"]}"); /* all there are fit into an answer */
    assert_true(count_of(text, "\"key\":\"account.") > 300);
    assert_int_equal(0, count_of(text, "\"type\":\"command\""));
    check_error("settings.get", "{\"keys\":[\"acount.*\"]}", "NOT_FOUND", "begins with 'acount.'");
}

static void test_get_what_is_none(void **state)
{
    (void)state;
    check_error("settings.get", "{\"keys\":[\"account.99.label\"]}", "NOT_FOUND", "1 to 16");
    check_error("settings.get", "{\"keys\":[\"static.trusted_certificates.url\"]}", "INVALID",
                "it is no setting but an order");
    check_error("settings.get", "{\"keys\":\"account.1.label\"}", "INVALID", "list");
    check_error("settings.get", "{\"keys\":[1]}", "INVALID", "list");
    check_error("settings.get", "{\"key\":\"account.1.label\"}", "INVALID", "key");
}

static void test_set_and_unset(void **state)
{
    (void)state;
    check_result("settings.set", "{\"settings\":{\"account.1.label\":\"Hall\"}}",
                 "\"outcome\":\"applied\"");
    check_result("settings.get", "{\"keys\":[\"account.1.label\"]}",
                 "\"value\":\"Hall\",\"set\":true,\"source\":\"local\"");
    check_result("settings.set", "{\"settings\":{\"account.1.label\":null},\"force\":true}",
                 "\"id\":2");
    check_result("settings.get", "{\"keys\":[\"account.1.label\"]}",
                 "\"value\":null,\"set\":false,\"source\":\"local\"");
    check_result("settings.unset", "{\"keys\":[\"account.1.label\",\"account.2.label\"]}",
                 "\"outcome\":\"applied\"");
    check_result("settings.get", "{\"keys\":[\"account.1.label\"]}",
                 "\"value\":\"Front desk\",\"set\":true,\"source\":\"base\"");
}

static void test_values_of_all_types(void **state)
{
    (void)state;
    check_result("settings.set",
                 "{\"settings\":{\"sip.tls_listen_port\":5062,\"sip.trust_ctrl\":true,"
                 "\"sip.tls_client_eku\":false,\"sip.tls_client_auth\":\"require\"}}",
                 "\"outcome\":\"applied\"");
    assert_int_equal(5062, settings_int(provision_settings(engine), "sip.tls_listen_port", 0, 0));
    assert_true(settings_bool(provision_settings(engine), "sip.trust_ctrl", 0, 0));
    assert_int_equal(2, settings_choice(provision_settings(engine), "sip.tls_client_auth", 0, 0));
    assert_true(settings_is_set(provision_settings(engine), "sip.tls_client_eku", 0, 0));
}

static void test_a_bad_value_sets_nothing(void **state)
{
    (void)state;
    check_error("settings.set",
                "{\"settings\":{\"sip.trust_ctrl\":1,\"account.1.enable\":\"yes\"}}", "INVALID",
                "account.1.enable: it has to be 0 or 1");
    check_error("settings.set", "{\"settings\":{\"no.such.key\":1}}", "NOT_FOUND", "no.such.key");
    check_error("settings.set", "{\"settings\":{\"static.security.default_ssl_method\":0}}",
                "INVALID", "RFC 8996");
    check_error("settings.set", "{\"settings\":{\"static.trusted_certificates.url\":\"data:,a\"}}",
                "INVALID", "order");
    check_error("settings.set", "{\"settings\":{\"sip.tls_listen_port\":-1}}", "INVALID", "value");
    check_error("settings.set", "{\"settings\":{\"sip.tls_listen_port\":1.5}}", "INVALID", "value");
    check_error("settings.set", "{\"settings\":{\"sip.tls_listen_port\":[1]}}", "INVALID", "value");
    check_error("settings.set", "{\"settings\":{}}", "INVALID", "object");
    check_error("settings.set", "{}", "INVALID", "object");
    check_error("settings.set", "{\"settings\":{\"sip.trust_ctrl\":1},\"force\":1}", "INVALID",
                "force");
    check_error("settings.unset", "{\"keys\":[]}", "INVALID", "keys");
    check_error("settings.unset", "{}", "INVALID", "keys");
    check_error("settings.unset", "{\"keys\":[\"no.such.key\"]}", "NOT_FOUND", "no.such.key");
    assert_true(settings_is_empty(layers_at(provision_layers(engine), LAYER_LOCAL)));
}

/* An account that cannot work so is no bad value, and refused all the same. */
static void test_what_the_engine_refuses(void **state)
{
    (void)state;
    check_error("settings.set",
                "{\"settings\":{\"account.1.enable\":1,"
                "\"account.1.sip_server.1.transport_type\":2}}",
                "INVALID", "account 1 has no user name");
    assert_true(settings_is_empty(layers_at(provision_layers(engine), LAYER_LOCAL)));
    assert_string_equal("", statedir_files(&s));
}

static void test_what_is_so_already_is_not_written(void **state)
{
    (void)state;
    check_result("settings.set", "{\"settings\":{\"account.2.label\":\"x\"}}", "applied");
    const uint64_t number = credentials_generation(s.credentials);
    check_result("settings.set", "{\"settings\":{\"account.2.label\":\"x\"}}", "unchanged");
    assert_int_equal(number, credentials_generation(s.credentials));
    assert_int_equal(1, applied);
}

static void test_describe(void **state)
{
    size_t rows;

    (void)state;
    (void)keys_table(&rows);
    assert_int_equal(rows, count_of(call("settings.describe", "{}"), "\"help\":"));
    check_result("settings.describe", "{\"key\":\"account.X.security.cn_rules\"}",
                 "\"type\":\"choice\",\"min\":null,\"max\":null,\"choices\":[\"rfc2818\","
                 "\"rfc9525\",\"rfc5922\"],\"default\":null,"
                 "\"fallback\":\"static.security.sip.cn_rules\"");
    check_result("settings.describe", "{\"key\":\"account.7.sip_server.1.expires\"}",
                 "{\"keys\":[{\"key\":\"account.X.sip_server.Y.expires\",\"type\":\"int\","
                 "\"min\":30,\"max\":86400,\"choices\":null,\"default\":\"3600\","
                 "\"fallback\":null,\"help\":");
    check_result("settings.describe", "{\"key\":\"static.trusted_certificates.url\"}",
                 "\"type\":\"command\"");
    check_error("settings.describe", "{\"key\":\"account.X\"}", "NOT_FOUND", "account.X");
}

static void test_a_reset_leaves_the_base(void **state)
{
    (void)state;
    check_result("settings.set",
                 "{\"settings\":{\"account.1.label\":\"x\",\"account.2.label\":\"y\"}}", "applied");
    assert_string_equal("local.cfg ", statedir_files(&s));
    check_result("reset", "{}",
                 "{\"reserved\":false,\"certificates\":0,\"identity\":false,\"settings\":2}");
    assert_string_equal("", statedir_files(&s));
    assert_int_equal(2, applied);
    assert_string_equal("Front desk",
                        settings_text(provision_settings(engine), "account.X.label", 1, 0));
    check_result("reset", "{}", "\"settings\":0}");
    assert_int_equal(2, applied);
}

/* Certificates stay, if the setting that says so is what was provisioned, too. */
static void test_a_reset_that_reserves_certificates(void **state)
{
    struct change_added added;
    struct change *ch;
    char *pem = statedir_pem(statedir_ca("CN=Corp"));

    (void)state;
    check_result("settings.set", "{\"settings\":{\"phone_setting.reserve_certs_enable\":1}}",
                 "applied");
    assert_true(is_ok(change_begin(s.credentials, &ch, NULL)));
    assert_true(is_ok(change_add_trusted(ch, "corp.pem", slice_of_str(pem), &added, NULL)));
    import_clear(&added.items);
    assert_true(is_ok(change_commit(ch, NULL)));
    change_free(ch);
    check_result("reset", "{}",
                 "{\"reserved\":true,\"certificates\":0,\"identity\":false,\"settings\":1}");
    assert_string_equal("ca.corp.pem ", statedir_files(&s));
    check_result("reset", "{}",
                 "{\"reserved\":false,\"certificates\":1,\"identity\":false,\"settings\":0}");
    free(pem);
}

static void test_a_reset_while_somebody_holds(void **state)
{
    (void)state;
    check_result("settings.set", "{\"settings\":{\"account.1.label\":\"x\"}}", "applied");
    credentials_hold(s.credentials, "a trial runs");
    check_error("reset", "{}", "BUSY", "a trial runs");
    assert_string_equal("local.cfg ", statedir_files(&s));
    assert_string_equal("x", settings_text(provision_settings(engine), "account.X.label", 1, 0));
    credentials_hold(s.credentials, NULL);
}

static void test_without_an_engine_there_are_no_methods(void **state)
{
    (void)state;
    admin_free(admin);
    make_admin(false);
    check_error("settings.get", "{}", "UNSUPPORTED", "settings.get");
    check_result("reset", "{}", "\"settings\":0}");
    check_result("trust.list", "{}", "\"certificates\":");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_get_what_is_set),
        TEST(test_get_by_name),
        TEST(test_get_by_beginning),
        TEST(test_get_what_is_none),
        TEST(test_set_and_unset),
        TEST(test_values_of_all_types),
        TEST(test_a_bad_value_sets_nothing),
        TEST(test_what_the_engine_refuses),
        TEST(test_what_is_so_already_is_not_written),
        TEST(test_describe),
        TEST(test_a_reset_leaves_the_base),
        TEST(test_a_reset_that_reserves_certificates),
        TEST(test_a_reset_while_somebody_holds),
        TEST(test_without_an_engine_there_are_no_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
