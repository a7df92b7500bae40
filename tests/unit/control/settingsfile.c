#include "unit/control/settingsfile.h"

#include <stdio.h>
#include <string.h>

#include "tools/unit.h"

void settingsfile_note(void *arg, const char *file, size_t line, bool severe, const char *text)
{
    struct settingsfile_complaints *c = arg;
    const size_t used = strlen(c->text);

    assert_string_equal("test.cfg", file);
    (void)snprintf(c->text + used, sizeof c->text - used, "%zu%s: %s\n", line, severe ? "!" : "",
                   text);
    c->count++;
}

struct settingsfile_complaints complaints;

struct settings *settingsfile_fresh(void)
{
    struct settings *s;

    assert_true(is_ok(settings_new(&s)));
    memset(&complaints, 0, sizeof complaints);
    return s;
}

void settingsfile_apply(struct settings *s, const char *content)
{
    struct errinfo e = ERRINFO_INIT;
    const struct result r = settings_apply(s, "test.cfg", slice_of_str(content), NULL,
                                           settingsfile_note, &complaints, &e);

    if (is_err(r))
        fail_msg("not applied: %s", e.text);
}

struct settings *settingsfile_with(const char *lines)
{
    struct settings *s = settingsfile_fresh();
    char text[1024];

    (void)snprintf(text, sizeof text, SETTINGSFILE_HEAD "%s", lines);
    settingsfile_apply(s, text);
    assert_string_equal("", complaints.text);
    return s;
}

const char *settingsfile_written(const struct settings *s)
{
    static char text[4096];
    struct buf out;

    buf_init(&out, sizeof text - 1);
    assert_true(is_ok(settings_write(s, &out, NULL)));
    assert_true(slice_to_str(buf_slice(&out), text, sizeof text));
    buf_wipe(&out);
    assert_int_equal(0, strncmp(text, SETTINGSFILE_HEAD, strlen(SETTINGSFILE_HEAD)));
    return text + strlen(SETTINGSFILE_HEAD);
}
