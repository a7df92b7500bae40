/* privs: each test gives things up in a child process of its own. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/privs.h"
#include "tools/unit.h"

/* Inside the child, where cmocka cannot be. */
#define MUST(condition)                                                           \
    do {                                                                          \
        if (!(condition)) {                                                       \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                             \
        }                                                                         \
    } while (0)

static void in_child(void (*fn)(void))
{
    int status;
    SKIP_UNDER_VALGRIND();
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void harden(void)
{
    struct rlimit core;
    MUST(is_ok(privs_harden(NULL)));
    MUST(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
    MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    MUST(is_ok(privs_harden(NULL))); /* once more is no harm */
}

static void hardening_forbids_dumps_and_new_privileges(void **state)
{
    (void)state;
    in_child(harden);
}

/* The value of LINE ("CapEff") in /proc/self/status. */
static void proc_status(const char *line, char *out, size_t size)
{
    char text[256];
    FILE *f = fopen("/proc/self/status", "re");
    MUST(f != NULL);
    out[0] = '\0';
    while (fgets(text, sizeof text, f) != NULL)
        if (strncmp(text, line, strlen(line)) == 0)
            (void)snprintf(out, size, "%s", text + strlen(line) + 2);
    (void)fclose(f);
    out[strcspn(out, "\n")] = '\0';
}

static void become_nobody(void)
{
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};
    const struct passwd *nobody = getpwnam("nobody");
    char value[256];
    gid_t groups[8];
    uid_t ids[3];
    MUST(nobody != NULL);
    MUST(is_ok(privs_drop("nobody", NULL)));
    MUST(getresuid(&ids[0], &ids[1], &ids[2]) == 0);
    for (int i = 0; i < 3; i++)
        MUST(ids[i] == nobody->pw_uid);
    MUST(getresgid(&ids[0], &ids[1], &ids[2]) == 0);
    for (int i = 0; i < 3; i++)
        MUST(ids[i] == nobody->pw_gid);
    MUST(getgroups(8, groups) == 1 && groups[0] == nobody->pw_gid);
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        proc_status(sets[i], value, sizeof value);
        MUST(strcmp(value, "0000000000000000") == 0);
    }
    MUST(setuid(0) != 0 && seteuid(0) != 0 && setgid(0) != 0);
    MUST(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
    MUST(is_ok(privs_drop("nobody", NULL))); /* is that user already */
    MUST(privs_drop("root", NULL).code == ERR_DENIED);
}

static void root_becomes_another_user_for_good(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_child(become_nobody);
}

static void drop_hardened(void)
{
    MUST(is_ok(privs_harden(NULL)));
    become_nobody();
}

static void hardening_does_not_hinder_the_drop(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_child(drop_hardened);
}

/* A way back is left open: the saved id of root. */
static void keep_saved_root(void)
{
    struct errinfo e = ERRINFO_INIT;
    const struct passwd *nobody = getpwnam("nobody");
    MUST(nobody != NULL && setresuid(nobody->pw_uid, nobody->pw_uid, 0) == 0);
    MUST(privs_drop("nobody", &e).code == ERR_DENIED); /* not taken for that user */
}

static void a_saved_root_is_not_taken_for_dropped(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    in_child(keep_saved_root);
}

static void another_user_than_oneself_needs_root(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    const struct passwd *self = getpwuid(geteuid());
    assert_non_null(self);
    assert_true(is_ok(privs_drop(self->pw_name, NULL)));
    if (geteuid() == 0)
        return;
    assert_int_equal(privs_drop("root", &e).code, ERR_DENIED);
    assert_string_equal(e.text, "only root can become the user 'root'");
}

static void unknown_names_are_not_found(void **state)
{
    (void)state;
    struct errinfo e = ERRINFO_INIT;
    gid_t gid;
    assert_int_equal(privs_drop("no-such-user", &e).code, ERR_NOT_FOUND);
    assert_string_equal(e.text, "there is no user 'no-such-user' on this system");
    errinfo_clear(&e);
    assert_int_equal(privs_group("no-such-group", &gid, &e).code, ERR_NOT_FOUND);
    assert_string_equal(e.text, "there is no group 'no-such-group' on this system");
}

static void a_groups_id_is_found_by_name(void **state)
{
    (void)state;
    gid_t gid = 77;
    const struct group *group = getgrgid(0);
    assert_non_null(group);
    assert_true(is_ok(privs_group(group->gr_name, &gid, NULL)));
    assert_int_equal(gid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hardening_forbids_dumps_and_new_privileges),
        cmocka_unit_test(root_becomes_another_user_for_good),
        cmocka_unit_test(hardening_does_not_hinder_the_drop),
        cmocka_unit_test(a_saved_root_is_not_taken_for_dropped),
        cmocka_unit_test(another_user_than_oneself_needs_root),
        cmocka_unit_test(unknown_names_are_not_found),
        cmocka_unit_test(a_groups_id_is_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
